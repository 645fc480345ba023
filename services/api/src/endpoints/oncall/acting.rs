//! What is done with an incident, whoever asks for it and wherever: by the API, from a mail, by SMS, during a call.

use super::super::{issue_change, named};
use super::incidents::of;
use crate::ApiError;
use crate::access::Principal;
use bugle_model::{Channel, IncidentAnswer, IncidentId, IncidentState, IssueId, IssueStatus, UserId};
use bugle_store::audit::{self, Target};
use bugle_store::issues::{self, IssueChange};
use bugle_store::oncall::{self, Acted, By, Incident, MAX_RESPONDERS};
use bugle_store::{Connection, StoreError};
use bugle_web::Problem;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

/// What is done with an incident.
pub(super) enum Action<'a> {
    Acknowledge,
    Unacknowledge,
    Resolve,
    Escalate,
    Snooze(TimeDelta),
    Reassign(UserId, &'a str),
    AddResponder(UserId, &'a str),
}

impl From<IncidentAnswer> for Action<'_> {
    fn from(answer: IncidentAnswer) -> Self {
        match answer {
            IncidentAnswer::Acknowledge => Self::Acknowledge,
            IncidentAnswer::Escalate => Self::Escalate,
            IncidentAnswer::Resolve => Self::Resolve,
        }
    }
}

impl Action<'_> {
    /// In the audit log.
    const fn name(&self) -> &'static str {
        match self {
            Self::Acknowledge => "incident.acknowledged",
            Self::Unacknowledge => "incident.unacknowledged",
            Self::Resolve => "incident.resolved",
            Self::Escalate => "incident.escalated",
            Self::Snooze(_) => "incident.snoozed",
            Self::Reassign(..) => "incident.reassigned",
            Self::AddResponder(..) => "incident.responder_added",
        }
    }

    /// What the audit log keeps of it.
    fn kept(&self, channel: Option<Channel>) -> Option<Value> {
        let mut kept = Map::new();
        match self {
            Self::Snooze(time) => {
                kept.insert("minutes".to_owned(), json!(time.num_minutes()));
            }
            Self::Reassign(user, _) | Self::AddResponder(user, _) => {
                kept.insert("user".to_owned(), json!(user));
            }
            Self::Acknowledge | Self::Unacknowledge | Self::Resolve | Self::Escalate => {}
        }
        kept.extend(channel.map(|channel| ("channel".to_owned(), json!(channel))));
        (!kept.is_empty()).then_some(Value::Object(kept))
    }

    /// Where the incident stands when it was done before.
    const fn done(&self) -> Option<IncidentState> {
        match self {
            Self::Acknowledge => Some(IncidentState::Acknowledged),
            Self::Unacknowledge => Some(IncidentState::Triggered),
            Self::Resolve => Some(IncidentState::Resolved),
            Self::Escalate | Self::Snooze(_) | Self::Reassign(..) | Self::AddResponder(..) => None,
        }
    }

    async fn run(
        &self,
        connection: &mut Connection,
        id: IncidentId,
        by: By<'_>,
        now: DateTime<Utc>,
    ) -> Result<Acted, StoreError> {
        match self {
            Self::Acknowledge => oncall::acknowledge(connection, id, by, now).await,
            Self::Unacknowledge => oncall::unacknowledge(connection, id, by, now).await,
            Self::Resolve => oncall::resolve(connection, id, by, now).await,
            Self::Escalate => oncall::escalate(connection, id, by, now).await,
            Self::Snooze(time) => oncall::snooze(connection, id, now + *time, by, now).await,
            Self::Reassign(user, name) => oncall::reassign(connection, id, (*user, name), by, now).await,
            Self::AddResponder(user, name) => {
                oncall::add_responder(connection, id, (*user, name), by, now).await
            }
        }
    }
}

/// What came of it, with the incident as it is then.
pub(super) enum Performed {
    /// It was done.
    Done(Incident),
    /// It had been done before.
    Before(Incident),
    /// It does not apply where the incident stands.
    Refused(Incident),
}

/// Does something with an incident that was looked up for the caller, and writes it into the audit log; whoever resolves an
/// incident resolves its issue, and those of incidents that became part of it; who was asked to help and acknowledges, helps. `channel` is where a page was answered; `None` is the API or the dashboard. Belongs into a
/// transaction.
pub(super) async fn perform(
    connection: &mut Connection,
    principal: &Principal,
    incident: &Incident,
    action: &Action<'_>,
    channel: Option<Channel>,
    now: DateTime<Utc>,
) -> Result<Performed, ApiError> {
    let id = incident.id.to_string();
    let by = By { name: &principal.actor.name, channel };
    if let Action::AddResponder(user, _) = action
        && !oncall::has_room_for_responder(connection, incident.id, *user).await?
    {
        let message = format!("the incident has {MAX_RESPONDERS} responders already, which is the limit");
        return Err(Problem::invalid_field("user", message).into());
    }
    let acted = action.run(connection, incident.id, by, now).await?;
    if let (Action::Acknowledge, Some(user)) = (action, principal.user_id())
        && oncall::join_as_responder(connection, incident.id, user, by, now).await?
    {
        let name = incident.short_id.as_deref().unwrap_or(&incident.title);
        let target = Target::new("incident", incident.id, name);
        let entry = principal.did("incident.responder_joined", target, incident.team);
        audit::add(connection, &entry, now).await?;
    }
    match acted {
        Acted::Done => {}
        Acted::Not(stands) => {
            let incident = of(connection, principal, &id).await?;
            let before = action.done() == Some(stands);
            return Ok(if before { Performed::Before(incident) } else { Performed::Refused(incident) });
        }
        Acted::Missing => return Err(named::missing("incident", &id).into()),
    }
    let name = incident.short_id.as_deref().unwrap_or(&incident.title);
    let target = Target::new("incident", incident.id, name);
    let entry = principal.changed(action.name(), target, incident.team, None, action.kept(channel));
    audit::add(connection, &entry, now).await?;
    if matches!(action, Action::Resolve) {
        let merged = oncall::merged_issues(connection, incident.id).await?;
        for issue in incident.issue.into_iter().chain(merged) {
            resolve_issue(connection, principal, issue, now).await?;
        }
    }
    of(connection, principal, &id).await.map(Performed::Done)
}

/// After the incident, which would end with it: then whoever resolved it would be nobody.
async fn resolve_issue(
    connection: &mut Connection,
    principal: &Principal,
    issue: IssueId,
    now: DateTime<Utc>,
) -> Result<(), ApiError> {
    let issue = issues::get(connection, &principal.visible(), issue).await?;
    let Some(issue) = issue.filter(|issue| issue.status == IssueStatus::Unresolved) else { return Ok(()) };
    let change = IssueChange { status: Some(IssueStatus::Resolved), ..IssueChange::default() };
    issue_change::apply(connection, principal, &issue, &change, now).await?;
    Ok(())
}
