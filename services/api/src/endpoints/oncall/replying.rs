//! Answers from where a page is read, by whoever has proven that a number or a Slack id is theirs: only what they may do at that
//! moment.

use super::acting::{Action, Performed, perform};
use super::answer_page;
use super::answers::{applies, name_of};
use super::incidents::of;
use crate::ApiError;
use crate::access::{Need, Principal};
use bugle_model::{Channel, IncidentAnswer, IncidentId, IncidentState, UserId};
use bugle_store::oncall::{self, Incident, IncidentFilter, ReplyOwner};
use bugle_store::{Connection, Scope, users};
use bugle_web::Code;
use chrono::{DateTime, Utc};

/// Open incidents that are looked at, and named, when it is not said which is meant.
const MOST: i64 = 20;
const NAMED: usize = 5;

/// Somebody who may answer incidents.
pub(super) struct Answerer {
    user: UserId,
    principal: Principal,
}

/// What somebody asks for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    /// What is to be done.
    pub(super) answer: IncidentAnswer,
    /// With which incident; without one it is the only one that has paged them.
    pub(super) incident: Option<IncidentId>,
    /// The generation that they see: what they escalate must not have been escalated since.
    pub(super) generation: Option<i32>,
}

/// What somebody is told.
pub(super) struct Reply {
    /// In a line or two; empty: nothing.
    pub(super) text: String,
    /// They asked for something that there is.
    pub(super) understood: bool,
    /// It was done.
    pub(super) done: bool,
}

impl Reply {
    /// An answer to what nothing can be made of.
    pub(super) fn of(text: impl Into<String>) -> Self {
        Self { text: text.into(), understood: false, done: false }
    }

    /// An answer to what needs nothing done.
    pub(super) fn to(text: impl Into<String>) -> Self {
        Self { text: text.into(), understood: true, done: false }
    }
}

/// Those of them who may answer incidents at all.
pub(super) async fn answerers(
    connection: &mut Connection,
    owners: &[ReplyOwner],
    address: &str,
) -> Result<Vec<Answerer>, ApiError> {
    let mut found: Vec<Answerer> = Vec::new();
    for owner in owners {
        let Some(user) = users::get(connection, &Scope::All, owner.user).await? else { continue };
        if found.iter().any(|one| one.user == user.id) {
            continue;
        }
        if let Ok(principal) = Principal::of_person(&user, address.to_owned(), Need::TRIAGE) {
            found.push(Answerer { user: user.id, principal });
        }
    }
    Ok(found)
}

/// Does what somebody asks for, and tells them what came of it. Of several who share a phone it is the first who may. Belongs into a
/// transaction.
pub(super) async fn answer(
    connection: &mut Connection,
    people: &[Answerer],
    asked: Asked,
    channel: Channel,
    now: DateTime<Utc>,
) -> Result<Reply, ApiError> {
    let meant = match asked.incident {
        _ if people.is_empty() => return Ok(Reply::of("You may not answer incidents (any more).")),
        Some(id) => named(connection, people, id).await?,
        None => only_one(connection, people, asked.answer).await?,
    };
    let (who, incident) = match meant {
        Meant::This(who, incident) => (who, incident),
        Meant::None(reply) => return Ok(reply),
    };
    let is_past = asked.generation.is_some_and(|seen| seen != incident.generation);
    if is_past && asked.answer == IncidentAnswer::Escalate {
        return Ok(Reply::to(format!("{} has moved on since. {}", name_of(&incident), stands(&incident))));
    }
    let action = Action::from(asked.answer);
    let performed = perform(connection, &who.principal, &incident, &action, Some(channel), now).await?;
    Ok(match performed {
        Performed::Done(incident) => {
            let text = format!("{}.", answer_page::done(asked.answer, &name_of(&incident)));
            Reply { text, understood: true, done: true }
        }
        Performed::Before(incident) | Performed::Refused(incident) => Reply::to(stands(&incident)),
    })
}

/// Which incident is meant, and who of them answers it.
enum Meant<'a> {
    This(&'a Answerer, Box<Incident>),
    None(Reply),
}

async fn named<'a>(
    connection: &mut Connection,
    people: &'a [Answerer],
    id: IncidentId,
) -> Result<Meant<'a>, ApiError> {
    // Of two who answer at once the second sees what the first has done.
    oncall::lock_incident(connection, id).await?;
    for who in people {
        match of(connection, &who.principal, &id.to_string()).await {
            Ok(incident) => return Ok(Meant::This(who, Box::new(incident))),
            Err(ApiError::Problem(problem)) if matches!(problem.code, Code::Forbidden | Code::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    // The same for what is not there and for what is others'.
    Ok(Meant::None(Reply::of(format!("There is no incident {id} that you may answer."))))
}

/// The only open one that has paged them and to which this applies.
async fn only_one<'a>(
    connection: &mut Connection,
    people: &'a [Answerer],
    answer: IncidentAnswer,
) -> Result<Meant<'a>, ApiError> {
    for who in people {
        let filter = IncidentFilter { paged: Some(who.user), ..IncidentFilter::default() };
        let open = oncall::list_incidents(connection, &who.principal.scope(), filter, MOST).await?;
        if open.is_empty() {
            continue;
        }
        let fitting: Vec<&Incident> = open.iter().filter(|one| applies(answer, one.state)).collect();
        // When it applies to none, the only one says why.
        let meant = if fitting.is_empty() { open.iter().collect() } else { fitting };
        return Ok(match meant.as_slice() {
            [only] => Meant::This(who, Box::new(Incident::clone(only))),
            several if several.iter().any(|one| applies(answer, one.state)) => {
                Meant::None(Reply::to(which(several)))
            }
            several => {
                let text = format!("All of your {} open incidents are acknowledged already.", several.len());
                Meant::None(Reply::to(text))
            }
        });
    }
    Ok(Meant::None(Reply::of("No open incident has paged you.")))
}

/// Asks which of several is meant.
fn which(several: &[&Incident]) -> String {
    let shown = several.iter().take(NAMED);
    let names: Vec<String> = shown.map(|one| format!("{} ({})", one.id, name_of(one))).collect();
    let more = if several.len() > NAMED { ", and others" } else { "" };
    format!(
        "Say which, as in \"ack {}\": {}{more}.",
        several.first().map_or(IncidentId(0), |one| one.id),
        names.join(", ")
    )
}

/// Why nothing was done.
fn stands(incident: &Incident) -> String {
    let name = name_of(incident);
    let by = |who: &Option<String>| {
        let who = who.as_deref().map(|name| name.chars().take(64).collect::<String>());
        who.map(|who| format!(" by {who}")).unwrap_or_default()
    };
    match incident.state {
        IncidentState::Triggered => format!("{name} is triggered."),
        IncidentState::Acknowledged => {
            format!("{name} was acknowledged already{}.", by(&incident.acknowledged_by))
        }
        IncidentState::Resolved => format!("{name} was resolved already{}.", by(&incident.resolved_by)),
    }
}
