//! What proves that a request comes from Twilio or Slack. Pure; both compare in a time that does not depend on where something differs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::Sha256;
use std::collections::{BTreeMap, BTreeSet};
use url::Url;

/// How far Slack's timestamp may be off, in seconds: what is older may be a request that somebody has recorded
/// (<https://api.slack.com/authentication/verifying-requests-from-slack>).
const TOLERANCE: u64 = 5 * 60;

/// Whether Twilio has signed a form: base64 of the HMAC-SHA1, keyed with the account's token, over the URL that it calls and, by name, each
/// field's name and value (<https://www.twilio.com/docs/usage/security#validating-requests>). Twilio's own libraries take the URL
/// with and without its port, because Twilio does not always sign the one that it was given; so does this.
#[must_use]
pub(crate) fn is_twilios(token: &str, url: &Url, fields: &[(String, String)], given: &str) -> bool {
    let Ok(given) = STANDARD.decode(given) else { return false };
    let mut by_name: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, value) in fields {
        by_name.entry(name).or_default().insert(value);
    }
    let with_and_without = [with_port(url), without_port(url)];
    let tries = with_and_without.iter().map(|url| {
        let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(token.as_bytes()) else { return false };
        mac.update(url.as_bytes());
        for (name, values) in &by_name {
            for value in values {
                mac.update(name.as_bytes());
                mac.update(value.as_bytes());
            }
        }
        mac.verify_slice(&given).is_ok()
    });
    // Each is looked at, whatever the one before was.
    tries.fold(false, |found, one| found | one)
}

/// The port is written although it is the scheme's own, which `Url` leaves out.
fn with_port(url: &Url) -> String {
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
        return url.to_string();
    };
    let rest = url.as_str().split_once("://").map_or("", |(_, rest)| rest);
    let path = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default();
    format!("{}://{host}:{port}{path}", url.scheme())
}

fn without_port(url: &Url) -> String {
    let mut url = url.clone();
    // Only a URL without a host has none to lose.
    let _ = url.set_port(None);
    url.into()
}

/// Whether Slack has signed a body within the last five minutes: `v0=` and the hexadecimal HMAC-SHA256, keyed with the app's signing secret,
/// over `v0:{timestamp}:{body}`.
#[must_use]
pub(crate) fn is_slacks(secret: &str, timestamp: &str, body: &[u8], given: &str, now: DateTime<Utc>) -> bool {
    let Ok(at) = timestamp.parse::<i64>() else { return false };
    if now.timestamp().abs_diff(at) > TOLERANCE {
        return false;
    }
    let Some(given) = given.strip_prefix("v0=").and_then(bytes) else { return false };
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return false };
    mac.update(format!("v0:{timestamp}:").as_bytes());
    mac.update(body);
    mac.verify_slice(&given).is_ok()
}

/// Bytes from hexadecimal digits in lower case.
fn bytes(hex: &str) -> Option<Vec<u8>> {
    if !hex.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: &u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    };
    hex.as_bytes().chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    /// Of Twilio's documentation.
    const TWILIO_URL: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";
    const TWILIO_SIGNATURE: &str = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";

    fn call() -> Vec<(String, String)> {
        form(&[
            ("CallSid", "CA1234567890ABCDE"),
            ("Caller", "+14158675309"),
            ("Digits", "1234"),
            ("From", "+14158675309"),
            ("To", "+18005551212"),
        ])
    }

    fn twilio(token: &str, url: &str, fields: &[(String, String)], given: &str) -> bool {
        is_twilios(token, &url.parse().unwrap(), fields, given)
    }

    #[test]
    fn twilios_example_is_twilios() {
        assert!(twilio("12345", TWILIO_URL, &call(), TWILIO_SIGNATURE));
        let mut unsorted = call();
        unsorted.reverse();
        assert!(twilio("12345", TWILIO_URL, &unsorted, TWILIO_SIGNATURE), "in any order");
    }

    #[test]
    fn what_differs_from_twilios_example_is_not_twilios() {
        let mut altered = call();
        altered[2].1 = "1235".to_owned();
        let more: Vec<_> = call().into_iter().chain(form(&[("Extra", "1")])).collect();
        for (name, token, url, fields, given) in [
            ("wrong token", "12346", TWILIO_URL, call(), TWILIO_SIGNATURE),
            ("no token", "", TWILIO_URL, call(), TWILIO_SIGNATURE),
            ("altered", "12345", TWILIO_URL, altered, TWILIO_SIGNATURE),
            ("one field more", "12345", TWILIO_URL, more, TWILIO_SIGNATURE),
            ("no fields", "12345", TWILIO_URL, Vec::new(), TWILIO_SIGNATURE),
            ("another path", "12345", "https://mycompany.com/other?foo=1&bar=2", call(), TWILIO_SIGNATURE),
            ("http", "12345", "http://mycompany.com/myapp.php?foo=1&bar=2", call(), TWILIO_SIGNATURE),
            ("no signature", "12345", TWILIO_URL, call(), ""),
            ("no base64", "12345", TWILIO_URL, call(), "?"),
            ("cut", "12345", TWILIO_URL, call(), "RSOYDt4T1cUTdK1PDd93"),
        ] {
            assert!(!twilio(token, url, &fields, given), "{name}");
        }
    }

    #[test]
    fn a_port_may_be_signed_or_not() {
        let sign = |url: &str| {
            let mut mac = Hmac::<Sha1>::new_from_slice(b"12345").unwrap();
            mac.update(format!("{url}Digits1234").as_bytes());
            STANDARD.encode(mac.finalize().into_bytes())
        };
        let fields = form(&[("Digits", "1234")]);
        for (ours, signed, expected) in [
            ("https://a.example/x?y=1", "https://a.example/x?y=1", true),
            ("https://a.example/x?y=1", "https://a.example:443/x?y=1", true),
            ("https://a.example:8443/x", "https://a.example:8443/x", true),
            ("https://a.example:8443/x", "https://a.example/x", true),
            ("http://a.example/x", "http://a.example:80/x", true),
            ("https://a.example/x", "https://a.example:8443/x", false),
            ("https://a.example/x", "https://b.example/x", false),
        ] {
            assert_eq!(twilio("12345", ours, &fields, &sign(signed)), expected, "{ours} {signed}");
        }
    }

    /// Of Slack's documentation.
    const SLACK_SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
    const SLACK_AT: i64 = 1_531_420_618;
    const SLACK_BODY: &str = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    const SLACK_SIGNATURE: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";

    fn slack(secret: &str, at: &str, body: &str, given: &str, now: i64) -> bool {
        is_slacks(secret, at, body.as_bytes(), given, DateTime::from_timestamp(now, 0).unwrap())
    }

    #[test]
    fn slacks_example_is_slacks_for_five_minutes() {
        let at = SLACK_AT.to_string();
        for (now, expected) in [(0, true), (300, true), (-300, true), (301, false), (-301, false)] {
            assert_eq!(
                slack(SLACK_SECRET, &at, SLACK_BODY, SLACK_SIGNATURE, SLACK_AT + now),
                expected,
                "{now}"
            );
        }
    }

    #[test]
    fn what_differs_from_slacks_example_is_not_slacks() {
        let at = SLACK_AT.to_string();
        let altered = SLACK_BODY.replace("roadrunner", "coyote");
        let version = SLACK_SIGNATURE.replace("v0=", "v1=");
        for (name, secret, at, body, given) in [
            ("wrong secret", "8f742231b10e8888abcd99yyyzzz85a6", at.as_str(), SLACK_BODY, SLACK_SIGNATURE),
            ("no secret", "", &at, SLACK_BODY, SLACK_SIGNATURE),
            ("altered", SLACK_SECRET, &at, &altered, SLACK_SIGNATURE),
            ("another time", SLACK_SECRET, "1531420619", SLACK_BODY, SLACK_SIGNATURE),
            ("no time", SLACK_SECRET, "", SLACK_BODY, SLACK_SIGNATURE),
            ("another version", SLACK_SECRET, &at, SLACK_BODY, &version),
            ("no signature", SLACK_SECRET, &at, SLACK_BODY, ""),
            ("nothing in it", SLACK_SECRET, &at, SLACK_BODY, "v0="),
            ("no digits", SLACK_SECRET, &at, SLACK_BODY, "v0=ä0"),
            ("cut", SLACK_SECRET, &at, SLACK_BODY, "v0=a2114d57b48eac39b9ad189dd8316235"),
        ] {
            assert!(!slack(secret, at, body, given, SLACK_AT), "{name}");
        }
    }
}
