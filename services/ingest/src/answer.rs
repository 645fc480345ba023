//! What clients are answered: success, refusals, the headers that every answer carries.

use crate::memory::NoRoom;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, StatusCode};
use actix_web::{HttpResponse, ResponseError};
use bugle_model::Outcome;
use bugle_web::{Code, FieldError, Problem};
use serde_json::json;
use uuid::Uuid;

/// What a client should wait (seconds) when the server has no room or no disk.
const RETRY_AFTER: u32 = 5;
/// SDKs show this header's text in their debug log.
const X_SENTRY_ERROR: HeaderName = HeaderName::from_static("x-sentry-error");
const X_SENTRY_RATE_LIMITS: HeaderName = HeaderName::from_static("x-sentry-rate-limits");
/// The categories that a quota is about: all items that are kept.
const LIMITED_CATEGORIES: &str = "default;error;security;attachment;feedback";

/// How a refusal is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// `{"detail": …, "causes": […]}`, as Sentry's SDKs and CLI know it.
    Sentry,
    /// `application/problem+json` (RFC 9457).
    Problem,
}

/// A used-up quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit {
    /// Until when (seconds from now) nothing is accepted.
    pub(crate) retry_after: u64,
    /// `key`, `project`, `address`.
    pub(crate) scope: &'static str,
}

/// Why a request, or a part of it, is not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// 400: it cannot be read.
    Malformed(String, Vec<String>),
    /// 401: no key, or several that disagree.
    Unauthorized(String),
    /// 403: the key is not known or disabled, or belongs to another project.
    Forbidden,
    /// 404: what this endpoint would do is not supported.
    NotSupported(&'static str),
    /// 405.
    Method(&'static str),
    /// 408: the body came too slowly.
    TooSlow,
    /// 413: over a size limit.
    TooLarge(String),
    /// 415: a content type or encoding that is not known.
    MediaType(String),
    /// 422: fields are wrong.
    Invalid(Vec<FieldError>),
    /// 429: a quota is used up.
    RateLimited(Limit),
    /// 503: it cannot be made durable now.
    Unavailable(&'static str),
}

impl From<NoRoom> for Refusal {
    fn from(_: NoRoom) -> Self {
        Self::unavailable("too many requests at the same time")
    }
}

impl Refusal {
    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Self::Malformed(detail.into(), Vec::new())
    }

    pub(crate) fn too_large(detail: impl Into<String>) -> Self {
        Self::TooLarge(detail.into())
    }

    pub(crate) const fn unavailable(detail: &'static str) -> Self {
        Self::Unavailable(detail)
    }

    /// How the request's items end, and why; nothing for what is refused as a whole before it has items, and for
    /// what the client is asked to send again.
    pub(crate) const fn outcome(&self) -> Option<(Outcome, &'static str)> {
        match self {
            Self::Malformed(..) => Some((Outcome::Invalid, "malformed")),
            Self::Unauthorized(_) => Some((Outcome::Unauthorized, "no_key")),
            Self::Forbidden => Some((Outcome::Unauthorized, "key")),
            Self::NotSupported(reason) => Some((Outcome::Unsupported, reason)),
            Self::TooSlow => Some((Outcome::Invalid, "too_slow")),
            Self::TooLarge(_) => Some((Outcome::TooLarge, "body")),
            Self::MediaType(_) => Some((Outcome::Invalid, "media_type")),
            Self::Invalid(_) => Some((Outcome::Invalid, "fields")),
            Self::RateLimited(_) | Self::Unavailable(_) | Self::Method(_) => None,
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Malformed(..) => StatusCode::BAD_REQUEST,
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotSupported(_) => StatusCode::NOT_FOUND,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::MediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::RateLimited(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::Malformed(detail, _) | Self::Unauthorized(detail) => detail.clone(),
            Self::TooLarge(detail) | Self::MediaType(detail) => detail.clone(),
            // The words that clients' tests look for.
            Self::Forbidden => "event submission rejected with_reason: ProjectId".to_owned(),
            Self::NotSupported(what) => format!("{what} is not supported"),
            Self::Method(allowed) => format!("method not allowed, expected {allowed}"),
            Self::TooSlow => "body: came too slowly".to_owned(),
            Self::Invalid(errors) => {
                let errors: Vec<_> =
                    errors.iter().map(|error| format!("{}: {}", error.field, error.message)).collect();
                errors.join("; ")
            }
            Self::RateLimited(_) => "rate limited".to_owned(),
            Self::Unavailable(detail) => format!("the service is overloaded: {detail}"),
        }
    }

    /// The answer.
    pub(crate) fn response(&self, style: Style) -> HttpResponse {
        if let Self::RateLimited(limit) = self {
            return rate_limited(*limit);
        }
        let mut response = match style {
            Style::Sentry => self.sentry(),
            Style::Problem => self.problem().error_response(),
        };
        // What follows on the connection is the rest of the body.
        if matches!(self, Self::TooSlow | Self::TooLarge(_)) {
            response.head_mut().set_connection_type(ConnectionType::Close);
        }
        response
    }

    fn sentry(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status());
        let detail = self.detail();
        match self {
            Self::Unavailable(_) => _ = response.insert_header((header::RETRY_AFTER, RETRY_AFTER)),
            Self::Method(allowed) => _ = response.insert_header((header::ALLOW, *allowed)),
            _ => {}
        }
        if let Ok(value) = HeaderValue::from_str(&detail) {
            response.insert_header((X_SENTRY_ERROR, value));
        }
        match self {
            Self::Malformed(_, causes) if !causes.is_empty() => {
                response.json(json!({"detail": detail, "causes": causes}))
            }
            _ => response.json(json!({"detail": detail})),
        }
    }

    fn problem(&self) -> Problem {
        let code = match self {
            Self::Malformed(..) | Self::TooSlow => Code::BadRequest,
            Self::Unauthorized(_) => Code::Unauthorized,
            Self::Forbidden => {
                return Problem::with_detail(Code::Unauthorized, "no such project key, or a disabled one");
            }
            Self::NotSupported(_) => Code::NotFound,
            Self::Method(_) => Code::MethodNotAllowed,
            Self::TooLarge(_) => Code::TooLarge,
            Self::MediaType(_) => Code::UnsupportedMediaType,
            Self::Invalid(errors) => return Problem::invalid(errors.clone()),
            Self::RateLimited(_) => Code::RateLimited,
            Self::Unavailable(_) => return Problem::new(Code::Unavailable).retry_after(RETRY_AFTER),
        };
        Problem::with_detail(code, self.detail())
    }
}

/// PHP's SDK overlooks the headers of a 429 that has a body.
fn rate_limited(limit: Limit) -> HttpResponse {
    let Limit { retry_after, scope } = limit;
    HttpResponse::TooManyRequests()
        .insert_header((header::RETRY_AFTER, retry_after))
        .insert_header((X_SENTRY_RATE_LIMITS, format!("{retry_after}:{LIMITED_CATEGORIES}:{scope}:quota")))
        .finish()
}

/// `{"id": "<32 hex>"}`, or `{}` when the request held no event.
pub(crate) fn accepted(id: Option<Uuid>) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.content_type(header::ContentType::json());
    match id {
        Some(id) => response.body(format!("{{\"id\":\"{}\"}}", id.as_simple())),
        None => response.body("{}"),
    }
}

/// Lets pages of any origin read the answer.
pub(crate) fn add_cors(headers: &mut HeaderMap, is_options: bool) {
    let mut set = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    set(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        "x-sentry-error, x-sentry-rate-limits, retry-after, x-request-id",
    );
    if is_options {
        set(header::ACCESS_CONTROL_ALLOW_METHODS, "POST");
        set(
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "x-sentry-auth, x-requested-with, x-forwarded-for, origin, referer, accept, content-type, \
             authentication, authorization, content-encoding, transfer-encoding, x-request-id, x-bugle-key",
        );
        set(header::ACCESS_CONTROL_MAX_AGE, "3600");
    }
}
