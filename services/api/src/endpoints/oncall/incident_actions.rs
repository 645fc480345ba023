//! `POST /api/v1/incidents/{id}/…`: what one does with an incident. Each answers with the incident as it is then. What does not apply is
//! 409 and says where the incident stands; doing what is done already is no mistake.

use super::super::named;
use super::acting::{Action, Performed, perform};
use super::incidents::of;
use crate::access::Principal;
use crate::openapi::Created;
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_model::{TeamId, UserId};
use bugle_store::audit::{self, Target};
use bugle_store::oncall::{self, Incident, TimelineEntry};
use bugle_store::{Connection, Scope, Transactions, users};
use bugle_web::{Code, JsonBody, Problem};
use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::Deserialize;

/// The longest snooze, in minutes: a week.
const MAX_SNOOZE: u32 = 7 * 24 * 60;
/// The longest note, in characters.
const MAX_NOTE: usize = 10_000;

/// Does something with the incident of a path, and gives it as it is then.
async fn act(
    principal: &Principal,
    state: &State,
    id: &str,
    action: Action<'_>,
) -> Result<Json<Incident>, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let incident = of(&mut connection, principal, id).await?;
    let performed = connection
        .transaction(async |connection| perform(connection, principal, &incident, &action, None, now).await)
        .await?;
    match performed {
        Performed::Done(incident) | Performed::Before(incident) => Ok(Json(incident)),
        Performed::Refused(incident) => {
            let detail = format!("the incident is {}", incident.state);
            Err(Problem::with_detail(Code::Conflict, detail).into())
        }
    }
}

/// `POST …/acknowledge`
pub(in super::super) async fn acknowledge(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<Json<Incident>, ApiError> {
    act(&principal, &state, &id, Action::Acknowledge).await
}

/// `POST …/unacknowledge`
pub(in super::super) async fn unacknowledge(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<Json<Incident>, ApiError> {
    act(&principal, &state, &id, Action::Unacknowledge).await
}

/// `POST …/resolve`: the incident, and the issue that it is about. What comes of the issue later is another incident.
pub(in super::super) async fn resolve(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<Json<Incident>, ApiError> {
    act(&principal, &state, &id, Action::Resolve).await
}

/// `POST …/escalate`: the next step at once.
pub(in super::super) async fn escalate(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<Json<Incident>, ApiError> {
    act(&principal, &state, &id, Action::Escalate).await
}

/// For how long nobody wants to hear of it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Snooze")]
pub(in super::super) struct Snooze {
    /// 1 to 10080: a week.
    minutes: u32,
}

/// `POST …/snooze` with `minutes`.
pub(in super::super) async fn snooze(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
    JsonBody(Snooze { minutes }): JsonBody<Snooze>,
) -> Result<Json<Incident>, ApiError> {
    if !(1..=MAX_SNOOZE).contains(&minutes) {
        return Err(Problem::invalid_field("minutes", format!("1 to {MAX_SNOOZE}")).into());
    }
    act(&principal, &state, &id, Action::Snooze(TimeDelta::minutes(minutes.into()))).await
}

/// Whom an incident is given to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Reassignment")]
pub(in super::super) struct Reassignment {
    /// Somebody of the team.
    user: UserId,
}

/// `POST …/reassign` with `user`, who is paged at once.
pub(in super::super) async fn reassign(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
    JsonBody(Reassignment { user }): JsonBody<Reassignment>,
) -> Result<Json<Incident>, ApiError> {
    let mut connection = state.store.conn().await?;
    let incident = of(&mut connection, &principal, &id).await?;
    let name = name_in_team(&mut connection, incident.team, user).await?;
    drop(connection);
    act(&principal, &state, &id, Action::Reassign(user, &name)).await
}

/// Who is asked to help.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewResponder")]
pub(in super::super) struct NewResponder {
    /// Somebody of the team.
    user: UserId,
}

/// `POST …/responders` with `user`, who is paged at once, whether or not somebody has answered; the policy goes on as if they had not been.
pub(in super::super) async fn add_responder(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
    JsonBody(NewResponder { user }): JsonBody<NewResponder>,
) -> Result<Json<Incident>, ApiError> {
    let mut connection = state.store.conn().await?;
    let incident = of(&mut connection, &principal, &id).await?;
    let name = name_in_team(&mut connection, incident.team, user).await?;
    drop(connection);
    act(&principal, &state, &id, Action::AddResponder(user, &name)).await
}

/// The name of somebody of a team who is not shut out.
async fn name_in_team(
    connection: &mut Connection,
    team: Option<TeamId>,
    user: UserId,
) -> Result<String, ApiError> {
    let found = users::get(connection, &Scope::All, user).await?;
    let found = found.filter(|found| {
        !found.disabled && team.is_some_and(|team| found.teams.iter().any(|one| one.id == team))
    });
    let found = found.ok_or_else(|| {
        Problem::invalid_field("user", format!("there is nobody with the id {user} in the project's team"))
    })?;
    Ok(found.name)
}

/// Something to be written down.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "IncidentNote")]
pub(in super::super) struct Note {
    /// Up to 10,000 characters.
    text: String,
}

/// `POST …/notes` with `text`: 201 with the entry of the timeline.
pub(in super::super) async fn note(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
    JsonBody(Note { text }): JsonBody<Note>,
) -> Result<Created<TimelineEntry>, ApiError> {
    let text = text.trim();
    if !(1..=MAX_NOTE).contains(&text.chars().count()) {
        return Err(Problem::invalid_field("text", format!("1 to {MAX_NOTE} characters")).into());
    }
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let incident = of(&mut connection, &principal, &id).await?;
    let written = connection
        .transaction(async |connection| {
            let written = oncall::note(connection, incident.id, text, &principal.actor.name, now).await?;
            let written = written.ok_or_else(|| named::missing("incident", &id))?;
            let target =
                Target::new("incident", incident.id, incident.short_id.as_deref().unwrap_or(&incident.title));
            // The text itself is on the timeline.
            let entry = principal.did("incident.noted", target, incident.team);
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(written)
        })
        .await?;
    Ok(Created::of(written))
}
