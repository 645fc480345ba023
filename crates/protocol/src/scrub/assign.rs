//! `name=value`, `"name": "value"`, `Name: value` and their kin.

use super::FILTERED;
use super::text::{Kind, from, span};
use std::ops::Range;

/// How sure a word is of being an assignment's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strength {
    /// A colon is enough.
    Strong,
    /// After a bare colon the value must look random.
    Weak,
    /// A header: its value is the rest of the line.
    Header,
    /// As [`Strength::Weak`], and the word must be the whole name.
    Whole,
}

/// A name is looked at this far on either side of the word that was found in it.
const MAX_NAME: usize = 64;
/// What looks random has at least this many characters.
const MIN_RANDOM: usize = 12;
/// A value is judged by this many bytes.
const MAX_LOOK: usize = 128;

/// The secret that is assigned to the name around `word`.
pub(super) fn find(
    text: &[u8],
    word: Range<usize>,
    strength: Strength,
    kind: Kind,
    keep: &[String],
) -> Option<Range<usize>> {
    let start =
        word.start - text.get(..word.start)?.iter().rev().take(MAX_NAME).take_while(|b| is_name(**b)).count();
    let after = from(text, word.end);
    let end = word.end + span(after.get(..after.len().min(MAX_NAME))?, is_name);
    if strength == Strength::Whole && (start..end) != word {
        return None;
    }
    if !keep.is_empty() && is_kept(text.get(start..end)?, keep) {
        return None;
    }
    let found = separator(text, end);
    let (separator, value_at) = found.or_else(|| said(text, from(text, word.start), end, kind))?;
    let range = match literal(text, value_at) {
        Some(literal) => literal,
        None if kind == Kind::Code => return None,
        None => bare(text, value_at, strength, &separator)?,
    };
    let is_filtered = from(text, range.start).starts_with(FILTERED.as_bytes());
    (!range.is_empty() && !is_filtered).then_some(range)
}

/// The value without quotes, when it is one. What says no must look at a few bytes only: a text may hold
/// thousands of names, and nothing may be read to its end for each.
fn bare(text: &[u8], at: usize, strength: Strength, separator: &Separator) -> Option<Range<usize>> {
    match (separator, strength) {
        (Separator::Equals { is_tight: false }, _) => None,
        (Separator::Colon { is_quoted: false }, Strength::Header) => Some(rest_of_line(text, at)),
        (Separator::Colon { is_quoted: false }, Strength::Weak | Strength::Whole)
            if !looks_random(text, at) =>
        {
            None
        }
        _ => Some(word_or_structure(text, at)),
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

fn is_kept(name: &[u8], keep: &[String]) -> bool {
    std::str::from_utf8(name).is_ok_and(|name| keep.contains(&name.to_lowercase()))
}

enum Separator {
    /// `=`; tight without blanks around it.
    Equals { is_tight: bool },
    /// `:`, or `=>` as PHP and Ruby write it; quoted when a quote closes the name.
    Colon { is_quoted: bool },
}

/// What stands between name and value, and where the value begins.
fn separator(text: &[u8], name_end: usize) -> Option<(Separator, usize)> {
    let mut at = name_end;
    // `user[password]=x`, as it is and percent-encoded.
    for close in [b"]".as_slice(), b"%5D", b"%5d"] {
        if from(text, at).starts_with(close) {
            at += close.len();
        }
    }
    // JSON within JSON has its quotes escaped.
    at += span(from(text, at), |byte| byte == b'\\').min(4);
    let is_quoted = matches!(text.get(at), Some(b'"' | b'\''));
    at += usize::from(is_quoted);
    let blanks = span(from(text, at), is_blank);
    at += blanks;
    let rest = from(text, at);
    let (separator, length) = match rest {
        [b'=', b'=', ..] | [b':', b':' | b'/' | b'=', ..] => return None,
        [b'=', b'>', ..] => (Separator::Colon { is_quoted: true }, 2),
        [b'=', next, ..] => (Separator::Equals { is_tight: blanks == 0 && !is_blank(*next) }, 1),
        [b':', ..] => (Separator::Colon { is_quoted }, 1),
        _ => return None,
    };
    at += length;
    at += span(from(text, at), is_blank);
    Some((separator, at))
}

/// `invalid password 'hunter2'`. Other words come with what they call, not with what they hold:
/// `secret "db" not found`, `unexpected token '<'`.
fn said(text: &[u8], word: &[u8], end: usize, kind: Kind) -> Option<(Separator, usize)> {
    let is_password = ["pass", "pwd"].iter().any(|start| {
        word.get(..start.len()).is_some_and(|found| found.eq_ignore_ascii_case(start.as_bytes()))
    });
    let blanks = span(from(text, end), is_blank);
    let is_quoted = matches!(text.get(end + blanks), Some(b'"' | b'\''));
    (kind == Kind::Prose && is_password && blanks > 0 && is_quoted)
        .then_some((Separator::Colon { is_quoted: true }, end + blanks))
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// The inside of a literal in quotes at `at`.
fn literal(text: &[u8], at: usize) -> Option<Range<usize>> {
    let mut start = at;
    // Python's bytes and raw text.
    if matches!(from(text, start), [b'b' | b'r' | b'u', b'"' | b'\'', ..]) {
        start += 1;
    }
    let escapes = span(from(text, start), |byte| byte == b'\\').min(4);
    start += escapes;
    let quote = *text.get(start).filter(|byte| matches!(byte, b'"' | b'\''))?;
    start += 1;
    Some(start..start + literal_length(from(text, start), quote, escapes))
}

/// A structure in brackets, or what reaches to the next separator.
fn word_or_structure(text: &[u8], at: usize) -> Range<usize> {
    let rest = from(text, at);
    let is_structure =
        matches!(rest.first(), Some(b'{' | b'[' | b'(')) && !rest.starts_with(FILTERED.as_bytes());
    at..at + if is_structure { brackets(rest) } else { span(rest, |byte| !is_end(byte)) }
}

/// The length of a literal whose quotes are escaped `escapes` times; a cut text may not close it.
fn literal_length(text: &[u8], quote: u8, escapes: usize) -> usize {
    let mut at = 0;
    while let Some(found) = from(text, at).iter().position(|byte| *byte == quote) {
        let close = at + found;
        let before =
            text.get(..close).unwrap_or_default().iter().rev().take_while(|byte| **byte == b'\\').count();
        if before <= escapes {
            return close - before;
        }
        at = close + 1;
    }
    text.len()
}

/// The length of a structure through its closing bracket.
fn brackets(text: &[u8]) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    text.len()
}

fn is_end(byte: u8) -> bool {
    byte.is_ascii_whitespace()
        || matches!(
            byte,
            b'&' | b';' | b',' | b'"' | b'\'' | b'\\' | b')' | b']' | b'}' | b'>' | b'<' | b'|' | b'#'
        )
}

fn rest_of_line(text: &[u8], at: usize) -> Range<usize> {
    at..at + span(from(text, at), |byte| !matches!(byte, b'\n' | b'\r' | b'"' | b'\'' | b'\\'))
}

fn looks_random(text: &[u8], at: usize) -> bool {
    let rest = from(text, at);
    let length = span(rest.get(..MAX_LOOK).unwrap_or(rest), |byte| !is_end(byte));
    length >= MIN_RANDOM && rest.iter().take(length).any(u8::is_ascii_digit)
}
