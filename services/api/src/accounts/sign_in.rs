//! Signing in: what is counted, what is compared, and the session that begins.

use super::totp;
use crate::access::{COOKIE, address_of, csrf_token, session_cookie};
use crate::openapi::Answer;
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::http::header::{HeaderValue, SET_COOKIE, USER_AGENT};
use bugle_model::{ActorKind, UserId};
use bugle_store::attempts::{self, Kind};
use bugle_store::audit::{self, Actor, Entry, Target};
use bugle_store::users::{self, Account, User};
use bugle_store::{Connection, Scope, Transactions, second_factors, sessions};
use bugle_web::auth::{self, TokenHash};
use bugle_web::{Code, Problem, network};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

const MAX_USER_AGENT: usize = 256;

/// What is known of whoever signs in.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) address: String,
    user_agent: String,
    /// The session that the new one takes the place of.
    before: Option<TokenHash>,
}

impl Client {
    pub(crate) fn of(state: &State, request: &HttpRequest) -> Self {
        let user_agent = request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok());
        Self {
            address: address_of(state, request),
            user_agent: user_agent.unwrap_or_default().chars().take(MAX_USER_AGENT).collect(),
            before: session_cookie(request),
        }
    }

    /// What is counted for the address.
    pub(crate) fn key(&self) -> [u8; 32] {
        let counted = self.address.parse().map(|address| network(address).to_string());
        auth::hash(&format!("address {}", counted.unwrap_or_default()))
    }
}

/// What is counted for an account, there or not.
pub(crate) fn account_key(email: &str) -> [u8; 32] {
    auth::hash(&format!("account {}", email.trim().to_lowercase()))
}

/// Counts an attempt; 429 while there are to be none.
pub(crate) async fn count(
    connection: &mut Connection,
    kind: Kind,
    subject: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<(), ApiError> {
    let Err(until) = attempts::begin(connection, kind, subject, now).await? else { return Ok(()) };
    let seconds = u32::try_from((until - now).num_seconds().max(0)).unwrap_or(u32::MAX).saturating_add(1);
    Err(Problem::with_detail(Code::RateLimited, "too many failures; wait before the next attempt")
        .retry_after(seconds)
        .into())
}

/// Whether address, password and code are right. Whose they are.
pub(crate) async fn check(
    state: &State,
    client: &Client,
    email: &str,
    password: &str,
    code: Option<&str>,
) -> Result<Account, ApiError> {
    let now = state.clock.now();
    let (account_key, address_key) = (account_key(email), client.key());
    let mut connection = state.store.conn().await?;
    count(&mut connection, Kind::Address, &address_key, now).await?;
    count(&mut connection, Kind::Account, &account_key, now).await?;
    let account = users::account(&mut connection, email.trim()).await?;
    // Nobody waits for a connection while a password is hashed.
    drop(connection);
    let hash =
        account.as_ref().filter(|account| !account.disabled).and_then(|one| one.password_hash.as_deref());
    let right = state.passwords.verify(password, hash).await?;
    let Some(account) = account.filter(|_| right) else {
        tracing::warn!(address = client.address, "a sign-in was refused");
        return Err(Problem::new(Code::InvalidCredentials).into());
    };
    let mut connection = state.store.conn().await?;
    match second_factor(&mut connection, account.id, code, now).await? {
        Factor::Right => {}
        Factor::Missing => {
            attempts::take_back(&mut connection, Kind::Account, &account_key).await?;
            attempts::take_back(&mut connection, Kind::Address, &address_key).await?;
            return Err(Problem::new(Code::SecondFactorNeeded).into());
        }
        Factor::Wrong => {
            tracing::warn!(address = client.address, user = %account.id, "a second factor was refused");
            return Err(Problem::new(Code::InvalidCredentials).into());
        }
    }
    attempts::forget(&mut connection, Kind::Account, &account_key).await?;
    attempts::take_back(&mut connection, Kind::Address, &address_key).await?;
    Ok(account)
}

enum Factor {
    Right,
    Missing,
    Wrong,
}

async fn second_factor(
    connection: &mut Connection,
    user: UserId,
    code: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Factor, ApiError> {
    let factor = second_factors::get(connection, user).await?.filter(|factor| factor.confirmed);
    let Some(factor) = factor else { return Ok(Factor::Right) };
    let Some(code) = code.map(str::trim).filter(|code| !code.is_empty()) else { return Ok(Factor::Missing) };
    let taken = match totp::matching_step(&factor.secret, code, now) {
        Some(step) => second_factors::take_step(connection, user, step).await?,
        None => {
            let hash = auth::hash(&totp::plain_recovery_code(code));
            second_factors::take_recovery(connection, user, &hash).await?
        }
    };
    Ok(if taken { Factor::Right } else { Factor::Wrong })
}

/// Begins a session: a new token, whatever the client had before.
pub(crate) async fn begin(
    connection: &mut Connection,
    client: &Client,
    user: UserId,
    name: &str,
    now: DateTime<Utc>,
) -> Result<String, ApiError> {
    let token = auth::new_secret();
    let hash = auth::hash(&token);
    connection
        .transaction(async |connection| {
            if let Some(before) = &client.before {
                sessions::end_by_hash(connection, before).await?;
            }
            sessions::create(connection, user, &hash, &client.address, &client.user_agent, now).await?;
            let entry = by(user, name, client, "session.created", Target::new("user", user, name));
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(())
        })
        .await?;
    Ok(token)
}

/// An entry of the audit log by somebody whose session only begins.
pub(crate) fn by(user: UserId, name: &str, client: &Client, action: &'static str, target: Target) -> Entry {
    let actor = Actor { kind: ActorKind::User, id: Some(user.0), name: name.to_owned() };
    Entry { actor, address: client.address.clone(), action, target, team: None, before: None, after: None }
}

/// A session as its person sees it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Session")]
pub(crate) struct SessionView {
    /// Whose it is.
    pub(crate) user: User,
    /// What to send as `X-CSRF-Token` with whatever changes something.
    pub(crate) csrf: String,
    /// When it ends at the latest.
    pub(crate) expires_at: DateTime<Utc>,
}

/// The answer that a session begins with: its cookie, its person, its CSRF token.
pub(crate) async fn answer<const STATUS: u16>(
    state: &State,
    connection: &mut Connection,
    token: &str,
    user: UserId,
) -> Result<Answer<SessionView, STATUS>, ApiError> {
    let user = users::get(connection, &Scope::All, user).await?;
    let user = user.ok_or_else(|| Problem::new(Code::Unauthorized))?;
    let expires_at = state.clock.now() + sessions::LONGEST;
    let cookie = cookie(state, token, sessions::LONGEST.num_seconds())?;
    Ok(Answer::of(SessionView { user, csrf: csrf_token(token), expires_at })
        .header(SET_COOKIE, cookie)
        .uncached())
}

/// The session's cookie; an age of 0 removes it.
pub(crate) fn cookie(state: &State, token: &str, age: i64) -> Result<HeaderValue, Problem> {
    let secure = if state.config.public_url.scheme() == "https" { "; Secure" } else { "" };
    let text = format!("{COOKIE}={token}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::try_from(text).map_err(|error| Problem::internal(&error))
}
