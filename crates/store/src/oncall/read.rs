//! Incidents as people see them.

use super::responders::Responder;
use crate::row::{self, JsonRow};
use crate::{Connection, Scope, StoreError, statement};
use bugle_model::{
    AlertLink, AlertSourceId, Channel, DeliveryStatus, DestinationId, EscalationPolicyId, IncidentEvent,
    IncidentId, IncidentOrigin, IncidentState, IssueId, NotificationId, NotificationState, Priority,
    ProjectId, SilenceId, TeamId, UserId,
};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Int4, Int8, Nullable, SmallInt};
use diesel_async::RunQueryDsl;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// An incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Incident {
    /// Its id; newer ones have higher ones.
    pub id: IncidentId,
    /// Its project; none when it is about none.
    pub project: Option<ProjectId>,
    /// The team of the project, or else the one that it is for.
    pub team: Option<TeamId>,
    /// Where it comes from.
    pub origin: IncidentOrigin,
    /// The alert source; none when no alert opened it, or the source was removed.
    pub source: Option<AlertSourceId>,
    /// What makes its alert the same one.
    pub key: Option<String>,
    /// The name of the source or person that opened it; none of an issue's.
    pub opened_by: Option<String>,
    /// The issue; none when it was deleted, or there was none.
    pub issue: Option<IssueId>,
    /// What people call the issue: `SHOP-42`.
    pub short_id: Option<String>,
    /// The title of the issue or alert when it was opened.
    pub title: String,
    /// More of it, from an alert or a person.
    pub message: Option<String>,
    /// The labels of its alert.
    pub labels: BTreeMap<String, String>,
    /// Places that have more to say.
    pub links: Vec<AlertLink>,
    /// How many alerts it has had.
    pub alerts: i32,
    /// Its priority.
    pub priority: Priority,
    /// Where it stands.
    pub state: IncidentState,
    /// Goes up when its policy begins again, it is given to somebody, escalated by hand, or becomes more urgent.
    pub generation: i32,
    /// The policy; none when it was removed.
    pub policy: Option<EscalationPolicyId>,
    /// The policy's version, which it keeps.
    pub policy_version: i32,
    /// The step that comes next, from 1; one more than there are when all are done.
    pub next_step: i32,
    /// How often the policy was repeated.
    pub repeated: i16,
    /// By when somebody has to answer, by the response times of its team; none when there is no such time, or while it is silenced.
    pub respond_by: Option<DateTime<Utc>>,
    /// Triggered: when the next step comes; none when all are done. Acknowledged: when that ends; none when never.
    pub next_at: Option<DateTime<Utc>>,
    /// Whom it was given to.
    pub assigned_user: Option<UserId>,
    /// Who was asked to help, the first first.
    pub responders: Vec<Responder>,
    /// When it was opened.
    pub triggered_at: DateTime<Utc>,
    /// Since when somebody deals with it.
    pub acknowledged_at: Option<DateTime<Utc>>,
    /// Who.
    pub acknowledged_by: Option<String>,
    /// Until when nobody wants to hear of it.
    pub snoozed_until: Option<DateTime<Utc>>,
    /// The silence that keeps it silent: nobody is paged.
    pub silence: Option<SilenceId>,
    /// The open incident that keeps it silent, by an inhibition rule.
    pub inhibited_by: Option<IncidentId>,
    /// Whether its issue or key had too many incidents when it was opened.
    pub flapping: bool,
    /// Until when it is silent; with `inhibited_by`: when it is looked at again.
    pub silenced_until: Option<DateTime<Utc>>,
    /// When it ended.
    pub resolved_at: Option<DateTime<Utc>>,
    /// Who ended it; nobody when it ended with its issue or alert.
    pub resolved_by: Option<String>,
    /// What it became part of, which ended it.
    pub merged_into: Option<IncidentId>,
}

#[derive(Deserialize)]
struct Row {
    id: IncidentId,
    project_id: Option<ProjectId>,
    team_id: Option<TeamId>,
    origin: i16,
    source_id: Option<AlertSourceId>,
    dedup_key: Option<String>,
    opened_by: Option<String>,
    issue_id: Option<IssueId>,
    short_id: Option<String>,
    title: String,
    message: Option<String>,
    labels: BTreeMap<String, String>,
    links: Vec<AlertLink>,
    alerts: i32,
    priority: i16,
    state: i16,
    generation: i32,
    policy_id: Option<EscalationPolicyId>,
    version: i32,
    step: i32,
    pass: i16,
    respond_by: Option<DateTime<Utc>>,
    next_at: Option<DateTime<Utc>>,
    assigned_user_id: Option<UserId>,
    responders: Vec<Responder>,
    triggered_at: DateTime<Utc>,
    acknowledged_at: Option<DateTime<Utc>>,
    acknowledged_by: Option<String>,
    snoozed_until: Option<DateTime<Utc>>,
    silence_id: Option<SilenceId>,
    inhibited_by: Option<IncidentId>,
    flapping: bool,
    silenced_until: Option<DateTime<Utc>>,
    resolved_at: Option<DateTime<Utc>>,
    resolved_by: Option<String>,
    merged_into: Option<IncidentId>,
}

impl Row {
    fn read(self) -> Result<Incident, StoreError> {
        let damaged = |field: &str| StoreError::Damaged(format!("incident {}: {field}", self.id));
        let is_silenced = self.state == IncidentState::Triggered.code() && self.silenced_until.is_some();
        Ok(Incident {
            origin: IncidentOrigin::from_code(self.origin).ok_or_else(|| damaged("origin"))?,
            priority: Priority::from_code(self.priority).ok_or_else(|| damaged("priority"))?,
            state: IncidentState::from_code(self.state).ok_or_else(|| damaged("state"))?,
            id: self.id,
            project: self.project_id,
            team: self.team_id,
            source: self.source_id,
            key: self.dedup_key,
            opened_by: self.opened_by,
            issue: self.issue_id,
            short_id: self.short_id,
            title: self.title,
            message: self.message,
            labels: self.labels,
            links: self.links,
            alerts: self.alerts,
            generation: self.generation,
            policy: self.policy_id,
            policy_version: self.version,
            next_step: self.step + 1,
            repeated: self.pass,
            respond_by: self.respond_by,
            next_at: self.next_at,
            assigned_user: self.assigned_user_id,
            responders: self.responders,
            triggered_at: self.triggered_at,
            acknowledged_at: self.acknowledged_at,
            acknowledged_by: self.acknowledged_by,
            snoozed_until: self.snoozed_until,
            silence: self.silence_id.filter(|_| is_silenced),
            inhibited_by: self.inhibited_by.filter(|_| is_silenced),
            flapping: self.flapping,
            silenced_until: self.silenced_until.filter(|_| is_silenced),
            resolved_at: self.resolved_at,
            resolved_by: self.resolved_by,
            merged_into: self.merged_into,
        })
    }
}

/// Which incidents. Empty fields do not narrow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IncidentFilter {
    /// This one.
    pub id: Option<IncidentId>,
    /// In this state.
    pub state: Option<IncidentState>,
    /// Of this project.
    pub project: Option<ProjectId>,
    /// Of this issue.
    pub issue: Option<IssueId>,
    /// Older than this one: the last of the page before.
    pub before: Option<IncidentId>,
    /// Open ones that paged this person.
    pub paged: Option<UserId>,
}

/// A page of the incidents of a scope, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list_incidents(
    conn: &mut Connection,
    scope: &Scope,
    filter: IncidentFilter,
    limit: i64,
) -> Result<Vec<Incident>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT to_jsonb(n) || jsonb_build_object('team_id', COALESCE(n.team_id, p.team_id), 'short_id', p.prefix || '-' || i.number,
            'policy_id', v.policy_id, 'version', v.version, 'responders', COALESCE((
                SELECT jsonb_agg(jsonb_build_object('user', r.user_id, 'requested_by', r.requested_by, 'requested_at', r.requested_at,
                    'joined_at', r.joined_at) ORDER BY r.requested_at, r.user_id)
                FROM incident_responders r WHERE r.incident_id = n.id), '[]')) AS row
         FROM incidents n LEFT JOIN projects p ON p.id = n.project_id
         JOIN escalation_policy_versions v ON v.id = n.policy_version_id
         LEFT JOIN issues i ON i.id = n.issue_id
         WHERE ($1 IS NULL OR COALESCE(n.team_id, p.team_id) = ANY ($1)) AND ($2 IS NULL OR n.id = $2) AND ($3 IS NULL OR n.state = $3)
            AND ($4 IS NULL OR n.project_id = $4) AND ($5 IS NULL OR n.issue_id = $5) AND ($6 IS NULL OR n.id < $6)
            AND ($8 IS NULL OR (n.state < 3 AND EXISTS (
                SELECT 1 FROM incident_pages g WHERE g.incident_id = n.id AND g.user_id = $8)))
         ORDER BY n.id DESC LIMIT $7",
    )
    .bind::<Nullable<Array<Int4>>, _>(scope.bind())
    .bind::<Nullable<Int8>, _>(filter.id.map(|id| id.0))
    .bind::<Nullable<SmallInt>, _>(filter.state.map(IncidentState::code))
    .bind::<Nullable<Int4>, _>(filter.project.map(|id| id.0))
    .bind::<Nullable<Int8>, _>(filter.issue.map(|id| id.0))
    .bind::<Nullable<Int8>, _>(filter.before.map(|id| id.0))
    .bind::<Int8, _>(limit)
    .bind::<Nullable<Int4>, _>(filter.paged.map(|user| user.0))
    .load(conn)
    .await?;
    row::all::<Row>(rows)?.into_iter().map(Row::read).collect()
}

/// One incident of a scope.
///
/// # Errors
/// When the database fails.
pub async fn get_incident(
    conn: &mut Connection,
    scope: &Scope,
    id: IncidentId,
) -> Result<Option<Incident>, StoreError> {
    let filter = IncidentFilter { id: Some(id), ..IncidentFilter::default() };
    Ok(list_incidents(conn, scope, filter, 1).await?.into_iter().next())
}

/// Something that happened to an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TimelineEntry {
    /// Its id; later ones have higher ones.
    pub id: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// The incident's generation then.
    pub generation: i32,
    /// What.
    pub event: IncidentEvent,
    /// Who did it; nobody when it came by itself.
    pub actor: Option<String>,
    /// The rest of it: whom a step paged, why one was skipped, the text of a note.
    pub data: Value,
}

/// A page of what happened to an incident, the first first: entries after `after`.
///
/// # Errors
/// When the database fails.
pub async fn timeline(
    conn: &mut Connection,
    id: IncidentId,
    after: Option<i64>,
    limit: i64,
) -> Result<Vec<TimelineEntry>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT to_jsonb(l) AS row FROM incident_log l
         WHERE incident_id = $1 AND ($2 IS NULL OR id > $2) ORDER BY id LIMIT $3",
    )
    .bind::<Int8, _>(id.0)
    .bind::<Nullable<Int8>, _>(after)
    .bind::<Int8, _>(limit)
    .load(conn)
    .await?;
    entries(rows)
}

pub(super) fn entries(rows: Vec<JsonRow>) -> Result<Vec<TimelineEntry>, StoreError> {
    #[derive(Deserialize)]
    struct Row {
        id: i64,
        at: DateTime<Utc>,
        generation: i32,
        kind: i16,
        actor: Option<String>,
        data: Value,
    }
    let read = |row: Row| {
        let Row { id, at, generation, kind, actor, data } = row;
        let damaged = || StoreError::Damaged(format!("entry {id} of a timeline"));
        let event = IncidentEvent::from_code(kind).ok_or_else(damaged)?;
        Ok(TimelineEntry { id, at, generation, event, actor, data })
    };
    row::all::<Row>(rows)?.into_iter().map(read).collect()
}

/// A page that an incident sent, or is to send, somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "IncidentNotification")]
pub struct Page {
    /// The notification's id.
    pub id: NotificationId,
    /// The incident's generation that it belongs to.
    pub generation: i32,
    /// The step that caused it, from 1; 0 is the fallback, -1 is that it was given to them, -2 that they were asked to help.
    pub step: i16,
    /// Whom; nobody when it went to a destination, or the account is gone.
    pub user: Option<UserId>,
    /// The destination of a project that it was posted to; none of somebody's own page.
    pub destination: Option<DestinationId>,
    /// How it travels.
    pub channel: Channel,
    /// Where it stands.
    pub state: NotificationState,
    /// When it was, or is, due.
    pub due_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// How often it was tried.
    pub attempts: i32,
    /// What the provider says became of it since; none as long as it says nothing. Of SMS and calls.
    pub delivery: Option<DeliveryStatus>,
    /// Why it did not succeed (yet), or was cancelled.
    pub error: Option<String>,
}

/// The pages of an incident, the first first; `limit` at most.
///
/// # Errors
/// When the database fails.
pub async fn pages_of(conn: &mut Connection, id: IncidentId, limit: i64) -> Result<Vec<Page>, StoreError> {
    #[derive(Deserialize)]
    struct Row {
        id: NotificationId,
        generation: i32,
        step: i16,
        user_id: Option<UserId>,
        posted_to: Option<DestinationId>,
        channel: i16,
        state: i16,
        due_at: DateTime<Utc>,
        finished_at: Option<DateTime<Utc>>,
        attempts: i32,
        delivery: Option<i16>,
        error: Option<String>,
    }
    let rows: Vec<JsonRow> = statement(
        "SELECT jsonb_build_object('id', n.id, 'generation', g.generation, 'step', g.step, 'user_id', g.user_id,
            'posted_to', CASE WHEN d.project_id IS NOT NULL THEN d.id END, 'channel', d.channel,
            'state', n.state, 'due_at', COALESCE(n.next_at, n.received_at), 'finished_at', n.finished_at, 'attempts', n.attempts,
            'delivery', n.delivery, 'error', n.error) AS row
         FROM incident_pages g JOIN notifications n ON n.id = g.notification_id
         JOIN destinations d ON d.id = n.destination_id
         WHERE g.incident_id = $1 ORDER BY n.created_at, COALESCE(n.next_at, n.received_at), n.id LIMIT $2",
    )
    .bind::<Int8, _>(id.0)
    .bind::<Int8, _>(limit)
    .load(conn)
    .await?;
    let read = |row: Row| {
        let damaged = || StoreError::Damaged(format!("page {}", row.id));
        Ok(Page {
            id: row.id,
            generation: row.generation,
            step: row.step + 1,
            user: row.user_id,
            destination: row.posted_to,
            channel: Channel::from_code(row.channel).ok_or_else(damaged)?,
            state: NotificationState::from_code(row.state).ok_or_else(damaged)?,
            due_at: row.due_at,
            finished_at: row.finished_at,
            attempts: row.attempts,
            delivery: row.delivery.and_then(DeliveryStatus::from_code),
            error: row.error,
        })
    };
    row::all::<Row>(rows)?.into_iter().map(read).collect()
}
