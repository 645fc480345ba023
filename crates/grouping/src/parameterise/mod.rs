//! Takes out of a message what differs from one occurrence to the next: numbers, ids, dates, addresses.
//!
//! One pass over the bytes. At each place where a word may begin the few forms that can begin with that byte
//! are tried; each looks ahead for a bounded distance, so the whole is linear in the input.

mod dates;
mod network;
mod numbers;
mod prefix;

use std::borrow::Cow;

pub(crate) use prefix::strip_log_prefix;

/// Text beyond this many bytes does not group.
pub const MAX_BYTES: usize = 8192;
/// Further non-blank lines do not group.
const MAX_LINES: usize = 2;

/// Read access to bytes that answers 0 beyond the end, so that no place needs a bounds check.
#[derive(Clone, Copy)]
pub(crate) struct Text<'t>(&'t [u8]);

impl<'t> Text<'t> {
    fn at(self, index: usize) -> u8 {
        self.0.get(index).copied().unwrap_or(0)
    }

    fn from(self, index: usize) -> &'t [u8] {
        self.0.get(index..).unwrap_or_default()
    }

    fn starts(self, index: usize, prefix: &[u8]) -> bool {
        self.from(index).starts_with(prefix)
    }

    /// How many bytes from `index` on satisfy `test`, `limit` at most.
    fn run(self, index: usize, limit: usize, test: impl Fn(u8) -> bool) -> usize {
        self.from(index).iter().take(limit).take_while(|byte| test(**byte)).count()
    }

    /// The number of digits from `index` on, 40 at most.
    fn digits(self, index: usize) -> usize {
        self.run(index, 40, |byte| byte.is_ascii_digit())
    }
}

/// A letter, a digit or an underscore; any byte of a non-ASCII character counts as a letter.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// The first [`MAX_LINES`] non-blank lines, each with its white space collapsed, and whether more followed.
fn relevant(text: &str) -> (String, bool) {
    let cut = text.len() > MAX_BYTES;
    let mut end = text.len().min(MAX_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = text.get(..end).unwrap_or_default();
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let mut out = String::with_capacity(text.len().min(512));
    for line in lines.by_ref().take(MAX_LINES) {
        for word in line.split_whitespace() {
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(word);
        }
    }
    (out, cut || lines.next().is_some())
}

/// The message with its variable parts replaced by placeholders such as `<num>` or `<uuid>`.
///
/// Only the first 8,192 bytes and the first two non-blank lines are looked at; ` …` at the end says that
/// there was more. White space is collapsed.
#[must_use]
pub fn parameterise(message: &str) -> String {
    let (text, more) = relevant(message);
    let mut scan = Scan::new(&text);
    scan.run();
    let mut out = scan.finish();
    if more {
        out.push_str(" …");
    }
    out
}

/// As [`parameterise`], without a copy when there is nothing to replace.
pub(crate) fn parameterised(message: &str) -> Cow<'_, str> {
    let plain = message.len() <= 256
        && !message.bytes().any(|byte| {
            byte.is_ascii_digit() || matches!(byte, b'@' | b'=' | b':' | b'-' | 0x7F..) || byte < b' '
        })
        && !message.contains("  ")
        && message.trim().len() == message.len()
        && !message.contains("/tmp/")
        && !message.contains("datetime.");
    if plain { Cow::Borrowed(message) } else { Cow::Owned(parameterise(message)) }
}

struct Scan<'t> {
    text: Text<'t>,
    has_at: bool,
    has_url: bool,
    out: Vec<u8>,
}

/// What was recognised: how many bytes it takes and what stands in its place.
type Found = Option<(usize, &'static str)>;

impl<'t> Scan<'t> {
    fn new(text: &'t str) -> Self {
        let bytes = text.as_bytes();
        Self {
            text: Text(bytes),
            has_at: memchr::memchr(b'@', bytes).is_some(),
            has_url: memchr::memmem::find(bytes, b"://").is_some(),
            out: Vec::with_capacity(bytes.len() + 16),
        }
    }

    fn finish(self) -> String {
        String::from_utf8_lossy(&self.out).into_owned()
    }

    fn run(&mut self) {
        let mut index = 0;
        while index < self.text.0.len() {
            let before = if index == 0 { 0 } else { self.text.at(index - 1) };
            let found = if is_word(before) { None } else { self.recognise(index, before) };
            if let Some((length, placeholder)) = found
                && length > 0
            {
                self.place(placeholder);
                index += length;
                continue;
            }
            let literal = self.literal(index);
            self.out.extend_from_slice(self.text.from(index).get(..literal).unwrap_or_default());
            index += literal;
        }
    }

    /// How many bytes from `index` on are taken as they are: the rest of a word, or one byte.
    fn literal(&self, index: usize) -> usize {
        self.text.run(index, usize::MAX, is_word).max(1)
    }

    /// Puts a placeholder, but lists such as `1, 2, 3` become one: their length differs too.
    fn place(&mut self, placeholder: &'static str) {
        for separator in [", ", ","] {
            if let Some(head) = self.out.strip_suffix(separator.as_bytes())
                && head.ends_with(placeholder.as_bytes())
            {
                let length = head.len();
                self.out.truncate(length);
                return;
            }
        }
        self.out.extend_from_slice(placeholder.as_bytes());
    }

    fn recognise(&self, index: usize, before: u8) -> Found {
        let text = self.text;
        let byte = text.at(index);
        if byte.is_ascii_digit() {
            return self.address(index).or_else(|| numbers::beginning_with_digit(text, index, before));
        }
        match byte {
            b'-' | b'+' if text.at(index + 1).is_ascii_digit() && !matches!(before, b')' | b']' | b'>') => {
                numbers::signed(text, index)
            }
            b'.' if text.at(index + 1).is_ascii_digit() => numbers::fraction(text, index),
            b'"' | b'\'' if before == b'=' => quoted(text, index),
            b':' => network::ip6(text, index, before),
            b'/' if text.starts(index, b"/tmp/") => temporary(text, index),
            b't' | b'f' | b'T' | b'F' if before == b'=' => boolean(text, index).or_else(|| self.word(index)),
            _ if byte.is_ascii_alphabetic() || byte == b'_' => self.word(index),
            _ => None,
        }
    }

    fn address(&self, index: usize) -> Found {
        let email = if self.has_at { network::email(self.text, index) } else { None };
        email.or_else(|| if self.has_url { network::url(self.text, index) } else { None })
    }

    fn word(&self, index: usize) -> Found {
        let text = self.text;
        self.address(index)
            .or_else(|| dates::beginning_with_word(text, index))
            .or_else(|| numbers::uuid(text, index))
            .or_else(|| network::mac(text, index))
            .or_else(|| network::ip6(text, index, 0))
            .or_else(|| numbers::word(text, index))
    }
}

fn boolean(text: Text<'_>, index: usize) -> Found {
    let length = text.run(index, 6, is_word);
    let word = text.from(index).get(..length)?;
    [b"true".as_slice(), b"false"]
        .iter()
        .any(|known| word.eq_ignore_ascii_case(known))
        .then_some((length, "<bool>"))
}

fn quoted(text: Text<'_>, index: usize) -> Found {
    let quote = text.at(index);
    let inside = text.run(index + 1, 1024, |byte| byte != quote);
    (text.at(index + 1 + inside) == quote).then_some((inside + 2, "<str>"))
}

/// `/tmp/` and the one name after it, which is as a rule made at random.
fn temporary(text: Text<'_>, index: usize) -> Found {
    let name = text.run(index + 5, 256, |byte| is_word(byte) || matches!(byte, b'.' | b'-'));
    (name > 0).then_some((5 + name, "<tmp>"))
}

#[cfg(test)]
mod tests;
