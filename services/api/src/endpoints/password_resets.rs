//! `/api/v1/password-resets`: a link by mail, and a new password by that link. The first answers the same whether there
//! is an account or not.

use super::named::refuse;
use crate::accounts::sign_in::{self, Client, account_key};
use crate::accounts::{links as making, passwords};
use crate::openapi::{Accepted, NoContent};
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::{Data, Path};
use bugle_store::account_mails::{self, NewMail};
use bugle_store::attempts::{self, Kind};
use bugle_store::audit::{self, Target};
use bugle_store::users::{self, UserChange};
use bugle_store::{Scope, Transactions, links, sessions};
use bugle_web::{Code, JsonBody, Problem, auth};
use schemars::JsonSchema;
use serde::Deserialize;
use uuid::Uuid;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    email: String,
}

/// `POST …/password-resets`
pub(super) async fn ask(
    state: Data<State>,
    request: HttpRequest,
    JsonBody(body): JsonBody<Asked>,
) -> Result<Accepted<()>, ApiError> {
    let client = Client::of(&state, &request);
    let mut connection = state.store.conn().await?;
    sign_in::count(&mut connection, Kind::ResetAddress, &client.key(), state.clock.now()).await?;
    drop(connection);
    // Afterwards, so that the answer's time does not tell whether there is an account.
    actix_web::rt::spawn(async move {
        if let Err(error) = send(&state, &body.email).await {
            tracing::warn!(%error, "a link for a new password could not be sent");
        }
    });
    Ok(Accepted::empty())
}

async fn send(state: &State, email: &str) -> Result<(), ApiError> {
    if state.config.smtp_url.is_none() {
        tracing::warn!(
            "somebody asks for a new password, and BUGLE_SMTP_URL is not set: `bugle user reset-password`"
        );
        return Ok(());
    }
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let account = users::account(&mut connection, email.trim()).await?;
    let Some(account) = account.filter(|account| !account.disabled) else { return Ok(()) };
    if attempts::begin(&mut connection, Kind::Reset, &account_key(email), now).await?.is_err() {
        return Ok(());
    }
    connection
        .transaction(async |connection| {
            let link = making::reset(connection, &state.config.public_url, account.id, now).await?;
            let mail = NewMail {
                kind: account_mails::Kind::PasswordReset,
                recipient: &account.email,
                about: "",
                link: &link,
                expires_at: now + making::RESET,
            };
            account_mails::add(connection, &mail, Uuid::now_v7(), now).await?;
            Ok(())
        })
        .await
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct New {
    password: String,
}

/// `POST …/password-resets/{token}`: ends all sessions.
pub(super) async fn set(
    state: Data<State>,
    request: HttpRequest,
    token: Path<String>,
    JsonBody(body): JsonBody<New>,
) -> Result<NoContent, ApiError> {
    let client = Client::of(&state, &request);
    let (now, hash) = (state.clock.now(), auth::hash(&token));
    let mut connection = state.store.conn().await?;
    connection
        .transaction(async |connection| {
            let gone = || Problem::with_detail(Code::NotFound, "this link is wrong, was used or has ended");
            let user = links::take_reset(connection, &hash, now).await?.ok_or_else(gone)?;
            let user = users::get(connection, &Scope::All, user).await?.ok_or_else(gone)?;
            // Rolls back: the link works on.
            refuse(passwords::mistakes("password", &body.password, &[&user.email, &user.name]))?;
            let password_hash = Some(state.passwords.hash(&body.password).await?);
            users::change(connection, user.id, &UserChange { password_hash, ..UserChange::default() })
                .await?;
            sessions::end_all(connection, user.id, None).await?;
            attempts::forget(connection, Kind::Account, &account_key(&user.email)).await?;
            let target = Target::new("user", user.id, &user.name);
            let entry = sign_in::by(user.id, &user.name, &client, "user.password_reset", target);
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(())
        })
        .await?;
    Ok(NoContent::new())
}
