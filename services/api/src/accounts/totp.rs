//! One-time codes by time: RFC 6238 with SHA-1, 6 digits and 30 seconds, which every authenticator knows.

use chrono::{DateTime, Utc};
use hmac::{Hmac, Mac};
use sha1::Sha1;
use std::fmt::Write;
use subtle::ConstantTimeEq;

/// A step, in seconds.
const STEP: i64 = 30;
/// Clocks may be off by this many steps.
const SKEW: i64 = 1;
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// How many recovery codes there are.
pub const RECOVERY_CODES: usize = 10;

/// The code of a step, 6 digits.
fn code(secret: &[u8], step: i64) -> Option<String> {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).ok()?;
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let offset = usize::from(digest.last()? & 0xf);
    let four: [u8; 4] = digest.get(offset..offset + 4)?.try_into().ok()?;
    Some(format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000))
}

/// The step of a code that is valid at a time, if it is; spaces in it do not count.
#[must_use]
pub fn matching_step(secret: &[u8], given: &str, now: DateTime<Utc>) -> Option<i64> {
    let given: String = given.chars().filter(|c| !c.is_whitespace()).collect();
    let current = now.timestamp().div_euclid(STEP);
    let same = |step: &i64| {
        code(secret, *step).is_some_and(|code| bool::from(code.as_bytes().ct_eq(given.as_bytes())))
    };
    (current - SKEW..=current + SKEW).find(same)
}

/// Base 32 (RFC 4648) without padding.
#[must_use]
pub fn base32(bytes: &[u8]) -> String {
    let bits = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1));
    let bits: Vec<u8> = bits.collect();
    let digit =
        |chunk: &[u8]| (0..5).fold(0, |value, at| value << 1 | chunk.get(at).copied().unwrap_or_default());
    bits.chunks(5)
        .filter_map(|chunk| ALPHABET.get(usize::from(digit(chunk))))
        .map(|digit| char::from(*digit))
        .collect()
}

/// What an authenticator scans.
#[must_use]
pub fn uri(secret: &[u8], account: &str, host: &str) -> String {
    let mut label = String::new();
    for byte in format!("Bugle ({host}):{account}").bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' => {
                label.push(char::from(byte))
            }
            // Writing to a string cannot fail.
            other => drop(write!(label, "%{other:02X}")),
        }
    }
    format!(
        "otpauth://totp/{label}?secret={}&issuer=Bugle&algorithm=SHA1&digits=6&period={STEP}",
        base32(secret)
    )
}

/// A recovery code: 28 letters and digits of base 32, 136 bits, in groups.
#[must_use]
pub fn recovery_code() -> String {
    let text = base32(&rand::random::<[u8; 17]>()).to_lowercase();
    let groups: Vec<String> =
        text.as_bytes().chunks(4).map(|group| String::from_utf8_lossy(group).into_owned()).collect();
    groups.join("-")
}

/// A recovery code as it is hashed: as people may type it, it is the same.
#[must_use]
pub fn plain_recovery_code(typed: &str) -> String {
    typed.chars().filter(|c| c.is_ascii_alphanumeric()).collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, the last six digits of eight.
    #[test]
    fn the_vectors_of_the_rfc() {
        let secret = b"12345678901234567890";
        for (time, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code(secret, time / STEP).as_deref(), Some(expected));
            let at = DateTime::from_timestamp(time, 0).unwrap();
            assert_eq!(matching_step(secret, expected, at), Some(time / STEP));
        }
    }

    #[test]
    fn a_code_is_good_for_a_step_more_on_either_side() {
        let secret = b"12345678901234567890";
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        for good in [0, 30, 59, 89] {
            assert_eq!(matching_step(secret, "287 082", at(good)), Some(1), "{good}");
        }
        for bad in [90, 119, 3600] {
            assert_eq!(matching_step(secret, "287082", at(bad)), None, "{bad}");
        }
        for bad in ["", "28708", "2870820", "287083"] {
            assert_eq!(matching_step(secret, bad, at(59)), None, "{bad}");
        }
    }

    /// RFC 4648, section 10.
    #[test]
    fn base_32() {
        for (given, expected) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(given.as_bytes()), expected);
        }
    }

    #[test]
    fn a_recovery_code_is_the_same_however_it_is_typed() {
        let made = recovery_code();
        assert_eq!(made.len(), 34);
        assert_eq!(plain_recovery_code(&made.to_uppercase().replace('-', " ")), made.replace('-', ""));
    }

    #[test]
    fn a_label_is_escaped() {
        let uri = uri(b"foo", "a b@x", "h");
        assert!(uri.starts_with("otpauth://totp/Bugle%20%28h%29:a%20b%40x?secret=MZXW6&"), "{uri}");
    }
}
