//! Who is sending: the forms in which clients give their public key.

use crate::dsn::normal_key;
pub use crate::dsn::{Dsn, parse_dsn};
use base64::Engine;
use percent_encoding::percent_decode_str;
use thiserror::Error;

/// Clients that say nothing speak version 7; nothing newer exists.
const NEWEST_VERSION: u8 = 7;
const MAX_CLIENT_CHARS: usize = 200;
/// Hexadecimal digits of a public key, which tell it from a person's name.
const KEY_DIGITS: usize = 32;

/// What a client says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientAuth {
    /// The project's public key; hexadecimal ones in lower case.
    pub public_key: String,
    /// The client library, as in `sentry.python/2.75.0`.
    pub client: Option<String>,
    /// The protocol's version, 7 at most.
    pub version: u8,
}

/// Authentication that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AuthError {
    /// Something is there, but without a key.
    #[error("missing sentry_key in {0}")]
    MissingKey(&'static str),
    /// A key with characters that no key has.
    #[error("bad sentry_key in {0}")]
    BadKey(&'static str),
    /// A version that is no number or above 7.
    #[error("sentry_version in {0} is not a version up to {NEWEST_VERSION}")]
    BadVersion(&'static str),
    /// Several places name different keys.
    #[error("multiple authorization payloads detected that disagree")]
    Disagree,
    /// The envelope's `dsn` names another project than the URL.
    #[error("project id header mismatch between envelope and request")]
    ProjectMismatch,
    /// The envelope's `dsn` is not a DSN.
    #[error("dsn in the envelope header cannot be read")]
    BadDsn,
}

/// Reads the key from where clients put it: the `X-Sentry-Auth` header, `Authorization` (`Sentry …` or
/// `Basic …`; other schemes are none of ours) and the query string. Several that agree are accepted; the
/// first, in this order, gives client and version.
///
/// # Errors
/// When one of them is malformed, or when they name different keys.
pub fn parse_auth(
    x_sentry_auth: Option<&str>,
    authorization: Option<&str>,
    query: Option<&str>,
) -> Result<Option<ClientAuth>, AuthError> {
    let found = [
        x_sentry_auth.map(|value| sentry_scheme("x-sentry-auth", value)).transpose()?.flatten(),
        authorization.map(parse_authorization).transpose()?.flatten(),
        query.map(parse_query).transpose()?.flatten(),
    ];
    found.into_iter().flatten().try_fold(None, |first, next| merge(first, next).map(Some))
}

/// Adds a key that stands in the URL's path (`/cron/{slug}/{key}/`).
///
/// # Errors
/// When the key is malformed, or differs from the one already found.
pub fn with_path_key(auth: Option<ClientAuth>, key: &str) -> Result<ClientAuth, AuthError> {
    let public_key = normal_key(key).ok_or(AuthError::BadKey("path"))?;
    merge(auth, ClientAuth { public_key, client: None, version: NEWEST_VERSION })
}

/// Adds the `dsn` of an envelope's header, and checks it against the project in the URL, if there is one.
///
/// # Errors
/// When it is no DSN, or its key or project differ from the request's.
pub fn with_dsn(
    auth: Option<ClientAuth>,
    dsn: &str,
    url_project: Option<&str>,
) -> Result<ClientAuth, AuthError> {
    let dsn = parse_dsn(dsn).ok_or(AuthError::BadDsn)?;
    if url_project.is_some_and(|project| project != dsn.project) {
        return Err(AuthError::ProjectMismatch);
    }
    merge(auth, ClientAuth { public_key: dsn.public_key, client: None, version: NEWEST_VERSION })
}

/// The decoded value of `name` in a query string.
#[must_use]
pub fn query_value(query: &str, name: &str) -> Option<String> {
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

fn merge(first: Option<ClientAuth>, next: ClientAuth) -> Result<ClientAuth, AuthError> {
    match first {
        None => Ok(next),
        Some(first) if first.public_key != next.public_key => Err(AuthError::Disagree),
        Some(first) => Ok(ClientAuth { client: first.client.or(next.client), ..first }),
    }
}

fn parse_authorization(value: &str) -> Result<Option<ClientAuth>, AuthError> {
    match split_scheme(value) {
        (scheme, rest) if scheme.eq_ignore_ascii_case("basic") => Ok(basic(rest)),
        _ => sentry_scheme("authorization", value),
    }
}

/// `Basic` may as well belong to a proxy in between: what holds no key is no error.
fn basic(encoded: &str) -> Option<ClientAuth> {
    let decoded = base64::engine::general_purpose::STANDARD.decode(encoded.trim()).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let public_key = normal_key(text.split(':').next()?)?;
    if public_key.len() != KEY_DIGITS || !public_key.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    Some(ClientAuth { public_key, client: None, version: NEWEST_VERSION })
}

fn sentry_scheme(place: &'static str, value: &str) -> Result<Option<ClientAuth>, AuthError> {
    let (scheme, rest) = split_scheme(value);
    if !scheme.eq_ignore_ascii_case("sentry") {
        return Ok(None);
    }
    let pairs = rest.split(',').filter_map(|pair| pair.split_once('='));
    // Old SDKs percent-encode their name here.
    let pairs = pairs.map(|(key, value)| (key.trim(), percent_decode_str(value.trim()).decode_utf8_lossy()));
    from_pairs(place, pairs).map(Some)
}

fn split_scheme(value: &str) -> (&str, &str) {
    value.trim().split_once([' ', '\t']).unwrap_or((value.trim(), ""))
}

fn parse_query(query: &str) -> Result<Option<ClientAuth>, AuthError> {
    // A header may carry the key while the query carries the rest.
    if !query.contains("sentry_key") || query_value(query, "sentry_key").is_none() {
        return Ok(None);
    }
    let pairs: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).collect();
    from_pairs("query", pairs.iter().map(|(key, value)| (key.as_ref(), value.clone()))).map(Some)
}

fn from_pairs<'a>(
    place: &'static str,
    pairs: impl Iterator<Item = (&'a str, std::borrow::Cow<'a, str>)>,
) -> Result<ClientAuth, AuthError> {
    let (mut key, mut client, mut version) = (None, None, NEWEST_VERSION);
    for (name, value) in pairs {
        match name {
            "sentry_key" => key = Some(normal_key(&value).ok_or(AuthError::BadKey(place))?),
            "sentry_client" if !value.is_empty() => {
                client = Some(value.chars().filter(|c| !c.is_control()).take(MAX_CLIENT_CHARS).collect());
            }
            "sentry_version" => version = major(&value).ok_or(AuthError::BadVersion(place))?,
            _ => {}
        }
    }
    Ok(ClientAuth { public_key: key.ok_or(AuthError::MissingKey(place))?, client, version })
}

fn major(version: &str) -> Option<u8> {
    let number: u8 = version.trim().split('.').next()?.parse().ok()?;
    (number <= NEWEST_VERSION).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auth(key: &str, client: Option<&str>, version: u8) -> Option<ClientAuth> {
        Some(ClientAuth { public_key: key.into(), client: client.map(Into::into), version })
    }

    #[test]
    fn the_header_of_server_sdks() {
        let header = "Sentry sentry_key=B0B0, sentry_version=7, sentry_client=sentry.python/2.75.0, sentry_timestamp=1.5";
        assert_eq!(parse_auth(Some(header), None, None), Ok(auth("b0b0", Some("sentry.python/2.75.0"), 7)));
        assert_eq!(parse_auth(None, Some(header), None), Ok(auth("b0b0", Some("sentry.python/2.75.0"), 7)));
        assert_eq!(parse_auth(Some("sentry sentry_key=abc"), None, None), Ok(auth("abc", None, 7)));
        assert_eq!(
            parse_auth(Some("SENTRY sentry_secret=x,sentry_version=5.0,sentry_key=abc"), None, None),
            Ok(auth("abc", None, 5))
        );
    }

    #[test]
    fn the_query_of_browsers() {
        let query = "sentry_version=7&sentry_key=abc&sentry_client=sentry.javascript.browser%2F11.12.0";
        assert_eq!(
            parse_auth(None, None, Some(query)),
            Ok(auth("abc", Some("sentry.javascript.browser/11.12.0"), 7))
        );
        assert_eq!(parse_auth(None, None, Some("a=b")), Ok(None));
        assert_eq!(parse_auth(None, None, Some("sentry_environment=x")), Ok(None));
    }

    #[test]
    fn basic_carries_the_key_as_user() {
        let basic = |text: &str| format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text));
        let key = "0123456789abcdef0123456789abcdef";
        for user in [format!("{key}:"), key.to_owned(), format!("{key}:secret")] {
            assert_eq!(parse_auth(None, Some(&basic(&user)), None), Ok(auth(key, None, 7)), "{user}");
        }
        // The browser gives a password that guards a whole site to the tunnel, too.
        let person = basic("staging:let-me-in");
        assert_eq!(parse_auth(None, Some(&person), None), Ok(None));
        assert_eq!(parse_auth(None, Some(&person), Some("sentry_key=abc")), Ok(auth("abc", None, 7)));
        assert_eq!(parse_auth(None, Some("Basic ???"), None), Ok(None));
        assert_eq!(parse_auth(None, Some("Bearer abc"), None), Ok(None));
    }

    #[test]
    fn several_must_agree() {
        let header = Some("Sentry sentry_key=abc");
        assert_eq!(
            parse_auth(header, None, Some("sentry_key=abc&sentry_client=x")),
            Ok(auth("abc", Some("x"), 7))
        );
        assert_eq!(parse_auth(header, None, Some("sentry_key=abd")), Err(AuthError::Disagree));
        let found = parse_auth(header, None, None).unwrap();
        assert_eq!(with_path_key(found.clone(), "other"), Err(AuthError::Disagree));
        assert_eq!(with_path_key(None, "abc").ok(), auth("abc", None, 7));
        let dsn = "https://abc@localhost/1";
        assert_eq!(with_dsn(found.clone(), dsn, Some("1")).ok(), auth("abc", None, 7));
        assert_eq!(with_dsn(found, dsn, Some("2")), Err(AuthError::ProjectMismatch));
        assert_eq!(with_dsn(auth("x", None, 7), dsn, None), Err(AuthError::Disagree));
        assert_eq!(with_dsn(None, "nonsense", None), Err(AuthError::BadDsn));
    }

    #[test]
    fn what_is_malformed_is_named() {
        for (header, error) in [
            ("Sentry sentry_version=7", AuthError::MissingKey("x-sentry-auth")),
            ("Sentry sentry_key=a b", AuthError::BadKey("x-sentry-auth")),
            ("Sentry sentry_key=", AuthError::BadKey("x-sentry-auth")),
            ("Sentry sentry_key=abc, sentry_version=8", AuthError::BadVersion("x-sentry-auth")),
            ("Sentry sentry_key=abc, sentry_version=x", AuthError::BadVersion("x-sentry-auth")),
        ] {
            assert_eq!(parse_auth(Some(header), None, None), Err(error), "{header}");
        }
    }

    #[test]
    fn query_values_are_decoded() {
        assert_eq!(query_value("sentry_release=a%401&x=y+z", "sentry_release").as_deref(), Some("a@1"));
        assert_eq!(query_value("sentry_release=a%401&x=y+z", "x").as_deref(), Some("y z"));
        assert_eq!(query_value("x=y", "z"), None);
    }
}
