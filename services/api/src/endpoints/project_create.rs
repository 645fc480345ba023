//! `POST /api/v1/projects` with `name` and `team`: 201 with the project, its first key and its DSN.

use super::named;
use crate::access::Principal;
use crate::openapi::Created;
use crate::projects::{self, NewProject};
use crate::{ApiError, State};
use actix_web::web::Data;
use bugle_model::TeamId;
use bugle_store::Transactions;
use bugle_store::audit::{self, Target};
use bugle_web::JsonBody;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    name: String,
    /// May be left out by whoever manages a single team, and by admins: it then belongs to none.
    team: Option<TeamId>,
}

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Created<NewProject>, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let team = named::team_for_new(&mut connection, &principal, body.team).await?;
    let made = connection
        .transaction(async |connection| {
            let made = projects::create(connection, &state.config.public_url, &body.name, now).await;
            let made = made.map_err(named::project_refused)?;
            if let Some(team) = team {
                bugle_store::projects::change(connection, made.id, None, Some(team))
                    .await
                    .map_err(named::project_refused)?;
            }
            let target = Target::new("project", made.id, &made.name);
            let after = json!({ "name": made.name, "team": team });
            let entry = principal.changed("project.created", target, team, None, Some(after));
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(made)
        })
        .await?;
    Ok(Created::of(made))
}
