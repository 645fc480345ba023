//! `/api/v1/session`: who I am, signing in and out.

use crate::access::Principal;
use crate::accounts::sign_in::{self, Client, SessionView};
use crate::openapi::{Answer, NoContent};
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::http::header::SET_COOKIE;
use actix_web::web::Data;
use bugle_store::audit::{self, Target};
use bugle_store::{Transactions, sessions};
use bugle_web::JsonBody;
use schemars::JsonSchema;
use serde::Deserialize;

/// `GET …/session`
pub(super) async fn show(principal: Principal) -> Result<Answer<SessionView, 200>, ApiError> {
    let session = principal.session()?;
    let active = &session.active;
    let (user, csrf) = (active.user.clone(), session.csrf.clone());
    Ok(Answer::of(SessionView { user, csrf, expires_at: active.expires_at }).uncached())
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    email: String,
    password: String,
    code: Option<String>,
}

/// `POST …/session`
pub(super) async fn create(
    state: Data<State>,
    request: HttpRequest,
    JsonBody(body): JsonBody<Body>,
) -> Result<Answer<SessionView, 200>, ApiError> {
    let client = Client::of(&state, &request);
    let account = sign_in::check(&state, &client, &body.email, &body.password, body.code.as_deref()).await?;
    let mut connection = state.store.conn().await?;
    let token =
        sign_in::begin(&mut connection, &client, account.id, &account.name, state.clock.now()).await?;
    sign_in::answer(&state, &mut connection, &token, account.id).await
}

/// `DELETE …/session`
pub(super) async fn end(principal: Principal, state: Data<State>) -> Result<NoContent, ApiError> {
    let active = &principal.session()?.active;
    let now = state.clock.now();
    let target = Target::new("user", active.user.id, &active.user.name);
    let entry = principal.did("session.ended", target, None);
    let mut connection = state.store.conn().await?;
    connection
        .transaction(async |connection| {
            sessions::end(connection, active.user.id, active.session).await?;
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(())
        })
        .await?;
    Ok(NoContent::new().header(SET_COOKIE, sign_in::cookie(&state, "", 0)?))
}
