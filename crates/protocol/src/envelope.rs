//! The envelope: a header line, then items, each a header line and a payload.
//!
//! ```text
//! Envelope = Header { "\n" Item } [ "\n" ]       Item = ItemHeader "\n" Payload
//! ```
//! With `length` in its header a payload has exactly that many bytes, else it ends at the next newline or the
//! end. Payloads are borrowed from the body, never copied.

use crate::json;
use bugle_model::parse_event_id;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use thiserror::Error;
use uuid::Uuid;

/// An envelope holds at most this many items; clients send about 100 at most.
pub const MAX_ITEMS: usize = 1000;

/// A whole envelope.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope<'a> {
    /// The first line.
    pub header: EnvelopeHeader,
    /// The items, in order; may be none.
    pub items: Vec<Item<'a>>,
}

/// The first line of an envelope. Headers that are not listed are ignored.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct EnvelopeHeader {
    /// The id of the event in it; wins over the payload's.
    #[serde(default, deserialize_with = "event_id")]
    pub event_id: Option<Uuid>,
    /// The client's DSN; stands in for authentication behind a tunnel.
    #[serde(default)]
    pub dsn: Option<String>,
    /// The client's time at sending; absent when it cannot be read.
    #[serde(default, deserialize_with = "sent_at")]
    pub sent_at: Option<DateTime<Utc>>,
    /// The client library, as sent.
    #[serde(default)]
    pub sdk: Option<Value>,
}

/// One item.
#[derive(Debug, Clone, PartialEq)]
pub struct Item<'a> {
    /// Its header line.
    pub header: ItemHeader,
    /// Its bytes.
    pub payload: &'a [u8],
}

/// The header line of an item. Headers that are not listed are ignored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct ItemHeader {
    /// What the payload is, the protocol's `type`: `event`, `attachment`, `session`, ….
    #[serde(rename = "type")]
    pub kind: String,
    /// How many bytes the payload has.
    #[serde(default)]
    pub length: Option<u64>,
    /// The payload's media type.
    #[serde(default)]
    pub content_type: Option<String>,
    /// An attachment's file name.
    #[serde(default)]
    pub filename: Option<String>,
    /// What an attachment is for, as in `event.minidump`.
    #[serde(default)]
    pub attachment_type: Option<String>,
}

/// An envelope that cannot be read. The whole of it is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EnvelopeError {
    /// The first line is missing or malformed.
    #[error("envelope header: {0}")]
    Header(String),
    /// An item's header line is malformed.
    #[error("item {index}: header: {reason}")]
    ItemHeader {
        /// Which item, from 0.
        index: usize,
        /// What is wrong.
        reason: String,
    },
    /// An item's `length` goes beyond the end.
    #[error("item {index}: unexpected end of file")]
    UnexpectedEnd {
        /// Which item, from 0.
        index: usize,
    },
    /// An item's payload is longer than its `length`.
    #[error("item {index}: expected a newline after {length} bytes of payload")]
    MissingNewline {
        /// Which item, from 0.
        index: usize,
        /// The length it gave.
        length: u64,
    },
    /// Two events, or an event and a transaction.
    #[error("item {index}: an envelope holds at most one event or transaction")]
    SecondEvent {
        /// Which item, from 0.
        index: usize,
    },
    /// More items than an envelope may hold.
    #[error("envelope: more than {MAX_ITEMS} items")]
    TooManyItems,
}

/// Splits an envelope. Lines before a header that hold nothing but blanks are skipped, and so is whatever
/// number of newlines stands at the end.
///
/// # Errors
/// When any part is malformed; unknown item types and headers are none of its business.
pub fn parse(body: &[u8]) -> Result<Envelope<'_>, EnvelopeError> {
    let body = body.strip_prefix(json::BYTE_ORDER_MARK).unwrap_or(body);
    let (line, mut rest) = header_line(body).ok_or_else(|| EnvelopeError::Header("missing".to_owned()))?;
    let header = json::from_line(line).map_err(EnvelopeError::Header)?;
    let mut items = Vec::new();
    let mut has_event = false;
    while let Some((line, after)) = header_line(rest) {
        let index = items.len();
        if index == MAX_ITEMS {
            return Err(EnvelopeError::TooManyItems);
        }
        let header: ItemHeader =
            json::from_line(line).map_err(|reason| EnvelopeError::ItemHeader { index, reason })?;
        if matches!(header.kind.as_str(), "event" | "transaction") && std::mem::replace(&mut has_event, true)
        {
            return Err(EnvelopeError::SecondEvent { index });
        }
        let (payload, after) = payload(&header, index, after)?;
        items.push(Item { header, payload });
        rest = after;
    }
    Ok(Envelope { header, items })
}

/// The next line that is not blank, and what follows its newline.
fn header_line(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let body = body.trim_ascii_start();
    if body.is_empty() { None } else { Some(split_line(body)) }
}

fn split_line(body: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b'\n', body).and_then(|at| body.split_at_checked(at)) {
        Some((line, rest)) => (line, rest.strip_prefix(b"\n").unwrap_or(rest)),
        None => (body, &[]),
    }
}

fn payload<'a>(
    header: &ItemHeader,
    index: usize,
    rest: &'a [u8],
) -> Result<(&'a [u8], &'a [u8]), EnvelopeError> {
    let Some(length) = header.length else { return Ok(split_line(rest)) };
    let (payload, after) = usize::try_from(length)
        .ok()
        .and_then(|length| rest.split_at_checked(length))
        .ok_or(EnvelopeError::UnexpectedEnd { index })?;
    match after.strip_prefix(b"\n") {
        Some(after) => Ok((payload, after)),
        None if after.is_empty() => Ok((payload, after)),
        None => Err(EnvelopeError::MissingNewline { index, length }),
    }
}

fn event_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Uuid>, D::Error> {
    match Option::<String>::deserialize(deserializer)? {
        None => Ok(None),
        Some(text) => parse_event_id(&text)
            // All zeros is no event's own: two of them would be one.
            .map(|id| (!id.is_nil()).then_some(id))
            .ok_or_else(|| serde::de::Error::custom("event_id: not 32 hexadecimal digits")),
    }
}

/// A time that cannot be read costs the correction of the client's clock, not the event.
fn sent_at<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(value.as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok()).map(|time| time.to_utc()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(body: &str) -> Vec<(String, String)> {
        let envelope = parse(body.as_bytes()).unwrap();
        let text = |payload: &[u8]| String::from_utf8(payload.to_vec()).unwrap();
        envelope.items.into_iter().map(|item| (item.header.kind, text(item.payload))).collect()
    }

    fn pair(kind: &str, payload: &str) -> (String, String) {
        (kind.to_owned(), payload.to_owned())
    }

    #[test]
    fn header_only_is_empty() {
        for body in ["{}", "{}\n", "{}\n\n", " \n{}\n\n\n", "{}  \r\n"] {
            assert_eq!(items(body), [], "{body:?}");
        }
    }

    #[test]
    fn payloads_with_and_without_length() {
        let two = [pair("event", "{}"), pair("x", "a\nb")];
        assert_eq!(items("{}\n{\"type\":\"event\"}\n{}\n{\"type\":\"x\",\"length\":3}\na\nb"), two);
        assert_eq!(
            items("{}\n{\"type\":\"event\",\"length\":2}\n{}\n{\"type\":\"x\",\"length\":3}\na\nb\n\n"),
            two
        );
        assert_eq!(items("{}\n\n\n{\"type\":\"event\"}\n{}\n\n{\"type\":\"x\",\"length\":3}\na\nb\n"), two);
    }

    #[test]
    fn an_item_may_be_empty() {
        assert_eq!(items("{}\n{\"type\":\"a\"}"), [pair("a", "")]);
        assert_eq!(items("{}\n{\"type\":\"a\"}\n"), [pair("a", "")]);
        assert_eq!(
            items("{}\n{\"type\":\"a\"}\n\n{\"type\":\"b\",\"length\":0}\n"),
            [pair("a", ""), pair("b", "")]
        );
        assert_eq!(items("{}\n{\"type\":\"a\",\"length\":0}"), [pair("a", "")]);
    }

    #[test]
    fn carriage_returns_belong_to_the_payload() {
        assert_eq!(
            items("{}\r\n{\"type\":\"a\"}\r\nx\r\n{\"type\":\"b\"}\ny"),
            [pair("a", "x\r"), pair("b", "y")]
        );
    }

    #[test]
    fn headers_are_read() {
        let envelope = parse(
            br#"{"event_id":"9ec79c33-ec99-42ab-8353-589fcb2e04dc","dsn":"https://k@h/1","sent_at":"2026-11-20T18:08:48.477Z","sdk":{"name":"x"},"trace":{"transaction":"\ud83d"},"other":1}
{"type":"attachment","filename":"a\ud83db.txt","content_type":"text/plain","attachment_type":"event.attachment","length":2}
hi"#,
        )
        .unwrap();
        assert_eq!(
            envelope.header.event_id.unwrap().simple().to_string(),
            "9ec79c33ec9942ab8353589fcb2e04dc"
        );
        assert_eq!(envelope.header.dsn.as_deref(), Some("https://k@h/1"));
        assert_eq!(envelope.header.sent_at.unwrap().to_rfc3339(), "2026-11-20T18:08:48.477+00:00");
        assert_eq!(envelope.items[0].header.filename.as_deref(), Some("a\u{fffd}b.txt"));
        assert_eq!(envelope.items[0].header.attachment_type.as_deref(), Some("event.attachment"));
        assert_eq!(envelope.items[0].payload, b"hi");
        let nobody = parse(b"{\"event_id\":\"00000000000000000000000000000000\"}\n").unwrap();
        assert_eq!(nobody.header.event_id, None);
    }

    #[test]
    fn a_bad_sent_at_is_no_reason_to_refuse() {
        for sent_at in ["\"yesterday\"", "null", "12", "{}"] {
            let body = format!("{{\"sent_at\":{sent_at}}}");
            assert_eq!(parse(body.as_bytes()).unwrap().header.sent_at, None);
        }
    }

    #[test]
    fn malformed_parts_refuse_the_whole() {
        for (body, error) in [
            ("", "envelope header: missing"),
            ("\n\n", "envelope header: missing"),
            ("nonsense\n", "envelope header: expected ident at line 1 column 2"),
            ("{} {}\n", "envelope header: trailing characters at line 1 column 4"),
            (
                "{\"event_id\":\"12\"}",
                "envelope header: event_id: not 32 hexadecimal digits at line 1 column 17",
            ),
            (
                "{\"sent_at\":\"2026-11-20T18:08:48Z\",\"sent_at\":\"2026-11-20T18:08:48Z\"}",
                "envelope header: duplicate field `sent_at` at line 1 column 43",
            ),
            ("{}\n{}\nx", "item 0: header: missing field `type` at line 1 column 2"),
            (
                "{}\n{\"type\":\"a\",\"length\":-1}\nx",
                "item 0: header: invalid value: integer `-1`, expected u64 at line 1 column 23",
            ),
            ("{}\n{\"type\":\"a\",\"length\":5}\nabc", "item 0: unexpected end of file"),
            ("{}\n{\"type\":\"a\",\"length\":2}\nabc", "item 0: expected a newline after 2 bytes of payload"),
            (
                "{}\n{\"type\":\"event\"}\n{}\n{\"type\":\"transaction\"}\n{}",
                "item 1: an envelope holds at most one event or transaction",
            ),
        ] {
            assert_eq!(parse(body.as_bytes()).unwrap_err().to_string(), error, "{body:?}");
        }
    }

    #[test]
    fn the_number_of_items_is_bounded() {
        let many = |n: usize| format!("{{}}\n{}", "{\"type\":\"session\"}\n{}\n".repeat(n));
        assert_eq!(parse(many(MAX_ITEMS).as_bytes()).unwrap().items.len(), MAX_ITEMS);
        assert_eq!(parse(many(MAX_ITEMS + 1).as_bytes()), Err(EnvelopeError::TooManyItems));
    }

    #[test]
    fn deep_nesting_is_an_error_and_no_overflow() {
        let body = format!("{{\"sdk\":{}", "[".repeat(200_000));
        assert!(parse(body.as_bytes()).is_err());
    }
}
