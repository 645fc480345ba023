//! `/api/v1/account/availability`, and the same of a member of a team: whether somebody is given issues by themselves, and how many.

use super::named;
use crate::access::Principal;
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_model::{Availability, TeamId, UserId};
use bugle_store::audit::{self, Target};
use bugle_store::{Connection, Transactions, ownership, teams};
use bugle_web::{FieldError, JsonBody};
use chrono::{DateTime, Utc};
use serde_json::json;

/// `GET /api/v1/account/availability`
pub(super) async fn get(principal: Principal, state: Data<State>) -> Result<Json<Availability>, ApiError> {
    let user = principal.session()?.active.user.id;
    let mut connection = state.store.conn().await?;
    let availability = ownership::availability(&mut connection, user).await?;
    Ok(Json(availability.at(state.clock.now())))
}

/// `PUT /api/v1/account/availability`
pub(super) async fn set(
    principal: Principal,
    state: Data<State>,
    JsonBody(body): JsonBody<Availability>,
) -> Result<Json<Availability>, ApiError> {
    let user = &principal.session()?.active.user;
    let now = state.clock.now();
    named::refuse(mistakes(&body, now))?;
    let mut connection = state.store.conn().await?;
    change(&mut connection, &principal, (user.id, &user.name), None, &body, now).await?;
    Ok(Json(body))
}

/// `PUT /api/v1/teams/{id}/members/{user_id}/availability`
pub(super) async fn set_of_member(
    principal: Principal,
    state: Data<State>,
    path: Path<(String, String)>,
    JsonBody(body): JsonBody<Availability>,
) -> Result<Json<Availability>, ApiError> {
    let (id, user) = path.into_inner();
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let team = named::team(&mut connection, &principal, &id).await?;
    let all = teams::members(&mut connection, team.id).await?;
    let member = all.into_iter().find(|one| user.parse() == Ok(one.id));
    let member = member.ok_or_else(|| named::missing("user", &user))?;
    named::refuse(mistakes(&body, now))?;
    change(&mut connection, &principal, (member.id, &member.name), Some(team.id), &body, now).await?;
    Ok(Json(body))
}

async fn change(
    connection: &mut Connection,
    principal: &Principal,
    (user, name): (UserId, &str),
    team: Option<TeamId>,
    new: &Availability,
    now: DateTime<Utc>,
) -> Result<(), ApiError> {
    connection
        .transaction(async |connection| {
            let before = ownership::availability(connection, user).await?;
            ownership::set_availability(connection, user, new).await?;
            let target = Target::new("user", user, name);
            let (before, after) = (Some(json!(before)), Some(json!(new)));
            let entry = principal.changed("availability.changed", target, team, before, after);
            Ok::<_, ApiError>(audit::add(connection, &entry, now).await?)
        })
        .await?;
    Ok(())
}

fn mistakes(given: &Availability, now: DateTime<Utc>) -> Vec<FieldError> {
    let mut found = Vec::new();
    if let Some(until) = given.away_until {
        if given.available {
            found.push(FieldError::new("away_until", "goes with `available` false only"));
        } else if until <= now {
            found.push(FieldError::new("away_until", "has to be in the future"));
        }
    }
    let most = Availability::MAX_OPEN_ISSUES;
    if given.max_open_issues.is_some_and(|limit| !(1..=most).contains(&limit)) {
        found.push(FieldError::new("max_open_issues", format!("1 to {most}, or null for no limit")));
    }
    found
}
