//! `GET /api/v1/account`, and `PATCH` of it with `name`, `time_zone`, `password`: what people change about themselves.

use super::named::refuse;
use crate::access::Principal;
use crate::accounts::{fields, passwords, sign_in};
use crate::{ApiError, State};
use actix_web::web::{Data, Json};
use bugle_store::attempts::{self, Kind};
use bugle_store::audit::{self, Target};
use bugle_store::users::{self, User, UserChange};
use bugle_store::{Scope, Transactions, sessions};
use bugle_web::{JsonBody, Problem};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    name: Option<String>,
    time_zone: Option<String>,
    password: Option<Passwords>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Passwords {
    current: String,
    new: String,
}

/// As the database has it now: after a change it is asked again, in the same request.
pub(super) async fn get(principal: Principal, state: Data<State>) -> Result<Json<User>, ApiError> {
    let id = principal.session()?.active.user.id;
    let mut connection = state.store.conn().await?;
    let found = users::get(&mut connection, &Scope::All, id).await?;
    let user = found.ok_or_else(|| Problem::not_found("such account"))?;
    Ok(Json(user))
}

pub(super) async fn change(
    principal: Principal,
    state: Data<State>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Json<User>, ApiError> {
    let active = &principal.session()?.active;
    let user = &active.user;
    let mut mistakes = Vec::new();
    let mut noted = |error| mistakes.push(error);
    let name = body.name.and_then(|name| fields::name(&name).map_err(&mut noted).ok());
    let time_zone = body.time_zone.and_then(|zone| fields::time_zone(&zone).map_err(&mut noted).ok());
    if let Some(password) = &body.password {
        mistakes.extend(passwords::mistakes("password.new", &password.new, &[&user.email, &user.name]));
    }
    refuse(mistakes)?;
    let password_hash = match &body.password {
        Some(password) => {
            confirm(&state, user, "password.current", &password.current).await?;
            Some(state.passwords.hash(&password.new).await?)
        }
        None => None,
    };
    let now = state.clock.now();
    let new_password = password_hash.is_some();
    let change = UserChange { name, time_zone, password_hash, ..UserChange::default() };
    let mut connection = state.store.conn().await?;
    let changed = connection
        .transaction(async |connection| {
            users::change(connection, user.id, &change).await?;
            if new_password {
                sessions::end_all(connection, user.id, Some(active.session)).await?;
            }
            let changed = users::get(connection, &Scope::All, user.id).await?;
            let changed = changed.ok_or_else(|| Problem::not_found("such account"))?;
            let before = json!({ "name": user.name, "time_zone": user.time_zone });
            let after =
                json!({ "name": changed.name, "time_zone": changed.time_zone, "password_changed": new_password });
            let target = Target::new("user", user.id, &changed.name);
            let entry = principal.changed("user.updated", target, None, Some(before), Some(after));
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(changed)
        })
        .await?;
    Ok(Json(changed))
}

/// Asks for the password again; failures are counted as those of sign-in.
pub(super) async fn confirm(state: &State, user: &User, field: &str, password: &str) -> Result<(), ApiError> {
    let key = sign_in::account_key(&user.email);
    let mut connection = state.store.conn().await?;
    sign_in::count(&mut connection, Kind::Account, &key, state.clock.now()).await?;
    let account = users::account(&mut connection, &user.email).await?;
    drop(connection);
    let hash = account.as_ref().and_then(|account| account.password_hash.as_deref());
    if !state.passwords.verify(password, hash).await? {
        return Err(Problem::invalid_field(field, "is not your password").into());
    }
    let mut connection = state.store.conn().await?;
    Ok(attempts::take_back(&mut connection, Kind::Account, &key).await?)
}
