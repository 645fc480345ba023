//! Answers whose status and shape are part of their type, so that the document cannot say anything else.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::Serialize;

/// An answer with this status and a JSON body; 204 has none. For plain 200 there is actix's `Json`.
#[derive(Debug)]
pub(crate) struct Answer<T, const STATUS: u16> {
    body: T,
    headers: HeaderMap,
}

/// 201 with what was made.
pub(crate) type Created<T> = Answer<T, 201>;
/// 202 with what is under way.
pub(crate) type Accepted<T> = Answer<T, 202>;
/// 204: done, and nothing to say of it.
pub(crate) type NoContent = Answer<(), 204>;

impl<T, const STATUS: u16> Answer<T, STATUS> {
    /// An answer with this body.
    pub(crate) fn of(body: T) -> Self {
        Self { body, headers: HeaderMap::new() }
    }

    /// The same, with a header more.
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// The same, for nobody to keep: it holds a secret.
    pub(crate) fn uncached(self) -> Self {
        self.header(CACHE_CONTROL, HeaderValue::from_static("no-store"))
    }
}

impl NoContent {
    /// An answer without a body.
    pub(crate) fn new() -> Self {
        Self::of(())
    }
}

impl<T: Serialize, const STATUS: u16> Responder for Answer<T, STATUS> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        // The numbers above are all statuses.
        let status = StatusCode::from_u16(STATUS).unwrap_or(StatusCode::OK);
        let mut response = HttpResponse::build(status);
        for header in self.headers {
            response.append_header(header);
        }
        if status == StatusCode::NO_CONTENT { response.finish() } else { response.json(self.body) }
    }
}
