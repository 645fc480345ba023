//! `X-Request-ID`: taken from the client when it can be, made otherwise, returned, and in every log line.

use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest};
use std::future::{Ready, ready};
use std::sync::Arc;
use tracing::Instrument;
use uuid::Uuid;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// Longer ids are replaced.
const MAX_LENGTH: usize = 100;

/// The id of the request at hand. Visible ASCII, 1 to 100 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The client's id when it is 1 to 100 visible ASCII characters, a new one otherwise.
    #[must_use]
    pub fn take_or_make(given: Option<&[u8]>) -> Self {
        let text = given
            .filter(|id| (1..=MAX_LENGTH).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic))
            .and_then(|id| std::str::from_utf8(id).ok());
        Self(text.map_or_else(|| Uuid::now_v7().simple().to_string().into(), Arc::from))
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromRequest for RequestId {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = request.extensions().get::<Self>().cloned();
        ready(Ok(id.unwrap_or_else(|| Self::take_or_make(None))))
    }
}

/// The middleware: `App::new().wrap(from_fn(request_id))`. Handlers take a [`RequestId`].
///
/// # Errors
/// Those of the service behind it.
pub async fn request_id<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let id = RequestId::take_or_make(request.headers().get(&HEADER).map(HeaderValue::as_bytes));
    request.extensions_mut().insert(id.clone());
    let span = tracing::info_span!("request", request_id = id.as_str());
    let mut response = next.call(request).instrument(span).await?;
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(HEADER, value);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usable_id_is_kept_and_any_other_replaced() {
        let longest = "x".repeat(MAX_LENGTH);
        for good in ["a", "req-42/α".trim_end_matches("/α"), longest.as_str()] {
            assert_eq!(RequestId::take_or_make(Some(good.as_bytes())).as_str(), good);
        }
        let too_long = "x".repeat(MAX_LENGTH + 1);
        for bad in ["", "two words", "tab\there", "ümlaut", "line\nbreak", too_long.as_str()] {
            let made = RequestId::take_or_make(Some(bad.as_bytes()));
            assert_ne!(made.as_str(), bad);
            assert_eq!(made.as_str().len(), 32);
        }
        assert_ne!(RequestId::take_or_make(None), RequestId::take_or_make(None));
    }
}
