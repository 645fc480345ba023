//! Secrets within text: assignments to secret names (query strings, forms, JSON, header dumps), tokens, URL
//! userinfo, private keys and card numbers.
//!
//! One automaton finds where something may begin; what follows is then read by hand. That costs a pass over
//! the text, whatever the number of rules.

use super::names::{automaton, fields};
use super::{FILTERED, cards, pem};
use crate::scrub::assign::{self, Strength};
use aho_corasick::{AhoCorasick, Input};
use bugle_model::ScrubSettings;
use std::ops::Range;

/// `name: value` without quotes is read as an assignment even in a sentence.
const STRONG: [&str; 15] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "api_key",
    "api-key",
    "apikey",
    "api key",
    "private_key",
    "privatekey",
    "access_key",
    "accesskey",
    "credential",
    "card_number",
];
/// In a sentence these are followed by a colon too often: the value must look random.
const WEAK: [&str; 7] = ["token", "session", "sessid", "csrf", "xsrf", "jwt", "creditcard"];
/// Headers: their value is the rest of the line.
const HEADERS: [&str; 2] = ["authorization", "cookie"];
/// Only as a whole name.
const WHOLE: [&str; 9] = ["auth", "pass", "pin", "cvv", "cvc", "ssn", "sid", "otp", "totp"];
/// No secret is shorter, its name included.
const MIN_LENGTH: usize = 5;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marker {
    Name(Strength),
    Jwt,
    Scheme,
    Url,
    Pem,
}

/// The rules, compiled.
#[derive(Debug)]
pub(super) struct TextScrubber {
    automaton: Option<AhoCorasick>,
    markers: Vec<Marker>,
    keep: Vec<String>,
}

/// Whether a text is what people or programs say, or source code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Prose,
    /// Assignments are the program's, unless the value is a literal.
    Code,
}

impl TextScrubber {
    pub fn new(settings: &ScrubSettings) -> Self {
        let named = |words: &[&str], strength: Strength| -> Vec<(String, Marker)> {
            words.iter().map(|word| ((*word).to_owned(), Marker::Name(strength))).collect()
        };
        let mut rules: Vec<(String, Marker)> =
            fields(settings).map(|field| (field.to_owned(), Marker::Name(Strength::Strong))).collect();
        rules.extend(named(&STRONG, Strength::Strong));
        rules.extend(named(&WEAK, Strength::Weak));
        rules.extend(named(&HEADERS, Strength::Header));
        rules.extend(named(&WHOLE, Strength::Whole));
        for (text, marker) in [
            ("eyJ", Marker::Jwt),
            ("bearer ", Marker::Scheme),
            ("basic ", Marker::Scheme),
            ("://", Marker::Url),
            ("-----BEGIN ", Marker::Pem),
        ] {
            rules.push((text.to_owned(), marker));
        }
        let (patterns, markers): (Vec<String>, Vec<Marker>) = rules.into_iter().unzip();
        let keep = settings.keep.iter().map(|name| name.trim().to_lowercase()).collect();
        Self { automaton: automaton(&patterns, true), markers, keep }
    }

    /// Scrubs a message, a value, a URL.
    pub fn prose(&self, text: &mut String) {
        self.scrub(text, Kind::Prose);
    }

    /// Scrubs a line of source.
    pub fn code(&self, text: &mut String) {
        self.scrub(text, Kind::Code);
    }

    fn scrub(&self, text: &mut String, kind: Kind) {
        if text.len() < MIN_LENGTH {
            return;
        }
        let mut found = Vec::new();
        self.find(text.as_bytes(), kind, &mut found);
        cards::find(text.as_bytes(), &mut found);
        if !found.is_empty() {
            *text = replace(text, found);
        }
    }

    fn find(&self, text: &[u8], kind: Kind, found: &mut Vec<Range<usize>>) {
        let Some(automaton) = &self.automaton else { return };
        let mut at = 0;
        while at < text.len() {
            let Some(hit) = automaton.find(Input::new(text).range(at..)) else { return };
            let marker = self.markers.get(hit.pattern().as_usize()).copied();
            let secret = match marker {
                Some(Marker::Name(strength)) => assign::find(text, hit.range(), strength, kind, &self.keep),
                Some(Marker::Jwt) => jwt(text, hit.start()),
                Some(Marker::Scheme) => credentials(text, hit.range()),
                Some(Marker::Url) => userinfo(text, hit.end()),
                Some(Marker::Pem) => pem::find(text, hit.start()),
                None => None,
            };
            at = secret.as_ref().map_or(hit.end(), |secret| secret.end).max(hit.end());
            found.extend(secret);
        }
    }
}

/// Puts the mark in place of each range. Ranges begin and end beside ASCII, so on character boundaries; one
/// that does not is left alone.
fn replace(text: &str, mut found: Vec<Range<usize>>) -> String {
    found.sort_by_key(|range| range.start);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for range in found {
        if range.start < at {
            continue;
        }
        let (Some(before), true) = (text.get(at..range.start), text.is_char_boundary(range.end)) else {
            continue;
        };
        out.push_str(before);
        out.push_str(FILTERED);
        at = range.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

/// The length of what stands at the start of `text` and fulfils `accept`.
pub(super) fn span(text: &[u8], accept: impl Fn(u8) -> bool) -> usize {
    text.iter().position(|byte| !accept(*byte)).unwrap_or(text.len())
}

/// What `text` holds from `at` on.
pub(super) fn from(text: &[u8], at: usize) -> &[u8] {
    text.get(at..).unwrap_or_default()
}

fn is_base64_url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// A JSON web token: two or three parts of base64, the first of which begins an object.
fn jwt(text: &[u8], start: usize) -> Option<Range<usize>> {
    // The automaton ignores case.
    if !from(text, start).starts_with(b"eyJ")
        || (start > 0 && text.get(start - 1).is_some_and(|b| is_base64_url(*b)))
    {
        return None;
    }
    let header = span(from(text, start), is_base64_url);
    let dot = start + header;
    let payload = from(text, dot).strip_prefix(b".").map(|rest| span(rest, is_base64_url))?;
    if header < 10 || payload < 10 {
        return None;
    }
    let mut end = dot + 1 + payload;
    if let Some(signature) = from(text, end).strip_prefix(b".") {
        end += 1 + span(signature, is_base64_url);
    }
    Some(start..end)
}

/// What follows `Bearer ` or `Basic `, unless it is a word of the sentence.
fn credentials(text: &[u8], scheme: Range<usize>) -> Option<Range<usize>> {
    if scheme.start > 0 && text.get(scheme.start - 1).is_some_and(u8::is_ascii_alphanumeric) {
        return None;
    }
    let rest = from(text, scheme.end);
    let accept = |byte: u8| is_base64_url(byte) || matches!(byte, b'.' | b'~' | b'+' | b'/' | b'=');
    let length = span(rest, accept);
    let token = rest.get(..length)?;
    let looks_random = token.iter().any(|byte| byte.is_ascii_digit() || *byte == b'=') || length >= 32;
    (length >= 8 && looks_random).then_some(scheme.end..scheme.end + length)
}

/// `user:password@` after `://`.
fn userinfo(text: &[u8], start: usize) -> Option<Range<usize>> {
    let rest = from(text, start);
    let authority = span(rest, |byte| {
        !matches!(byte, b'/' | b'?' | b'#' | b'"' | b'\'' | b'<' | b'>' | b' ' | b'\n' | b'\r' | b'\t' | b',')
    });
    let at = memchr::memrchr(b'@', rest.get(..authority)?)?;
    let is_filtered = rest.starts_with(FILTERED.as_bytes());
    (at > 0 && !is_filtered).then_some(start..start + at)
}
