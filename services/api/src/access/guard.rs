//! The guard before every handler: who is it, does the request come from our own pages, may they.

use super::Need;
use super::principal::{Principal, SessionOf, forbidden};
use crate::State;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::HeaderName;
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpRequest, ResponseError};
use bugle_store::{StoreError, sessions, tokens};
use bugle_web::auth::{self, TokenHash, same};
use bugle_web::{Code, DeclaredParameters, Problem, client_address};

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
    match check(need, &state, request.request()).await {
        Ok(principal) => {
            request.extensions_mut().insert(parameters);
            if let Some(principal) = principal {
                request.extensions_mut().insert(principal);
            }
            Ok(next.call(request).await?.map_into_boxed_body())
        }
        // An answer, not an error: what wraps the routes is to see it.
        Err(problem) => Ok(request.into_response(problem.error_response())),
    }
}

async fn check(need: Need, state: &State, request: &HttpRequest) -> Result<Option<Principal>, Problem> {
    let unsafe_method = !request.method().is_safe();
    if need == Need::Nothing {
        if unsafe_method && is_from_another_site(request) {
            return Err(Problem::with_detail(Code::Csrf, "this is not for other sites"));
        }
        return Ok(None);
    }
    let principal = match auth::bearer(request) {
        Some(token) => by_token(state, request, &auth::hash(token)).await?,
        None => by_session(state, request, unsafe_method).await?,
    };
    principal.meets(need).map(Some)
}

/// Browsers say so of every request; others say nothing.
fn is_from_another_site(request: &HttpRequest) -> bool {
    request.headers().get(FETCH_SITE).is_some_and(|site| site == "cross-site" || site == "same-site")
}

async fn by_token(state: &State, request: &HttpRequest, hash: &TokenHash) -> Result<Principal, Problem> {
    let address = address_of(state, request);
    if state.local_token.is_some_and(|local| same(&local, hash)) {
        return Ok(Principal::local(address));
    }
    let mut connection = state.store.conn().await.map_err(|error| failed(&error))?;
    let token =
        tokens::verify(&mut connection, hash, state.clock.now()).await.map_err(|error| failed(&error))?;
    let token = token.ok_or_else(|| {
        Problem::with_detail(Code::Unauthorized, "this token is unknown, expired or revoked")
    })?;
    Ok(Principal::of_token(token, address))
}

async fn by_session(state: &State, request: &HttpRequest, unsafe_method: bool) -> Result<Principal, Problem> {
    let cookie = auth::cookie(request, COOKIE).ok_or_else(|| {
        Problem::with_detail(Code::Unauthorized, "sign in, or send `Authorization: Bearer <token>`")
    })?;
    let csrf = csrf_token(cookie);
    let mut connection = state.store.conn().await.map_err(|error| failed(&error))?;
    let active = sessions::verify(&mut connection, &auth::hash(cookie), state.clock.now())
        .await
        .map_err(|error| failed(&error))?;
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
    if active.user.disabled {
        return Err(forbidden("this account is disabled"));
    }
    Ok(Principal::of_session(SessionOf { active, csrf }, address_of(state, request)))
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
