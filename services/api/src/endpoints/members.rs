//! `/api/v1/teams/{id}/members`: who is in a team, and as what.

use super::named;
use crate::access::Principal;
use crate::openapi::NoContent;
use crate::requests::version::refuse_to_make;
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path};
use bugle_model::{TeamRole, UserId};
use bugle_store::audit::{self, Target};
use bugle_store::teams::{self, Member, Team};
use bugle_store::{Connection, Transactions, oncall, users};
use bugle_web::{JsonBody, Page};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

/// `GET …/members`
pub(super) async fn list(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<Json<Page<Member>>, ApiError> {
    let mut connection = state.store.conn().await?;
    let team = named::team(&mut connection, &principal, &id).await?;
    Ok(Json(Page::whole(teams::members(&mut connection, team.id).await?)))
}

/// `GET …/members/{user_id}`
pub(super) async fn get(
    principal: Principal,
    state: Data<State>,
    path: Path<(String, String)>,
) -> Result<Json<Member>, ApiError> {
    let (id, user) = path.into_inner();
    let mut connection = state.store.conn().await?;
    let (_, member) = find(&mut connection, &principal, &id, &user).await?;
    Ok(Json(member))
}

/// The team in the path, and who is named in it.
async fn find(
    connection: &mut Connection,
    principal: &Principal,
    id: &str,
    user: &str,
) -> Result<(Team, Member), ApiError> {
    let team = named::team(connection, principal, id).await?;
    let all = teams::members(connection, team.id).await?;
    let member = all.into_iter().find(|one| user.parse() == Ok(one.id));
    Ok((team, member.ok_or_else(|| named::missing("user", user))?))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    role: TeamRole,
}

/// `PUT …/members/{user_id}`: puts somebody in, or changes their role.
pub(super) async fn put(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
    path: Path<(String, String)>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Json<Member>, ApiError> {
    let (id, user) = path.into_inner();
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let team = named::team(&mut connection, &principal, &id).await?;
    let number: UserId = user.parse().map_err(|_| named::missing("user", &user))?;
    let found = users::get(&mut connection, &principal.visible(), number).await?;
    let found = found.ok_or_else(|| named::missing("user", &user))?;
    let before = found.teams.iter().find(|one| one.id == team.id).map(|one| json!({ "role": one.role }));
    if before.is_none() {
        refuse_to_make(&request)?;
    }
    connection
        .transaction(async |connection| {
            teams::put_member(connection, team.id, found.id, body.role, now).await?;
            let action = if before.is_some() { "member.updated" } else { "member.added" };
            let target = Target::new("user", found.id, &found.name);
            let after = json!({ "role": body.role, "team": team.name });
            let entry = principal.changed(action, target, Some(team.id), before.clone(), Some(after));
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(())
        })
        .await?;
    let (id, disabled) = (found.id, found.disabled);
    Ok(Json(Member { id, name: found.name, email: found.email, role: body.role, disabled }))
}

/// `DELETE …/members/{user_id}`
pub(super) async fn remove(
    principal: Principal,
    state: Data<State>,
    path: Path<(String, String)>,
) -> Result<NoContent, ApiError> {
    let (id, user) = path.into_inner();
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let (team, member) = find(&mut connection, &principal, &id, &user).await?;
    connection
        .transaction(async |connection| {
            teams::remove_member(connection, team.id, member.id).await?;
            oncall::stop_paging(connection, team.id, member.id, now).await?;
            let target = Target::new("user", member.id, &member.name);
            let before = json!({ "role": member.role, "team": team.name });
            let entry = principal.changed("member.removed", target, Some(team.id), Some(before), None);
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(())
        })
        .await?;
    Ok(NoContent::new())
}
