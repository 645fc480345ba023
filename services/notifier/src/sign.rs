//! Signatures of Standard Webhooks 1.0.0 (`v1`: HMAC-SHA256 over `{id}.{timestamp}.{body}`).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// How far a timestamp may be off for a receiver, in seconds.
pub const TOLERANCE: i64 = 5 * 60;

/// The secret is not base64, with or without `whsec_`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signing secret is not `whsec_` and base64")]
pub struct BadSecret;

fn mac(secret: &str, id: &str, timestamp: i64, body: &[u8]) -> Result<Hmac<Sha256>, BadSecret> {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap_or(secret)).map_err(|_| BadSecret)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| BadSecret)?;
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    Ok(mac)
}

/// The value of `webhook-signature`.
///
/// # Errors
/// [`BadSecret`].
pub fn signature(secret: &str, id: &str, timestamp: i64, body: &[u8]) -> Result<String, BadSecret> {
    let tag = mac(secret, id, timestamp, body)?.finalize().into_bytes();
    Ok(format!("v1,{}", STANDARD.encode(tag)))
}

/// What a receiver does: whether one of the signatures in the header is right and the timestamp recent.
#[must_use]
pub fn verify(secret: &str, id: &str, timestamp: &str, header: &str, body: &[u8], now: i64) -> bool {
    let Ok(at) = timestamp.parse::<i64>() else { return false };
    if now.abs_diff(at) > TOLERANCE.unsigned_abs() {
        return false;
    }
    header.split(' ').filter_map(|part| part.strip_prefix("v1,")).any(|part| {
        let tag = STANDARD.decode(part).unwrap_or_default();
        mac(secret, id, at, body).is_ok_and(|mac| mac.verify_slice(&tag).is_ok())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const AT: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    #[test]
    fn signs_as_the_standards_example() {
        assert_eq!(signature(SECRET, ID, AT, BODY).as_deref(), Ok(SIGNATURE));
        let bare = SECRET.strip_prefix("whsec_").unwrap();
        assert_eq!(signature(bare, ID, AT, BODY).as_deref(), Ok(SIGNATURE), "without the prefix");
        assert_eq!(signature("whsec_?", ID, AT, BODY), Err(BadSecret));
    }

    #[test]
    fn receivers_refuse_what_they_should() {
        let at = AT.to_string();
        let check = |id: &str, at: &str, header: &str, now: i64| verify(SECRET, id, at, header, BODY, now);
        assert!(check(ID, &at, SIGNATURE, AT));
        assert!(check(ID, &at, SIGNATURE, AT + 299) && check(ID, &at, SIGNATURE, AT - 299));
        let wrong = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=";
        assert!(check(ID, &at, &format!("{wrong} {SIGNATURE}"), AT), "the right one may come second");
        assert!(check(ID, &at, &format!("v1a,abc v2,def {SIGNATURE}"), AT), "unknown versions are skipped");
        for (name, id, at, header, now) in [
            ("no id", "", at.as_str(), SIGNATURE, AT),
            ("no timestamp", ID, "", SIGNATURE, AT),
            ("no signature", ID, &at, "", AT),
            ("too old", ID, &at, SIGNATURE, AT + 301),
            ("too new", ID, &at, SIGNATURE, AT - 301),
            ("another time", ID, "1614265331", SIGNATURE, AT),
            ("unknown version only", ID, &at, &SIGNATURE.replace("v1,", "v2,"), AT),
            ("wrong", ID, &at, wrong, AT),
            ("partial", ID, &at, "v1,g0hM9SsE+OTPJTGt", AT),
            ("version only", ID, &at, "v1,", AT),
        ] {
            assert!(!check(id, at, header, now), "{name}");
        }
        assert!(!verify(SECRET, ID, &at, SIGNATURE, b"{}", AT), "another body");
    }
}
