//! `/api/v1/account/availability`, and the same of a member of a team: whether somebody is given issues by themselves, and how many.

use super::named;
use crate::access::Principal;
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_model::{Availability, InstallationRole, TeamId, UserId};
use bugle_store::audit::{self, Target};
use bugle_store::users::{self, User};
use bugle_store::{Connection, Scope, Transactions, ownership, teams};
use bugle_web::{Code, FieldError, JsonBody, Problem};
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
    change(&mut connection, &principal, (user.id, &user.name), &[None], &body, now).await?;
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
    let person = users::get(&mut connection, &Scope::All, member.id).await?;
    let person = person.ok_or_else(|| named::missing("user", &user))?;
    allowed(&principal, &person)?;
    named::refuse(mistakes(&body, now))?;
    // It counts in all of their teams: an entry for the managers of each.
    let teams: Vec<_> = person.teams.iter().map(|team| Some(team.id)).collect();
    change(&mut connection, &principal, (person.id, &person.name), &teams, &body, now).await?;
    Ok(Json(body))
}

/// Whoever manages a team only changes nothing of those who run the installation.
fn allowed(principal: &Principal, person: &User) -> Result<(), Problem> {
    if person.role >= InstallationRole::Admin && !principal.is_admin() {
        let detail = "only admins and owners of the installation change the availability of one of them";
        return Err(Problem::with_detail(Code::Forbidden, detail));
    }
    Ok(())
}

/// Changes it, with an entry in the audit log for each of these teams.
async fn change(
    connection: &mut Connection,
    principal: &Principal,
    (user, name): (UserId, &str),
    teams: &[Option<TeamId>],
    new: &Availability,
    now: DateTime<Utc>,
) -> Result<(), ApiError> {
    connection
        .transaction(async |connection| {
            let before = ownership::availability(connection, user).await?;
            ownership::set_availability(connection, user, new).await?;
            let target = Target::new("user", user, name);
            let (before, after) = (Some(json!(before)), Some(json!(new)));
            let mut entry = principal.changed("availability.changed", target, None, before, after);
            for team in teams {
                entry.team = *team;
                audit::add(connection, &entry, now).await?;
            }
            Ok::<_, ApiError>(())
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
