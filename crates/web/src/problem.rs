//! Errors as `application/problem+json` (RFC 9457), with a closed set of codes.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpResponse, ResponseError};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use std::borrow::Cow;
use std::fmt;

/// What went wrong. The name is part of the API: clients compare it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// The request cannot be read at all.
    BadRequest,
    /// Neither a session nor a bearer token, or one that is not known.
    Unauthorized,
    /// No account with this address and this password.
    InvalidCredentials,
    /// The password is right; the code of the second factor is missing.
    SecondFactorNeeded,
    /// Known who, and not allowed.
    Forbidden,
    /// The request may come from another site: its CSRF token is missing or wrong.
    Csrf,
    /// No such thing, or no such path.
    NotFound,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// It is there already, or has changed meanwhile.
    Conflict,
    /// It is not of the version that the client knows.
    PreconditionFailed,
    /// The body is over its limit.
    TooLarge,
    /// The body is not JSON.
    UnsupportedMediaType,
    /// Fields or parameters are wrong; `errors` names them.
    Invalid,
    /// Too many requests.
    RateLimited,
    /// A bug, or something that an operator has to look at. Says nothing more.
    Internal,
    /// The database or the broker is away; try again.
    Unavailable,
}

impl Code {
    /// Every code.
    pub const ALL: [Self; 16] = [
        Self::BadRequest,
        Self::Unauthorized,
        Self::InvalidCredentials,
        Self::SecondFactorNeeded,
        Self::Forbidden,
        Self::Csrf,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Conflict,
        Self::PreconditionFailed,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::Invalid,
        Self::RateLimited,
        Self::Internal,
        Self::Unavailable,
    ];

    /// The table: name, HTTP status and title of each code.
    const fn row(self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Self::BadRequest => ("bad_request", StatusCode::BAD_REQUEST, "the request cannot be read"),
            Self::Unauthorized => {
                ("unauthorized", StatusCode::UNAUTHORIZED, "a session or a valid bearer token is needed")
            }
            Self::InvalidCredentials => {
                ("invalid_credentials", StatusCode::UNAUTHORIZED, "the address or the password is wrong")
            }
            Self::SecondFactorNeeded => {
                ("second_factor_needed", StatusCode::UNAUTHORIZED, "the code of the second factor is needed")
            }
            Self::Forbidden => ("forbidden", StatusCode::FORBIDDEN, "this is not allowed"),
            Self::Csrf => ("csrf", StatusCode::FORBIDDEN, "the CSRF token is missing or wrong"),
            Self::NotFound => ("not_found", StatusCode::NOT_FOUND, "not found"),
            Self::MethodNotAllowed => {
                ("method_not_allowed", StatusCode::METHOD_NOT_ALLOWED, "this path does not know the method")
            }
            Self::Conflict => ("conflict", StatusCode::CONFLICT, "it is there already"),
            Self::PreconditionFailed => {
                ("precondition_failed", StatusCode::PRECONDITION_FAILED, "it was changed meanwhile")
            }
            Self::TooLarge => ("too_large", StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"),
            Self::UnsupportedMediaType => {
                ("unsupported_media_type", StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body must be JSON")
            }
            Self::Invalid => ("invalid", StatusCode::UNPROCESSABLE_ENTITY, "something given is not valid"),
            Self::RateLimited => ("rate_limited", StatusCode::TOO_MANY_REQUESTS, "too many requests"),
            Self::Internal => ("internal", StatusCode::INTERNAL_SERVER_ERROR, "something went wrong here"),
            Self::Unavailable => ("unavailable", StatusCode::SERVICE_UNAVAILABLE, "not available right now"),
        }
    }

    /// The name in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.row().0
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        self.row().1
    }

    /// A short description, the same for every occurrence.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.row().2
    }
}

/// One wrong field or parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FieldError {
    /// Its path, as in `settings.kinds[0]`, or the parameter's name.
    pub field: String,
    /// What is wrong and what is expected.
    pub message: String,
    /// The place within a text such as a query: a count of characters from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<usize>,
}

impl FieldError {
    /// An error of a whole field.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into(), position: None }
    }
}

/// An error answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What went wrong.
    pub code: Code,
    /// This occurrence in words. Never shown for 5xx.
    pub detail: Option<String>,
    /// The wrong fields.
    pub errors: Vec<FieldError>,
    /// Seconds after which trying again makes sense.
    pub retry_after: Option<u32>,
}

impl Problem {
    /// A problem without particulars.
    #[must_use]
    pub const fn new(code: Code) -> Self {
        Self { code, detail: None, errors: Vec::new(), retry_after: None }
    }

    /// A problem in words.
    pub fn with_detail(code: Code, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..Self::new(code) }
    }

    /// Wrong fields.
    #[must_use]
    pub const fn invalid(errors: Vec<FieldError>) -> Self {
        Self { code: Code::Invalid, detail: None, errors, retry_after: None }
    }

    /// One wrong field.
    pub fn invalid_field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError::new(field, message)])
    }

    /// Something that is not there. `what` is a noun with its name, as in `issue 7`.
    pub fn not_found(what: impl fmt::Display) -> Self {
        Self::with_detail(Code::NotFound, format!("there is no {what}"))
    }

    /// A failure on this side. Logged here, once; the client is told nothing of it.
    pub fn internal(error: &dyn fmt::Display) -> Self {
        tracing::error!(%error, "a request failed");
        Self::new(Code::Internal)
    }

    /// Something this depends on is away. Logged here, once.
    pub fn unavailable(error: &dyn fmt::Display) -> Self {
        tracing::warn!(%error, "a request could not be served");
        Self { retry_after: Some(1), ..Self::new(Code::Unavailable) }
    }

    /// The same, with seconds after which to try again.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.detail.as_deref().unwrap_or_else(|| self.code.title()))
    }
}

impl std::error::Error for Problem {}

/// An error, as RFC 9457 has it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: String,
    /// The same for every occurrence.
    title: &'static str,
    status: u16,
    /// What went wrong, for programs.
    #[schemars(extend("enum" = Code::ALL.map(Code::as_str)))]
    code: &'static str,
    /// This occurrence, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    /// Every field or parameter that is wrong.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
}

impl JsonSchema for Problem {
    fn schema_name() -> Cow<'static, str> {
        Body::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Body::json_schema(generator)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.code.status()
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        let (name, status, title) = self.code.row();
        let hidden = status.is_server_error();
        let mut response = HttpResponse::build(status);
        if let Some(seconds) = self.retry_after {
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        if self.code == Code::Unauthorized {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        let body = Body {
            kind: format!("urn:bugle:problem:{name}"),
            title,
            status: status.as_u16(),
            code: name,
            detail: self.detail.as_deref().filter(|_| !hidden),
            errors: if hidden { &[] } else { &self.errors },
        };
        // A struct of texts and numbers always becomes JSON.
        let text = serde_json::to_string(&body).unwrap_or_default();
        response.content_type("application/problem+json").body(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::body::MessageBody;
    use serde_json::{Value, json};

    fn body(problem: &Problem) -> Value {
        let bytes = problem.error_response().into_body().try_into_bytes().unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    fn header<'a>(response: &'a HttpResponse, name: &str) -> &'a str {
        response.headers().get(name).unwrap().to_str().unwrap()
    }

    #[test]
    fn each_code_has_its_status_and_a_name_of_its_own() {
        let rows: Vec<_> = Code::ALL.iter().map(|code| (code.as_str(), code.status().as_u16())).collect();
        assert_eq!(
            rows,
            [
                ("bad_request", 400),
                ("unauthorized", 401),
                ("invalid_credentials", 401),
                ("second_factor_needed", 401),
                ("forbidden", 403),
                ("csrf", 403),
                ("not_found", 404),
                ("method_not_allowed", 405),
                ("conflict", 409),
                ("precondition_failed", 412),
                ("too_large", 413),
                ("unsupported_media_type", 415),
                ("invalid", 422),
                ("rate_limited", 429),
                ("internal", 500),
                ("unavailable", 503),
            ]
        );
        for code in Code::ALL {
            let response = Problem::new(code).error_response();
            assert_eq!(response.status(), code.status());
            assert_eq!(header(&response, "content-type"), "application/problem+json");
            assert_eq!(body(&Problem::new(code))["code"], code.as_str());
        }
    }

    #[test]
    fn a_client_is_told_which_field_and_where() {
        let mut error = FieldError::new("query", "no such filter `assigned`");
        error.position = Some(12);
        let expected = json!({
            "type": "urn:bugle:problem:invalid", "title": "something given is not valid", "status": 422,
            "code": "invalid",
            "errors": [{"field": "query", "message": "no such filter `assigned`", "position": 12}],
        });
        assert_eq!(body(&Problem::invalid(vec![error])), expected);
    }

    #[test]
    fn the_text_of_a_failure_does_not_leave() {
        let problem = Problem::with_detail(Code::Internal, "relation events_7 does not exist");
        assert_eq!(body(&problem).get("detail"), None);
        let away = Problem::unavailable(&"password authentication failed");
        assert!(!body(&away).to_string().contains("password"));
        assert_eq!(header(&away.error_response(), "retry-after"), "1");
    }
}
