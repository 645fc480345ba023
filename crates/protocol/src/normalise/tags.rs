//! Tags.

use super::fields::one_line;
use super::{Notes, truncate};
use serde_json::Value;
use std::collections::BTreeMap;

/// An event keeps at most this many tags.
const MAX_TAGS: usize = 200;
const MAX_KEY_CHARS: usize = 200;
const MAX_VALUE_CHARS: usize = 200;
/// Fields of their own; a tag of that name would contradict them.
const RESERVED: [&str; 5] = ["release", "dist", "user", "filename", "function"];

/// Reads tags: an object or a list of pairs, values of any scalar type.
pub(crate) fn tags(value: Value, notes: &mut Notes) -> BTreeMap<String, String> {
    let entries: Box<dyn Iterator<Item = Option<(String, Value)>>> = match value {
        Value::Object(map) => Box::new(map.into_iter().map(Some)),
        Value::Array(list) => {
            Box::new(list.into_iter().filter(|entry| !entry.is_null()).map(super::pairs::split_pair))
        }
        Value::Null => return BTreeMap::new(),
        _ => {
            notes.note("tags", "expected an object or a list of pairs: dropped");
            return BTreeMap::new();
        }
    };
    let mut tags = BTreeMap::new();
    for entry in entries {
        let Some((key, value)) = entry else {
            notes.note("tags", "expected pairs of name and value: dropped");
            continue;
        };
        let Some(key) = tag_key(&key, notes) else { continue };
        let Some(value) = tag_value(value, notes) else { continue };
        if tags.len() == MAX_TAGS && !tags.contains_key(&key) {
            notes.note("tags", format_args!("more than {MAX_TAGS}: the rest dropped"));
            break;
        }
        tags.insert(key, value);
    }
    tags
}

/// A key of `[a-zA-Z0-9_.:-]`; a blank becomes a dash.
fn tag_key(key: &str, notes: &mut Notes) -> Option<String> {
    let key = key.trim().replace(' ', "-");
    let is_valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '-');
    if key.is_empty() || key.len() > MAX_KEY_CHARS || !key.chars().all(is_valid) {
        notes.note(
            "tags",
            format_args!("a key that is not 1 to {MAX_KEY_CHARS} of letters, digits, `_.:-`: dropped"),
        );
        return None;
    }
    if RESERVED.contains(&key.as_str()) {
        notes.note("tags", format_args!("`{key}` is a field of its own: dropped"));
        return None;
    }
    Some(key)
}

fn tag_value(value: Value, notes: &mut Notes) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) => text,
        // As Python writes them, from where tags come.
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Array(_) | Value::Object(_) => {
            notes.note("tags", "a value that is neither text nor number: dropped");
            return None;
        }
    };
    let mut text = one_line(text);
    truncate(&mut text, MAX_VALUE_CHARS);
    (!text.is_empty()).then_some(text)
}
