//! The guard before every handler: who is it, does the request come from our own pages, may they.

use super::Need;
use super::principal::{Principal, SessionOf};
use crate::State;
use crate::requests::limit::{Left, Who};
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::HeaderName;
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest, ResponseError};
use bugle_store::{Connection, Scope, StoreError, sessions, tokens};
use bugle_web::auth::{self, TokenHash, same};
use bugle_web::{Code, DeclaredParameters, Problem, client_address, network};
use chrono::{DateTime, Utc};
use std::future::{Ready, ready};

/// The session's cookie.
pub(crate) const COOKIE: &str = "bugle_session";
const CSRF_HEADER: HeaderName = HeaderName::from_static("x-csrf-token");
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Lets a request through to its handler, with its [`Principal`], when `need` is met.
pub(super) async fn guard<B: MessageBody + 'static>(
    need: Need,
    parameters: DeclaredParameters,
    state: Data<State>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let (left, checked) = counted(need, &state, request.request()).await;
    let mut answer = match checked {
        Ok(found) => {
            request.extensions_mut().insert(parameters);
            if let Some((principal, proof)) = found {
                request.extensions_mut().insert(principal);
                request.extensions_mut().insert(proof);
            }
            next.call(request).await?.map_into_boxed_body()
        }
        // An answer, not an error: what wraps the routes is to see it.
        Err(problem) => request.into_response(problem.error_response()),
    };
    if let Some(left) = left {
        left.tell(answer.headers_mut());
    }
    Ok(answer)
}

type Found = Option<(Principal, Proof)>;

/// Checks a request and counts it: for who it turns out to be from, else for its address. Neither who was let in a moment ago
/// nor an address is looked up that has nothing left.
async fn counted(need: Need, state: &State, request: &HttpRequest) -> (Option<Left>, Result<Found, Problem>) {
    let now = state.clock.now();
    let address = client_address(request, &state.config.trusted_proxies).map(network);
    let known =
        shown(state, request).filter(|shown| need != Need::Nothing && state.limits.knows(*shown, now));
    // Before the database is asked: what is over the limit must cost nothing.
    let left = match known {
        Some(proof) => state.limits.take(Who::Known(proof), now),
        None => state.limits.look(Who::Unknown(address), now),
    };
    if let Some(Err(problem)) = left.map(|left| left.check()) {
        return (left, Err(problem));
    }
    let checked = check(need, state, request).await;
    let is_worthless = matches!(&checked, Err(problem) if problem.code == Code::Unauthorized);
    if known.is_some() && !is_worthless {
        return (left, checked);
    }
    let who = match &checked {
        Ok(Some((_, proof))) => Who::Known(*proof),
        Err(problem) if problem.code != Code::Unauthorized => match shown(state, request) {
            Some(proof) => Who::Known(proof),
            None => Who::Unknown(address),
        },
        _ => Who::Unknown(address),
    };
    let left = state.limits.take(who, now);
    match left.map(|left| left.check()) {
        Some(Err(problem)) => (left, Err(problem)),
        _ => (left, checked),
    }
}

/// What a request shows, whatever it is worth.
fn shown(state: &State, request: &HttpRequest) -> Option<Proof> {
    match auth::bearer(request) {
        Some(token) => {
            let hash = auth::hash(token);
            let is_local = state.local_token.is_some_and(|local| same(&local, &hash));
            Some(if is_local { Proof::Local } else { Proof::Token(hash) })
        }
        None => session_cookie(request).map(Proof::Session),
    }
}

async fn check(need: Need, state: &State, request: &HttpRequest) -> Result<Found, Problem> {
    let unsafe_method = !request.method().is_safe();
    if need == Need::Nothing {
        if unsafe_method && is_from_another_site(request) {
            return Err(Problem::with_detail(Code::Csrf, "this is not for other sites"));
        }
        return Ok(None);
    }
    let (principal, proof) = match auth::bearer(request) {
        Some(token) => by_token(state, request, &auth::hash(token)).await?,
        None => by_session(state, request, unsafe_method).await?,
    };
    Ok(Some((principal.meets(need)?, proof)))
}

/// What a principal showed, for whoever asks again later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Proof {
    /// The token of the command line on this machine.
    Local,
    /// A token's hash.
    Token(TokenHash),
    /// The hash of a session's cookie.
    Session(TokenHash),
}

impl Proof {
    /// What whoever showed it may see now; `None` when it is worth nothing any more. Is no use of it.
    pub(crate) async fn sees(
        self,
        connection: &mut Connection,
        now: DateTime<Utc>,
    ) -> Result<Option<Scope>, StoreError> {
        let principal = match self {
            Self::Local => Some(Principal::local(String::new())),
            Self::Token(hash) => tokens::look(connection, &hash, now)
                .await?
                .map(|token| Principal::of_token(token, String::new())),
            Self::Session(hash) => sessions::look(connection, &hash, now).await?.map(|active| {
                Principal::of_session(SessionOf { active, csrf: String::new() }, String::new())
            }),
        };
        Ok(principal.map(|principal| principal.visible()))
    }
}

impl FromRequest for Proof {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let found = request.extensions().get::<Self>().copied();
        ready(found.ok_or_else(|| Problem::internal(&"a handler takes a proof where none is needed")))
    }
}

/// Browsers say so of every request; others say nothing.
fn is_from_another_site(request: &HttpRequest) -> bool {
    request.headers().get(FETCH_SITE).is_some_and(|site| site == "cross-site" || site == "same-site")
}

async fn by_token(
    state: &State,
    request: &HttpRequest,
    hash: &TokenHash,
) -> Result<(Principal, Proof), Problem> {
    let address = address_of(state, request);
    if state.local_token.is_some_and(|local| same(&local, hash)) {
        return Ok((Principal::local(address), Proof::Local));
    }
    let mut connection = state.store.conn().await.map_err(|error| failed(&error))?;
    let token =
        tokens::verify(&mut connection, hash, state.clock.now()).await.map_err(|error| failed(&error))?;
    let token = token.ok_or_else(|| {
        Problem::with_detail(
            Code::Unauthorized,
            "this token is unknown, expired or revoked, or whoever made it may not do any more what it allows",
        )
    })?;
    Ok((Principal::of_token(token, address), Proof::Token(*hash)))
}

async fn by_session(
    state: &State,
    request: &HttpRequest,
    unsafe_method: bool,
) -> Result<(Principal, Proof), Problem> {
    let cookie = auth::cookie(request, COOKIE).ok_or_else(|| {
        Problem::with_detail(Code::Unauthorized, "sign in, or send `Authorization: Bearer <token>`")
    })?;
    let csrf = csrf_token(cookie);
    let mut connection = state.store.conn().await.map_err(|error| failed(&error))?;
    let hash = auth::hash(cookie);
    let active =
        sessions::verify(&mut connection, &hash, state.clock.now()).await.map_err(|error| failed(&error))?;
    let active = active.ok_or_else(|| Problem::with_detail(Code::Unauthorized, "this session has ended"))?;
    if unsafe_method {
        let sent = request.headers().get(CSRF_HEADER).map(|value| value.as_bytes()).unwrap_or_default();
        let sent = auth::hash(&String::from_utf8_lossy(sent));
        if is_from_another_site(request) || !same(&sent, &auth::hash(&csrf)) {
            return Err(Problem::with_detail(
                Code::Csrf,
                "send `X-CSRF-Token` with the `csrf` of GET /api/v1/session",
            ));
        }
    }
    Ok((Principal::of_session(SessionOf { active, csrf }, address_of(state, request)), Proof::Session(hash)))
}

/// What belongs to a session's cookie and cannot be had without it.
pub(crate) fn csrf_token(cookie: &str) -> String {
    let hash = auth::hash(&format!("csrf {cookie}"));
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The hash of the session's cookie, when one was sent.
pub(crate) fn session_cookie(request: &HttpRequest) -> Option<TokenHash> {
    auth::cookie(request, COOKIE).map(auth::hash)
}

/// Where a request comes from, as text.
pub(crate) fn address_of(state: &State, request: &HttpRequest) -> String {
    client_address(request, &state.config.trusted_proxies)
        .map(|address| address.to_string())
        .unwrap_or_default()
}

fn failed(error: &StoreError) -> Problem {
    if error.is_away() { Problem::unavailable(error) } else { Problem::internal(error) }
}
