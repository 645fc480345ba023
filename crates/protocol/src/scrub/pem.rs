//! Private keys in PEM (RFC 7468).

use std::ops::Range;

const LABEL: &[u8] = b"PRIVATE KEY";
const END: &[u8] = b"-----END ";

/// The private key that begins at `start`, where `-----BEGIN ` stands; through its last line, or to the end
/// of a text that was cut.
pub(super) fn find(text: &[u8], start: usize) -> Option<Range<usize>> {
    let rest = text.get(start..)?;
    let title = rest.get(..rest.len().min(64))?;
    memchr::memmem::find(title, LABEL)?;
    let Some(end) = memchr::memmem::find(rest, END) else { return Some(start..text.len()) };
    let last = rest.get(end + END.len()..)?;
    let dashes = memchr::memmem::find(last, b"-----").map_or(last.len(), |at| at + 5);
    Some(start..start + end + END.len() + dashes)
}
