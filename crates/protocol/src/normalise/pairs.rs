//! Objects, lists of pairs and encoded text that all mean the same: names with values.

use super::{Notes, truncate};
use serde_json::Value;

/// Names with values, in order.
pub(crate) type Pairs = Vec<(String, String)>;

/// An object, or a list of `[name, value]`; a value may be a list, which gives several pairs. Nulls are left
/// out, other values become text. Stops when `max_bytes` are used up.
pub(crate) fn pairs(field: &str, value: Value, max_bytes: usize, notes: &mut Notes) -> Pairs {
    let mut found = Collector { pairs: Vec::new(), left: max_bytes };
    match value {
        Value::Null => {}
        Value::Object(map) => map.into_iter().for_each(|(name, value)| found.add(name, value)),
        Value::Array(list) => {
            for entry in list {
                match split_pair(entry) {
                    Some((name, value)) => found.add(name, value),
                    None => notes.note(field, "expected pairs of name and value: dropped"),
                }
            }
        }
        _ => notes.note(field, "expected an object or a list of pairs: dropped"),
    }
    found.pairs
}

/// `a=b&c=d`, decoded.
pub(crate) fn from_query(text: &str, max_bytes: usize) -> Pairs {
    let mut found = Collector { pairs: Vec::new(), left: max_bytes };
    let text = text.strip_prefix('?').unwrap_or(text);
    for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
        let value = crate::json::without_nul(&value).into_owned();
        found.add(crate::json::without_nul(&name).into_owned(), Value::String(value));
    }
    found.pairs
}

/// `a=b; c=d`.
pub(crate) fn from_cookies(text: &str, max_bytes: usize) -> Pairs {
    let mut found = Collector { pairs: Vec::new(), left: max_bytes };
    for cookie in text.split(';').map(str::trim).filter(|cookie| !cookie.is_empty()) {
        let (name, value) = cookie.split_once('=').unwrap_or((cookie, ""));
        found.add(name.to_owned(), Value::String(value.to_owned()));
    }
    found.pairs
}

/// A list of two is a pair, whatever the first is; an object with one entry, too.
pub(crate) fn split_pair(entry: Value) -> Option<(String, Value)> {
    match entry {
        Value::Array(list) => {
            let [name, value] = <[Value; 2]>::try_from(list).ok()?;
            match name {
                Value::String(name) => Some((name, value)),
                Value::Number(name) => Some((name.to_string(), value)),
                _ => None,
            }
        }
        Value::Object(map) if map.len() == 1 => map.into_iter().next(),
        _ => None,
    }
}

struct Collector {
    pairs: Pairs,
    left: usize,
}

impl Collector {
    fn add(&mut self, name: String, value: Value) {
        match value {
            Value::Null => {}
            Value::Array(list) if list.iter().all(|value| !value.is_array() && !value.is_object()) => {
                for value in list {
                    self.add(name.clone(), value);
                }
            }
            Value::String(text) => self.push(name, text),
            other => self.push(name, other.to_string()),
        }
    }

    fn push(&mut self, name: String, mut value: String) {
        let Some(left) = self.left.checked_sub(name.len() + 1).filter(|left| *left > 0) else {
            self.left = 0;
            return;
        };
        truncate(&mut value, left);
        self.left = left.saturating_sub(value.len());
        self.pairs.push((name, value));
    }
}
