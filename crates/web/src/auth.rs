//! Tokens: how they are made, sent and compared. What they allow is the API's business.

use actix_web::HttpRequest;
use actix_web::http::header;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Longer tokens are refused unread.
const MAX_TOKEN: usize = 512;

/// SHA-256 of a token: what is stored and looked up.
pub type TokenHash = [u8; 32];

/// The hash of a token.
#[must_use]
pub fn hash(token: &str) -> TokenHash {
    Sha256::digest(token.as_bytes()).into()
}

/// A new token of the API: `bugle_` and 64 hex digits of which 244 bits are random. The prefix lets secret scanners
/// find it.
#[must_use]
pub fn new_token() -> String {
    format!("bugle_{}", new_secret())
}

/// A new secret for a cookie or a link: 64 hex digits of which 244 bits are random.
#[must_use]
pub fn new_secret() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

/// Compares two hashes in a time that does not depend on where they differ.
#[must_use]
pub fn same(left: &TokenHash, right: &TokenHash) -> bool {
    use subtle::ConstantTimeEq;
    left.ct_eq(right).into()
}

/// The token of an `Authorization: Bearer …` header.
#[must_use]
pub fn bearer(request: &HttpRequest) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.trim().split_once(' ')?;
    let token = token.trim();
    let usable = scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && token.len() <= MAX_TOKEN;
    usable.then_some(token)
}

/// The value of a cookie, when it is there once.
#[must_use]
pub fn cookie<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    let headers = request.headers().get_all(header::COOKIE).filter_map(|value| value.to_str().ok());
    let mut found = headers
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(key, _)| *key == name)
        .map(|(_, value)| value.trim_matches('"'));
    let value = found.next().filter(|value| !value.is_empty() && value.len() <= MAX_TOKEN);
    // Of two, one was planted.
    value.filter(|_| found.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn a_cookie_is_read_when_it_is_there_once() {
        let read = |value: &str| {
            let request = TestRequest::default().insert_header((header::COOKIE, value)).to_http_request();
            cookie(&request, "bugle_session").map(str::to_owned)
        };
        assert_eq!(read("a=b; bugle_session=0f; c=d").as_deref(), Some("0f"));
        assert_eq!(read("bugle_session=0f").as_deref(), Some("0f"));
        assert_eq!(read("bugle_session=\"0f\"").as_deref(), Some("0f"));
        for none in ["", "bugle_session=", "xbugle_session=1", "bugle_session=1; bugle_session=2"] {
            assert_eq!(read(none), None, "{none}");
        }
    }
}
