//! Answers whose status and shape are part of their type, so that the document cannot say anything else.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
};
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::Serialize;
use std::marker::PhantomData;

/// An answer with this status and a JSON body; `()` is none. For plain 200 there is actix's `Json`.
#[derive(Debug)]
pub(crate) struct Answer<T, const STATUS: u16> {
    body: Option<T>,
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
        Self { body: Some(body), headers: HeaderMap::new() }
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

impl<const STATUS: u16> Answer<(), STATUS> {
    /// An answer without a body.
    pub(crate) fn empty() -> Self {
        Self { body: None, headers: HeaderMap::new() }
    }
}

impl NoContent {
    /// An answer without a body.
    pub(crate) fn new() -> Self {
        Self::empty()
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
        match self.body {
            Some(body) => response.json(body),
            None => response.finish(),
        }
    }
}

/// An answer with this status whose body, if any, is not described: the rest of it is said by headers.
#[derive(Debug)]
pub(crate) struct Bare<const STATUS: u16>(HttpResponse);

/// 302: the browser is to go on elsewhere.
pub(crate) type Redirect = Bare<302>;
/// 101: the connection is a WebSocket from now on.
pub(crate) type Upgrade = Bare<101>;

impl<const STATUS: u16> Bare<STATUS> {
    /// This answer.
    pub(crate) fn of(response: HttpResponse) -> Self {
        debug_assert_eq!(response.status().as_u16(), STATUS);
        Self(response)
    }
}

impl<const STATUS: u16> Responder for Bare<STATUS> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.0
    }
}

/// What a [`Raw`] answer may be made of.
pub(crate) trait Media {
    /// Its media types; the first is the usual one.
    const TYPES: &'static [&'static str];
}

/// 200 with a body that is no JSON made here: a text, a file, a stream. For streams there is actix's `BodyStream`.
#[derive(Debug)]
pub(crate) struct Raw<M> {
    response: HttpResponse,
    media: PhantomData<M>,
}

impl<M: Media> Raw<M> {
    /// An answer of this type, one of the media's.
    pub(crate) fn new(media_type: &'static str, body: impl MessageBody + 'static) -> Self {
        debug_assert!(M::TYPES.contains(&media_type), "{media_type} is not declared");
        let response = HttpResponse::Ok().content_type(media_type).body(body.boxed());
        Self { response, media: PhantomData }
    }

    /// The same, with another header.
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        debug_assert_ne!(name, CONTENT_TYPE, "the type is given to new");
        self.response.headers_mut().insert(name, value);
        self
    }
}

impl<M> Responder for Raw<M> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.response
    }
}

/// A page of HTML for people, made here; its policy lets it load nothing but the styles that it names.
#[derive(Debug)]
pub(crate) struct Shown {
    /// 200, or one of [`Shown::STATUSES`].
    pub(crate) status: StatusCode,
    /// The document.
    pub(crate) html: String,
    /// Its `Content-Security-Policy`.
    pub(crate) policy: HeaderValue,
}

impl Shown {
    /// Not allowed, not there, over.
    pub(crate) const STATUSES: &'static [u16] = &[403, 404, 410];
}

impl Responder for Shown {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let declared = self.status == StatusCode::OK || Self::STATUSES.contains(&self.status.as_u16());
        debug_assert!(declared, "{} is not declared", self.status);
        HttpResponse::build(self.status)
            .insert_header((CONTENT_SECURITY_POLICY, self.policy))
            .content_type("text/html; charset=utf-8")
            .body(self.html)
    }
}
