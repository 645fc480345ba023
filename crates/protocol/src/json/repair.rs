//! Making JSON out of what some clients take for it.

use std::borrow::Cow;

/// Replaces escaped surrogates that have no partner by U+FFFD, in place: JavaScript cuts strings between the
/// two halves of an emoji, and no strict parser accepts the half.
pub(crate) fn patch_surrogates(bytes: &[u8]) -> Cow<'_, [u8]> {
    let has_any =
        memchr::memmem::find(bytes, b"\\ud").is_some() || memchr::memmem::find(bytes, b"\\uD").is_some();
    if !has_any {
        return Cow::Borrowed(bytes);
    }
    let mut lone = Vec::new();
    let mut at = 0;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr(b'\\', rest)) {
        at += found;
        at += match surrogate(bytes, at) {
            Some(Half::High) if surrogate(bytes, at + 6) == Some(Half::Low) => 12,
            Some(_) => {
                lone.push(at);
                6
            }
            None => 2,
        };
    }
    if lone.is_empty() {
        return Cow::Borrowed(bytes);
    }
    let mut patched = bytes.to_vec();
    for at in lone {
        if let Some(digits) = patched.get_mut(at + 2..at + 6) {
            digits.copy_from_slice(b"fffd");
        }
    }
    Cow::Owned(patched)
}

#[derive(PartialEq, Eq)]
enum Half {
    High,
    Low,
}

fn surrogate(bytes: &[u8], at: usize) -> Option<Half> {
    match bytes.get(at..at + 6)? {
        [b'\\', b'u', b'd' | b'D', second, third, fourth]
            if third.is_ascii_hexdigit() && fourth.is_ascii_hexdigit() =>
        {
            match second.to_ascii_lowercase() {
                b'8'..=b'9' | b'a'..=b'b' => Some(Half::High),
                b'c'..=b'f' => Some(Half::Low),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Rewrites what a strict parser refuses: `NaN` and `Infinity` become null (old Python SDKs), numbers beyond
/// an f64 become text, control characters within strings are escaped, and escapes that do not exist lose
/// their meaning. Anything else stays as it is, so that true nonsense is still refused.
pub(crate) fn repair(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (taken, remaining) = match first {
            '"' => string(rest, &mut out),
            'N' | 'I' | '-' | '0'..='9' => token(rest, &mut out),
            _ => {
                out.push(first);
                (first.len_utf8(), rest)
            }
        };
        rest = remaining.get(taken..).unwrap_or_default();
    }
    out
}

/// Copies the string literal at the start of `rest`; gives back its length.
fn string<'a>(rest: &'a str, out: &mut String) -> (usize, &'a str) {
    out.push('"');
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                out.push('"');
                return (at + 1, rest);
            }
            '\\' => match chars.next() {
                Some((_, escaped @ ('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't'))) => {
                    out.extend(['\\', escaped])
                }
                Some((escape, 'u')) if has_four_digits(rest, escape + 1) => out.push_str("\\u"),
                Some((_, other)) if !other.is_control() => out.extend(['\\', '\\', other]),
                Some(_) | None => out.push_str("\\\\"),
            },
            control if control < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    (rest.len(), rest)
}

fn has_four_digits(text: &str, at: usize) -> bool {
    text.get(at..at + 4).is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Copies the number or word at the start of `rest`; gives back its length.
fn token<'a>(rest: &'a str, out: &mut String) -> (usize, &'a str) {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.');
    let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
    let token = rest.get(..end).unwrap_or_default();
    match token {
        "NaN" | "Infinity" | "-Infinity" => out.push_str("null"),
        _ if token.parse::<f64>().is_ok_and(f64::is_infinite) && !token.contains(['i', 'I', 'n', 'N']) => {
            out.push('"');
            out.push_str(token);
            out.push('"');
        }
        _ => out.push_str(token),
    }
    (end, rest)
}
