//! `GET /api/v1/setup`: whether there is nobody yet. `POST /api/v1/setup` with the token of the setup link makes the
//! owner and the first team, which gets all projects that have none.

use super::named::refuse;
use crate::accounts::sign_in::{self, Client, SessionView};
use crate::accounts::{fields, passwords};
use crate::openapi::Created;
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use bugle_model::{InstallationRole, TeamRole};
use bugle_store::attempts::Kind;
use bugle_store::audit::{self, Target};
use bugle_store::users::{self, NewUser};
use bugle_store::{Transactions, links, teams};
use bugle_web::{Code, JsonBody, Problem, auth};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Whether there is nobody yet.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Setup {
    needed: bool,
}

pub(super) async fn needed(state: Data<State>) -> Result<Json<Setup>, ApiError> {
    let mut connection = state.store.conn().await?;
    Ok(Json(Setup { needed: !users::any(&mut connection).await? }))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    token: String,
    email: String,
    name: String,
    password: String,
    team: String,
}

pub(super) async fn run(
    state: Data<State>,
    request: HttpRequest,
    JsonBody(body): JsonBody<Body>,
) -> Result<Created<SessionView>, ApiError> {
    let client = Client::of(&state, &request);
    let now = state.clock.now();
    let mut mistakes = Vec::new();
    let email = fields::email(&body.email).map_err(|error| mistakes.push(error)).unwrap_or_default();
    let name = fields::name(&body.name).map_err(|error| mistakes.push(error)).unwrap_or_default();
    let team = fields::team_name(&body.team);
    let team = team
        .map_err(|mut error| {
            error.field = "team".to_owned();
            mistakes.push(error);
        })
        .unwrap_or_default();
    mistakes.extend(passwords::mistakes("password", &body.password, &[&email, &name]));
    refuse(mistakes)?;
    let mut connection = state.store.conn().await?;
    sign_in::count(&mut connection, Kind::Address, &client.key(), now).await?;
    let hash = auth::hash(&body.token);
    let user = connection
        .transaction(async |connection| {
            if users::lock_and_look(connection).await? {
                return Err(Problem::with_detail(Code::Conflict, "there is an owner already").into());
            }
            if !links::take_setup(connection, &hash, now).await? {
                let detail = "this link is wrong or has ended; `bugle user setup-link` makes another";
                return Err(ApiError::from(Problem::with_detail(Code::InvalidCredentials, detail)));
            }
            let password_hash = state.passwords.hash(&body.password).await?;
            let new = NewUser {
                email: &email,
                name: &name,
                password_hash: Some(&password_hash),
                role: InstallationRole::Owner,
            };
            let user = users::create(connection, &new, now).await?;
            let made = teams::create(connection, &team, now).await?;
            teams::put_member(connection, made, user, TeamRole::Manager, now).await?;
            let projects = teams::adopt_projects(connection, made).await?;
            let mut entry = sign_in::by(user, &name, &client, "setup.done", Target::new("team", made, &team));
            entry.after = Some(json!({ "email": email, "team": team, "projects": projects }));
            audit::add(connection, &entry, now).await?;
            Ok(user)
        })
        .await?;
    bugle_store::attempts::take_back(&mut connection, Kind::Address, &client.key()).await?;
    let token = sign_in::begin(&mut connection, &client, user, &name, now).await?;
    sign_in::answer(&state, &mut connection, &token, user).await
}
