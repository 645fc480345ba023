//! `POST /api/v1/incidents`: an incident that somebody opens by hand.

use super::super::named;
use super::incidents::of;
use super::team;
use crate::access::Principal;
use crate::openapi::Created;
use crate::{ApiError, State};
use actix_web::web::Data;
use bugle_model::{Alert, AlertLink, EscalationPolicyId, Priority, ProjectId, TeamId};
use bugle_store::audit::{self, Target};
use bugle_store::oncall::{self, Incident, NewIncident};
use bugle_store::{Connection, Transactions};
use bugle_web::{FieldError, JsonBody, Problem};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

/// What an incident is to be.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewIncident")]
pub(in super::super) struct Body {
    /// A line that says what is wrong, 1 to 256 characters.
    title: String,
    /// How urgent it is.
    priority: Priority,
    /// The policy by which it escalates, of the project's or given team.
    policy: EscalationPolicyId,
    /// The project that it is about.
    project: Option<ProjectId>,
    /// The team that it is for, when it is about no project; may be left out by whoever is in one team.
    team: Option<TeamId>,
    /// More of it, up to 10,000 characters.
    message: Option<String>,
    /// Places that have more to say, 10 at most.
    #[serde(default)]
    links: Vec<AlertLink>,
}

/// `POST /api/v1/incidents`
pub(in super::super) async fn create(
    principal: Principal,
    state: Data<State>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Created<Incident>, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let team = team_of(&mut connection, &principal, &body).await?;
    let new = checked(body, team)?;
    let made = connection
        .transaction(async |connection| {
            let made = oncall::open_by_hand(connection, &new, &principal.actor.name, now).await?;
            let made = made.ok_or_else(|| Problem::invalid_field("policy", "the team has no such policy"))?;
            let target = Target::new("incident", made, &new.title);
            let after =
                Some(json!({ "priority": new.priority, "policy": new.policy, "project": new.project }));
            let entry = principal.changed("incident.opened", target, Some(team), None, after);
            audit::add(connection, &entry, now).await?;
            of(connection, &principal, &made.to_string()).await
        })
        .await?;
    Ok(Created::of(made))
}

/// The project's team, or the one that is given.
async fn team_of(
    connection: &mut Connection,
    principal: &Principal,
    body: &Body,
) -> Result<TeamId, ApiError> {
    let Some(project) = body.project else { return team(connection, principal, body.team).await };
    let project = named::project_parameter(connection, principal, &project.to_string()).await?;
    let team = project.team.ok_or_else(|| Problem::invalid_field("project", "has no team to page"))?;
    if body.team.is_some_and(|given| given != team) {
        return Err(Problem::invalid_field("team", "is not the project's").into());
    }
    Ok(team)
}

/// The limits are those of an alert.
fn checked(body: Body, team: TeamId) -> Result<NewIncident, ApiError> {
    let Body { title, priority, policy, project, message, links, .. } = body;
    let title = title.trim().to_owned();
    let message = message.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let alert = Alert { key: "-".to_owned(), title, message, links, ..Alert::default() };
    let wrong = alert.mistakes().into_iter().map(|(field, message)| FieldError::new(field, message));
    named::refuse(wrong.collect())?;
    let Alert { title, message, links, .. } = alert;
    Ok(NewIncident { team, project, policy, title, message, priority, links })
}
