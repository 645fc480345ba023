//! `client_report` items: what an SDK dropped itself, and why.

use crate::Invalid;
use crate::normalise::{parse_object, truncate};
use serde_json::{Map, Value};

/// A report names at most this many kinds of loss.
const MAX_ENTRIES: usize = 200;
const MAX_WORD_CHARS: usize = 64;
/// The lists of a report; all but the first are an old way to say the reason.
const LISTS: [(&str, &str); 4] = [
    ("discarded_events", ""),
    ("rate_limited_events", "ratelimit_backoff"),
    ("filtered_events", "filtered"),
    ("filtered_sampling_events", "sample_rate"),
];

/// Items that a client dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discarded {
    /// Why, in the SDK's word: `ratelimit_backoff`, `queue_overflow`, `before_send`, ….
    pub reason: String,
    /// The rate limit category of the items.
    pub category: String,
    /// How many; at least 1.
    pub quantity: u32,
}

/// Reads a report; entries that make no sense are left out.
///
/// # Errors
/// When the body is no JSON object.
pub fn parse(body: &[u8]) -> Result<Vec<Discarded>, Invalid> {
    let (mut report, _) = parse_object(body)?;
    let mut found = Vec::new();
    for (list, reason) in LISTS {
        if let Some(Value::Array(entries)) = report.remove(list) {
            found.extend(entries.into_iter().filter_map(|entry| discarded(entry, reason)));
        }
    }
    found.truncate(MAX_ENTRIES);
    Ok(found)
}

fn discarded(entry: Value, default_reason: &str) -> Option<Discarded> {
    let Value::Object(mut entry) = entry else { return None };
    let quantity = entry.get("quantity").map_or(Some(1), Value::as_u64)?;
    let quantity = u32::try_from(quantity).ok().filter(|quantity| *quantity > 0)?;
    let reason = word(&mut entry, "reason").unwrap_or_else(|| default_reason.to_owned());
    let category = word(&mut entry, "category").unwrap_or_else(|| "default".to_owned());
    Some(Discarded { reason, category, quantity })
}

fn word(entry: &mut Map<String, Value>, name: &str) -> Option<String> {
    match entry.remove(name)? {
        Value::String(mut word) => {
            truncate(&mut word, MAX_WORD_CHARS);
            Some(word)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn discarded(reason: &str, category: &str, quantity: u32) -> Discarded {
        Discarded { reason: reason.into(), category: category.into(), quantity }
    }

    #[test]
    fn every_list_is_read() {
        let report = br#"{"timestamp":1,"discarded_events":[
            {"reason":"queue_overflow","category":"error","quantity":3},
            {"reason":"x","category":"error","quantity":0},
            {"reason":"x","category":"error","quantity":-1},
            {"quantity":2}, 7, null],
            "rate_limited_events":[{"category":"span","quantity":1}],
            "filtered_sampling_events":[{"reason":"","category":"transaction","quantity":9}]}"#;
        assert_eq!(
            parse(report).unwrap(),
            [
                discarded("queue_overflow", "error", 3),
                discarded("", "default", 2),
                discarded("ratelimit_backoff", "span", 1),
                discarded("", "transaction", 9),
            ]
        );
    }

    #[test]
    fn what_is_no_report_is_refused_or_empty() {
        assert!(parse(b"[]").is_err());
        assert!(parse(b"nonsense").is_err());
        assert_eq!(parse(b"{}").unwrap(), []);
        assert_eq!(parse(br#"{"discarded_events":{}}"#).unwrap(), []);
    }
}
