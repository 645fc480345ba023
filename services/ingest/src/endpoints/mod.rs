//! The endpoints, one file for each group.

pub(crate) mod cron;
pub(crate) mod envelope;
pub(crate) mod frontend;
pub(crate) mod otlp;
pub(crate) mod security;
pub(crate) mod store;
pub(crate) mod unsupported;
pub(crate) mod webhook;

use crate::answer::{Refusal, Style, accepted};
use crate::door::Sender;
use crate::intake::Fate;
use crate::state::Ingest;
use actix_web::http::header::{AUTHORIZATION, HeaderName};
use actix_web::{HttpRequest, HttpResponse};
use bugle_protocol::auth::{self, AuthError, ClientAuth};
use uuid::Uuid;

const X_SENTRY_AUTH: HeaderName = HeaderName::from_static("x-sentry-auth");

/// The project in the path: digits.
pub(crate) fn url_project(request: &HttpRequest) -> Option<&str> {
    request.match_info().get("project")
}

pub(crate) fn header<'a>(request: &'a HttpRequest, name: &HeaderName) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}

/// The key that the request itself gives, in headers or query.
pub(crate) fn request_auth(request: &HttpRequest) -> Result<Option<ClientAuth>, Refusal> {
    let query = Some(request.query_string()).filter(|query| !query.is_empty());
    auth::parse_auth(header(request, &X_SENTRY_AUTH), header(request, &AUTHORIZATION), query)
        .map_err(|error| refuse_auth(&error))
}

pub(crate) fn refuse_auth(error: &AuthError) -> Refusal {
    match error {
        AuthError::MissingKey(_) | AuthError::Disagree => Refusal::Unauthorized(error.to_string()),
        AuthError::BadKey(_) | AuthError::BadVersion(_) | AuthError::ProjectMismatch | AuthError::BadDsn => {
            Refusal::malformed(error.to_string())
        }
    }
}

pub(crate) fn missing_auth() -> Refusal {
    Refusal::Unauthorized("missing authorization information".to_owned())
}

/// Who sends, where the request itself has to say so.
pub(crate) async fn admit(ingest: &Ingest, request: &HttpRequest) -> Result<(Sender, ClientAuth), Refusal> {
    let auth = request_auth(request)?.ok_or_else(missing_auth)?;
    let sender = ingest.door.admit(&auth.public_key, url_project(request)).await?;
    Ok((sender, auth))
}

/// Answers a request of which some items may have been refused: what is accepted stays so.
pub(crate) fn answer(fates: &[Fate], too_large: Option<Refusal>, id: Option<Uuid>) -> HttpResponse {
    let limited = fates.iter().find_map(|fate| match fate {
        Fate::Limited(limit) => Some(Refusal::RateLimited(*limit)),
        Fate::Accepted(_) | Fate::Filtered => None,
    });
    match limited.or(too_large) {
        Some(refusal) => refusal.response(Style::Sentry),
        None => accepted(id),
    }
}
