//! On-call: how people are reached, who is on call, how it escalates, and incidents.

mod acting;
pub(super) mod alert_sources;
pub(super) mod alerts;
mod answer_page;
pub(super) mod answers;
mod bookings;
pub(super) mod contact_methods;
pub(super) mod escalation_policies;
pub(super) mod feeds;
pub(super) mod handoff_notices;
pub(super) mod import;
pub(super) mod incident_actions;
pub(super) mod incident_create;
pub(super) mod incident_merge;
pub(super) mod incidents;
pub(super) mod inhibition_rules;
pub(super) mod metrics;
pub(super) mod notification_rules;
pub(super) mod overrides;
pub(super) mod quiet_hours;
mod replying;
pub(super) mod response_times;
pub(super) mod routing_rules;
pub(super) mod schedules;
pub(super) mod silences;
pub(super) mod slack;
pub(super) mod subscriptions;
mod swap_mails;
pub(super) mod swaps;
pub(super) mod twilio;
pub(super) mod web_push;

use super::named;
use crate::ApiError;
use crate::access::Principal;
use bugle_model::{TeamId, UserId};
use bugle_schedule::EscalationTarget;
use bugle_store::oncall::{self, MAX_OF_TEAM, OfTeam};
use bugle_store::{Connection, StoreError};
use bugle_web::{Code, FieldError, Problem};

/// Longest name of a schedule, policy, alert source, inhibition rule or contact method, in characters.
const MAX_NAME: usize = 64;

/// A name, trimmed.
fn name(text: &str) -> Result<String, FieldError> {
    let text = text.trim();
    if (1..=MAX_NAME).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    Err(FieldError::new("name", format!("expected 1 to {MAX_NAME} characters, without line breaks")))
}

/// The team of something new, which must have one.
async fn team(
    connection: &mut Connection,
    principal: &Principal,
    given: Option<TeamId>,
) -> Result<TeamId, ApiError> {
    let team = named::team_for_new(connection, principal, given).await?;
    team.ok_or_else(|| Problem::invalid_field("team", "say which team it belongs to").into())
}

/// 409 when the team has as many of these as it may.
async fn room(connection: &mut Connection, team: TeamId, what: OfTeam) -> Result<(), ApiError> {
    if oncall::has_room(connection, team, what).await? {
        return Ok(());
    }
    let name = match what {
        OfTeam::Schedules => "schedules",
        OfTeam::Policies => "escalation policies",
        OfTeam::RoutingRules => "routing rules",
        OfTeam::AlertSources => "alert sources",
        OfTeam::InhibitionRules => "inhibition rules",
    };
    Err(full(name))
}

/// The error of writing down something that may have the name of another one of the team: 409 then.
fn name_taken(error: StoreError, what: &str) -> ApiError {
    if error.unique_violation().is_none() {
        return error.into();
    }
    Problem::with_detail(Code::Conflict, format!("the team has {what} of this name")).into()
}

/// Of something that goes by a policy and may be about a project, one of which is not the team's.
fn not_the_teams() -> Problem {
    Problem::invalid_field("policy", "the team has no such policy, or `project` is none of its projects")
}

fn full(name: &str) -> ApiError {
    let detail = format!("the team has {MAX_OF_TEAM} {name} already, which is the limit");
    Problem::with_detail(Code::Conflict, detail).into()
}

/// Refuses people who are shut out or not in the team, by the field that names each: they would be paged without being asked, and
/// told what they may not see.
async fn only_of_team(
    connection: &mut Connection,
    team: TeamId,
    people: Vec<(String, UserId)>,
) -> Result<(), ApiError> {
    let targets: Vec<_> = people.iter().map(|(_, user)| EscalationTarget::Person { user: *user }).collect();
    let unknown = oncall::unknown_targets(connection, team, &targets).await?;
    let strangers =
        people.into_iter().filter(|(_, user)| unknown.contains(&EscalationTarget::Person { user: *user }));
    named::refuse(strangers.map(|(field, user)| FieldError::new(field, nobody_in_team(user))).collect())
}

fn nobody_in_team(user: UserId) -> String {
    format!("there is nobody with the id {user} in the team")
}
