//! Email addresses, URLs, IP and hardware addresses.

use super::{Found, Text, is_word};

fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-')
}

/// `name@host.tld`.
pub(super) fn email(text: Text<'_>, index: usize) -> Found {
    let local = text.run(index, 65, is_local);
    if local == 0 || local > 64 || text.at(index + local) != b'@' {
        return None;
    }
    let start = index + local + 1;
    let mut domain = text.run(start, 253, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
    while domain > 0 && matches!(text.at(start + domain - 1), b'.' | b'-') {
        domain -= 1;
    }
    let host = text.from(start).get(..domain)?;
    let dot = memchr::memrchr(b'.', host)?;
    (dot > 0 && domain - dot > 2).then_some((local + 1 + domain, "<email>"))
}

/// `scheme://…` up to white space, a quote or a bracket.
pub(super) fn url(text: Text<'_>, index: usize) -> Found {
    let scheme =
        text.run(index, 24, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'.' | b'-'));
    if scheme < 2 || !text.starts(index + scheme, b"://") || !text.at(index).is_ascii_alphabetic() {
        return None;
    }
    let start = index + scheme + 3;
    let mut rest = text.run(start, usize::MAX, |byte| {
        !byte.is_ascii_whitespace()
            && !matches!(
                byte,
                b'"' | b'\'' | b'<' | b'>' | b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'`' | b'|'
            )
    });
    while rest > 0 && matches!(text.at(start + rest - 1), b'.' | b',' | b';' | b':' | b'!' | b'?') {
        rest -= 1;
    }
    (rest > 0).then_some((scheme + 3 + rest, "<url>"))
}

/// Four numbers of at most 255 with dots between; none before or after.
pub(super) fn ip4(text: Text<'_>, index: usize) -> Option<usize> {
    let mut at = index;
    for group in 0..4 {
        if group > 0 {
            if text.at(at) != b'.' {
                return None;
            }
            at += 1;
        }
        let digits = text.digits(at);
        let value =
            text.from(at).iter().take(digits.min(4)).fold(0u32, |sum, b| sum * 10 + u32::from(b - b'0'));
        if digits == 0 || digits > 3 || value > 255 {
            return None;
        }
        at += digits;
    }
    let more = is_word(text.at(at)) || (text.at(at) == b'.' && text.at(at + 1).is_ascii_digit());
    (!more).then_some(at - index)
}

/// An IPv6 address: eight groups, or fewer with one `::`, and a digit somewhere (`Foo::bar` and `add::bad` are
/// names).
pub(super) fn ip6(text: Text<'_>, index: usize, before: u8) -> Found {
    if is_word(before) || before == b':' {
        return None;
    }
    let length = text.run(index, 46, |byte| byte.is_ascii_hexdigit() || byte == b':');
    let mut token = text.from(index).get(..length)?;
    let mut taken = length;
    if !token.ends_with(b"::") && token.ends_with(b":") {
        token = token.strip_suffix(b":")?;
        taken -= 1;
    }
    let after = text.at(index + taken);
    if is_word(after) || !token.iter().any(u8::is_ascii_digit) {
        return None;
    }
    let mut groups = 0;
    let mut gaps = 0;
    for group in token.split(|byte| *byte == b':') {
        match group.len() {
            0 => gaps += 1,
            1..=4 => groups += 1,
            _ => return None,
        }
    }
    let at_edge = token.starts_with(b"::") || token.ends_with(b"::");
    let compressed = groups < 8 && (gaps == 1 && !token.starts_with(b":") || gaps == 2 && at_edge);
    if !(groups == 8 && gaps == 0 || compressed) {
        return None;
    }
    let mapped = if after == b'.' { dotted_tail(text, index, token) } else { 0 };
    Some((taken + mapped, "<ip>"))
}

/// How much of `.1.2.3` follows the last group, as in `::ffff:10.1.2.3`.
fn dotted_tail(text: Text<'_>, index: usize, token: &[u8]) -> usize {
    let last = token.rsplit(|byte| *byte == b':').next().map_or(0, <[u8]>::len);
    let start = index + token.len() - last;
    ip4(text, start).map_or(0, |length| length - last)
}

/// Six groups of two hex digits with `:` or `-` between.
pub(super) fn mac(text: Text<'_>, index: usize) -> Found {
    let separator = text.at(index + 2);
    if !matches!(separator, b':' | b'-') {
        return None;
    }
    for group in 0..6 {
        let at = index + group * 3;
        if text.run(at, 3, |byte| byte.is_ascii_hexdigit()) != 2 {
            return None;
        }
        if group < 5 && text.at(at + 2) != separator {
            return None;
        }
    }
    let after = text.at(index + 17);
    (!is_word(after) && after != separator).then_some((17, "<mac>"))
}
