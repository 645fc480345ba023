//! The text of an SMS, and what it costs.

use crate::content::{Content, Item, cut};
use uuid::Uuid;

/// Two segments are enough for any message of ours.
const MAX_SEGMENTS: usize = 2;
/// Code points that GSM-7 sends as two.
const GSM_EXTENDED: &str = "^{}\\[~]|€\u{c}";
/// The other code points of GSM-7 (3GPP TS 23.038, default alphabet) beyond ASCII.
const GSM_FOREIGN: &str = "£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà";

/// How a text is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segments {
    /// In GSM-7 (else in UCS-2).
    pub is_gsm: bool,
    /// Septets of GSM-7, or code units of UCS-2.
    pub units: usize,
    /// The number of messages that are paid for.
    pub count: usize,
}

/// Counts: 160 septets or 70 code units fit into one message, 153 or 67 into each part of a longer one.
#[must_use]
pub fn segments(text: &str) -> Segments {
    let septets: Option<usize> = text.chars().map(septets).sum();
    let (is_gsm, units, single, part) = match septets {
        Some(septets) => (true, septets, 160, 153),
        None => (false, text.encode_utf16().count(), 70, 67),
    };
    let count = if units <= single { 1 } else { units.div_ceil(part) };
    Segments { is_gsm, units, count }
}

fn septets(c: char) -> Option<usize> {
    match c {
        _ if GSM_EXTENDED.contains(c) => Some(2),
        '`' => None,
        ' '..='~' | '\n' | '\r' => Some(1),
        _ if GSM_FOREIGN.contains(c) => Some(1),
        _ => None,
    }
}

/// The code by which a message is found again: eight hex digits of its id's random end.
#[must_use]
pub fn code(message_id: Uuid) -> String {
    let [.., a, b, c, d] = *message_id.as_bytes();
    format!("#{a:02x}{b:02x}{c:02x}{d:02x}")
}

/// The text: what, where, the link, of a page how one replies, the code. The title is cut so that two segments are enough; how one
/// replies is told in fewer words, or not at all, where it would leave too little of the title.
#[must_use]
pub fn compose(content: &Content, code: &str, takes_replies: bool) -> String {
    let incident = content.items.first().and_then(|item| item.incident).filter(|_| takes_replies);
    let Some(incident) = incident else { return fitting(content, code, 0).0 };
    // With the characters of the title that have to be left: the fewer words say how one replies, the fewer.
    let hints = [
        (format!("Reply {incident}a to ack, {incident}r to resolve, {incident}e to escalate {code}"), 40),
        (format!("Reply {incident}a: ack, {incident}r: resolve {code}"), 16),
        (format!("Reply {incident}a or {incident}r {code}"), 8),
    ];
    let told = hints.iter().map(|(ending, least)| fitting(content, ending, *least)).find(|(_, fits)| *fits);
    told.map_or_else(|| fitting(content, code, 0).0, |(text, _)| text)
}

/// The text with this at its end, and whether it fits with at least so many characters of the title.
fn fitting(content: &Content, ending: &str, least: usize) -> (String, bool) {
    let (before, title, after) = match content.items.first() {
        Some(item) if !content.is_list => about_one(item, content),
        Some(item) => {
            let title = format!("{} {}", item.short_id, item.title);
            (format!("{}: {}, first ", content.project, content.headline), title, format!(" {}", item.url))
        }
        None => (format!("{}: ", content.project), content.headline.clone(), String::new()),
    };
    let (before, title, after) = (plain(&before), plain(&title), plain(&after));
    let text = |title: &str| format!("{before}{title}{after} {ending}");
    let mut limit = title.chars().count();
    let least = least.min(limit);
    loop {
        let composed = text(&plain(&cut(&title, limit)));
        let fits = segments(&composed).count <= MAX_SEGMENTS;
        if fits || limit == 0 {
            return (composed, fits && limit >= least);
        }
        limit = limit.saturating_sub(8);
    }
}

fn about_one(item: &Item, content: &Content) -> (String, String, String) {
    let environment =
        item.environment.as_deref().map(|name| format!(" ({})", cut(name, 24))).unwrap_or_default();
    let before = format!("{} {}: {}: ", item.short_id, item.priority, content.headline);
    (before, item.title.clone(), format!("{environment} {}", item.url))
}

/// Replaces the common characters that would turn the whole text into UCS-2.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '‘' | '’' | '‚' | '‛' | '`' | '´' => out.push('\''),
            '“' | '”' | '„' | '«' | '»' => out.push('"'),
            '–' | '—' | '‐' | '‑' | '−' => out.push('-'),
            '…' => out.push_str("..."),
            '→' => out.push_str("->"),
            '•' | '·' => out.push('*'),
            '\u{200b}'..='\u{200f}' | '\u{feff}' => {}
            c if c.is_whitespace() || c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_follow_the_alphabet() {
        let gsm = |units, count| Segments { is_gsm: true, units, count };
        let ucs = |units, count| Segments { is_gsm: false, units, count };
        for (text, expected) in [
            (String::new(), gsm(0, 1)),
            ("a".repeat(160), gsm(160, 1)),
            ("a".repeat(161), gsm(161, 2)),
            ("a".repeat(306), gsm(306, 2)),
            ("a".repeat(307), gsm(307, 3)),
            ("[".repeat(80), gsm(160, 1)),
            ("{".repeat(81), gsm(162, 2)),
            ("äöüß€".to_owned(), gsm(6, 1)),
            ("`".to_owned(), ucs(1, 1)),
            ("ж".repeat(70), ucs(70, 1)),
            ("ж".repeat(71), ucs(71, 2)),
            ("😀".repeat(35), ucs(70, 1)),
            ("😀".repeat(36), ucs(72, 2)),
            (format!("{}ж", "a".repeat(70)), ucs(71, 2)),
        ] {
            assert_eq!(segments(&text), expected, "{text}");
        }
    }

    #[test]
    fn codes_come_from_the_random_end() {
        let id = Uuid::parse_str("01932b5e-7c1f-7abc-8def-0123456789ab").unwrap();
        assert_eq!(code(id), "#456789ab");
    }
}
