//! Numbers in all bases, ids, hashes, durations.
//!
//! Integers, fractions and hexadecimal numbers share one placeholder: an id of eight hex digits has no letter
//! in one of forty cases, and the same quantity is written `2` here and `2.0` there.

use super::{Found, Text, dates, is_word, network};

/// A number in any base.
const NUM: &str = "<num>";
const UUID: &str = "<uuid>";
const HASH: &str = "<hash>";

/// Units that may stand right behind a number without making a name of it.
const UNITS: [&str; 26] = [
    "b", "kb", "mb", "gb", "tb", "kib", "mib", "gib", "k", "m", "g", "x", "px", "em", "rem", "pt", "st",
    "nd", "rd", "th", "hz", "khz", "mhz", "ghz", "bit", "bytes",
];
const TIME_UNITS: [&str; 17] = [
    "ns", "us", "ms", "s", "sec", "secs", "seconds", "second", "min", "mins", "minutes", "h", "hr", "hrs",
    "hours", "d", "days",
];

pub(super) fn beginning_with_digit(text: Text<'_>, index: usize, before: u8) -> Found {
    dates::beginning_with_digit(text, index, before)
        .or_else(|| uuid(text, index))
        .or_else(|| network::mac(text, index))
        .or_else(|| trace(text, index))
        .or_else(|| network::ip4(text, index).map(|length| (length, "<ip>")))
        .or_else(|| network::ip6(text, index, before))
        .or_else(|| prefixed_hex(text, index))
        .or_else(|| decimal(text, index))
        .or_else(|| word(text, index))
}

/// `-3.5` after anything that is not a word.
pub(super) fn signed(text: Text<'_>, index: usize) -> Found {
    decimal(text, index + 1).map(|(length, placeholder)| (length + 1, placeholder))
}

/// `.5`.
pub(super) fn fraction(text: Text<'_>, index: usize) -> Found {
    let digits = text.digits(index + 1);
    (!is_word(text.at(index + 1 + digits))).then_some((digits + 1, NUM))
}

/// The length of `1`, `1.5`, `1,234,567`, `1e9` or a version such as `1.2.3`.
fn number(text: Text<'_>, index: usize) -> usize {
    let mut length = text.run(index, 512, |byte| byte.is_ascii_digit());
    while text.at(index + length) == b','
        && length <= 27
        && text.digits(index + length + 1) == 3
        && !is_word(text.at(index + length + 4))
    {
        length += 4;
    }
    while text.at(index + length) == b'.' && text.at(index + length + 1).is_ascii_digit() && length < 512 {
        length += 1 + text.run(index + length + 1, 512, |byte| byte.is_ascii_digit());
    }
    if matches!(text.at(index + length), b'e' | b'E') {
        let sign = usize::from(matches!(text.at(index + length + 1), b'+' | b'-'));
        let exponent = text.digits(index + length + 1 + sign);
        if exponent > 0 && !is_word(text.at(index + length + 1 + sign + exponent)) {
            length += 1 + sign + exponent;
        }
    }
    length
}

/// A number, alone or with a unit: `12`, `1.5s`, `10MB`.
fn decimal(text: Text<'_>, index: usize) -> Found {
    let length = number(text, index);
    if length == 0 {
        return None;
    }
    let end = index + length;
    if text.starts(end, "µs".as_bytes()) && !is_word(text.at(end + 3)) {
        return Some((length + 3, "<duration>"));
    }
    let unit = text.run(end, 9, is_word);
    if unit == 0 {
        return Some((length, NUM));
    }
    let unit_text = text.from(end).get(..unit)?;
    if TIME_UNITS.iter().any(|known| known.as_bytes() == unit_text) {
        return Some((length + unit, "<duration>"));
    }
    UNITS.iter().any(|known| unit_text.eq_ignore_ascii_case(known.as_bytes())).then_some((length, NUM))
}

/// `0x7f3a`, and the same with `0b` and `0o`.
fn prefixed_hex(text: Text<'_>, index: usize) -> Found {
    if text.at(index) != b'0' || !matches!(text.at(index + 1) | 0x20, b'x' | b'b' | b'o') {
        return None;
    }
    let digits = text.run(index + 2, 256, |byte| byte.is_ascii_hexdigit());
    (digits > 0 && !is_word(text.at(index + 2 + digits))).then_some((digits + 2, NUM))
}

/// Groups of hex digits of the given lengths with dashes between, and no word after.
fn dashed(text: Text<'_>, index: usize, groups: &[usize]) -> Option<usize> {
    let mut at = index;
    for (number, group) in groups.iter().enumerate() {
        if number > 0 {
            if text.at(at) != b'-' {
                return None;
            }
            at += 1;
        }
        if text.run(at, group + 1, |byte| byte.is_ascii_hexdigit()) != *group {
            return None;
        }
        at += group;
    }
    (!is_word(text.at(at))).then_some(at - index)
}

/// A UUID with dashes.
pub(super) fn uuid(text: Text<'_>, index: usize) -> Found {
    if text.at(index + 8) != b'-' {
        return None;
    }
    dashed(text, index, &[8, 4, 4, 4, 12]).map(|length| (length, UUID))
}

/// A `traceparent` header, or the one of AWS.
fn trace(text: Text<'_>, index: usize) -> Found {
    match (text.at(index + 1), text.at(index + 2)) {
        (b'-', _) => dashed(text, index, &[1, 8, 24]),
        (_, b'-') => dashed(text, index, &[2, 32, 16, 2]),
        _ => None,
    }
    .map(|length| (length, "<trace>"))
}

/// A whole word that is a hexadecimal number, a digest or a random id.
pub(super) fn word(text: Text<'_>, index: usize) -> Found {
    let length = text.run(index, 257, is_word);
    if !(7..=256).contains(&length) {
        return None;
    }
    let word = text.from(index).get(..length)?;
    classify(word).map(|placeholder| (length, placeholder))
}

fn classify(word: &[u8]) -> Option<&'static str> {
    let digits = word.iter().filter(|byte| byte.is_ascii_digit()).count();
    if digits == 0 {
        return None;
    }
    if word.iter().all(u8::is_ascii_hexdigit) {
        return match word.len() {
            32 | 40 | 56 | 64 | 96 | 128 => Some(HASH),
            7..=128 => Some(NUM),
            _ => None,
        };
    }
    // Names such as `utf8mb4` or `test_2_of_10` have few places where letters and digits meet.
    let changes = word
        .windows(2)
        .filter(|pair| matches!(pair, [a, b] if a.is_ascii_digit() != b.is_ascii_digit()))
        .count();
    let plain = word.iter().all(u8::is_ascii_alphanumeric);
    (plain && word.len() >= 16 && digits >= 3 && changes >= 4).then_some("<id>")
}
