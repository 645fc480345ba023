//! File names without the hashes and versions that a build puts into them.

use super::{Family, all_digits};
use std::borrow::Cow;

/// The last part of a path or URL, without query and fragment.
pub(crate) fn basename(path: &str) -> &str {
    let path = path.split(['?', '#']).next().unwrap_or(path);
    path.rsplit(['/', '\\']).find(|part| !part.is_empty()).unwrap_or(path)
}

/// A segment between dots and dashes that a bundler or a release made.
fn is_generated(segment: &str, family: Family) -> bool {
    if all_digits(segment) {
        return true;
    }
    let digits = segment.bytes().filter(u8::is_ascii_digit).count();
    let hex = segment.len() >= 6 && digits > 0 && segment.bytes().all(|byte| byte.is_ascii_hexdigit());
    if hex || is_version(segment) {
        return true;
    }
    if family != Family::JavaScript || segment.len() < 8 || segment.len() > 32 {
        return false;
    }
    let plain = segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let capital_inside = segment.bytes().skip(1).any(|byte| byte.is_ascii_uppercase());
    plain && ((segment.len() == 8 && capital_inside) || (digits >= 2 && segment.len() >= 8))
}

/// `v12`.
fn is_version(segment: &str) -> bool {
    segment.strip_prefix(['v', 'V']).is_some_and(all_digits)
}

/// The basename in lower case with `*` for hashes, versions and chunk numbers: `app.3f2a1b.js` is `app.*.js`.
/// `None` when nothing of a name is left, as for a page's URL.
pub(crate) fn file(path: &str, family: Family) -> Option<Cow<'_, str>> {
    let base = basename(path);
    if base.is_empty() || matches!(base, "<anonymous>" | "<string>" | "<stdin>" | "<eval>" | "[native code]")
    {
        return None;
    }
    if !base.bytes().any(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase()) {
        return Some(Cow::Borrowed(base));
    }
    let mut out = String::with_capacity(base.len());
    let mut rest = base;
    while !rest.is_empty() {
        let end = rest.find(['.', '-', '~', '@', '_', '+']).unwrap_or(rest.len());
        let end = if family == Family::JavaScript { widen(rest, end) } else { end };
        let (segment, tail) = rest.split_at_checked(end).unwrap_or((rest, ""));
        if is_generated(segment, family) {
            star(&mut out)
        } else {
            out.push_str(&segment.to_ascii_lowercase())
        }
        let mut tail_chars = tail.chars();
        if let Some(separator) = tail_chars.next() {
            out.push(separator);
        }
        rest = tail_chars.as_str();
    }
    Some(Cow::Owned(out))
}

/// Hashes in base64 may hold an underscore: it does not end a segment that it makes eight long.
fn widen(rest: &str, end: usize) -> usize {
    let wide = rest.find(['.', '-', '~', '@', '+']).unwrap_or(rest.len());
    if wide == 8 { wide } else { end }
}

/// `3.6.0` is one star, however many parts it has.
fn star(out: &mut String) {
    let before = out.strip_suffix('.');
    if let Some(before) = before
        && before.ends_with('*')
    {
        out.pop();
        return;
    }
    out.push('*');
}
