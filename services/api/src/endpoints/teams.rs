//! `/api/v1/teams`: those that one is in, and for admins all of them.

use super::named;
use crate::access::Principal;
use crate::accounts::fields;
use crate::openapi::{Created, NoContent};
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_store::audit::{self, Target};
use bugle_store::teams::{self, Team};
use bugle_store::{Scope, StoreError, Transactions};
use bugle_web::{Code, JsonBody, Page, Problem};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

/// `GET …/teams`
pub(super) async fn list(principal: Principal, state: Data<State>) -> Result<Json<Page<Team>>, ApiError> {
    let mut connection = state.store.conn().await?;
    Ok(Json(Page::whole(teams::list(&mut connection, &principal.visible()).await?)))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    name: String,
}

impl Body {
    fn name(&self) -> Result<String, Problem> {
        fields::team_name(&self.name).map_err(|error| Problem::invalid(vec![error]))
    }
}

/// `POST …/teams`
pub(super) async fn create(
    principal: Principal,
    state: Data<State>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Created<Team>, ApiError> {
    let (name, now) = (body.name()?, state.clock.now());
    let mut connection = state.store.conn().await?;
    let made = connection
        .transaction(async |connection| {
            let id = teams::create(connection, &name, now).await?;
            let target = Target::new("team", id, &name);
            let entry =
                principal.changed("team.created", target, Some(id), None, Some(json!({ "name": name })));
            audit::add(connection, &entry, now).await?;
            let made = teams::get(connection, &Scope::All, id).await?;
            made.ok_or_else(|| ApiError::from(named::missing("team", &name)))
        })
        .await?;
    Ok(Created::of(made))
}

/// `GET …/teams/{id}`
pub(super) async fn get(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<Json<Team>, ApiError> {
    let mut connection = state.store.conn().await?;
    Ok(Json(named::team(&mut connection, &principal, &id).await?))
}

/// `PATCH …/teams/{id}`
pub(super) async fn change(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Json<Team>, ApiError> {
    let (name, now) = (body.name()?, state.clock.now());
    let mut connection = state.store.conn().await?;
    let team = named::team(&mut connection, &principal, &id).await?;
    let changed = connection
        .transaction(async |connection| {
            teams::rename(connection, team.id, &name).await?;
            let (before, after) = (json!({ "name": team.name }), json!({ "name": name }));
            let target = Target::new("team", team.id, &name);
            let entry = principal.changed("team.updated", target, Some(team.id), Some(before), Some(after));
            audit::add(connection, &entry, now).await?;
            named::team(connection, &principal, &id).await
        })
        .await?;
    Ok(Json(changed))
}

/// `DELETE …/teams/{id}`: 409 while it has projects.
pub(super) async fn remove(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<NoContent, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let team = named::team(&mut connection, &principal, &id).await?;
    connection
        .transaction(async |connection| {
            teams::delete(connection, team.id).await.map_err(in_use)?;
            let before = json!({ "name": team.name, "members": team.members });
            let target = Target::new("team", team.id, &team.name);
            let entry = principal.changed("team.deleted", target, Some(team.id), Some(before), None);
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(())
        })
        .await?;
    Ok(NoContent::new())
}

fn in_use(error: StoreError) -> ApiError {
    if error.is_missing_reference() {
        let detail = "the team has projects; give them to another team or delete them first";
        return Problem::with_detail(Code::Conflict, detail).into();
    }
    error.into()
}
