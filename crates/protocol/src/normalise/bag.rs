//! Bounds for what a client may attach freely.

use super::fields::truncate;
use crate::json::TRIMMED;
use serde_json::{Map, Value};

/// A number, a boolean, a key's quotes: what an entry costs beside its text.
const ENTRY_COST: usize = 4;

/// Cuts a map to `max_bytes` of content, roughly its size as JSON, and to `max_depth` levels. Entries are
/// kept in their order until the budget is used up; the text that crosses it is cut. Says whether anything
/// was cut.
pub(crate) fn trim(map: &mut Map<String, Value>, max_depth: u8, max_bytes: usize) -> bool {
    let mut left = max_bytes;
    if map.iter().all(|(key, value)| fits_entry(key, value, max_depth, &mut left)) {
        return false;
    }
    let mut left = max_bytes;
    *map = trimmed_map(std::mem::take(map), max_depth, &mut left);
    true
}

/// [`trim`] for a single value.
pub(crate) fn trim_value(value: &mut Value, max_depth: u8, max_bytes: usize) -> bool {
    let mut left = max_bytes;
    if fits(value, max_depth, &mut left) {
        return false;
    }
    let mut left = max_bytes;
    *value = trimmed(value.take(), max_depth, &mut left);
    true
}

fn spend(left: &mut usize, cost: usize) -> bool {
    match left.checked_sub(cost) {
        Some(rest) => {
            *left = rest;
            true
        }
        None => {
            *left = 0;
            false
        }
    }
}

fn fits_entry(key: &str, value: &Value, depth: u8, left: &mut usize) -> bool {
    spend(left, key.len() + ENTRY_COST) && fits(value, depth, left)
}

fn fits(value: &Value, depth: u8, left: &mut usize) -> bool {
    match value {
        Value::String(text) => spend(left, text.len() + ENTRY_COST),
        Value::Array(_) | Value::Object(_) if depth == 0 => false,
        Value::Array(list) => list.iter().all(|value| fits(value, depth - 1, left)),
        Value::Object(map) => map.iter().all(|(key, value)| fits_entry(key, value, depth - 1, left)),
        Value::Null | Value::Bool(_) | Value::Number(_) => spend(left, ENTRY_COST),
    }
}

fn trimmed_map(map: Map<String, Value>, depth: u8, left: &mut usize) -> Map<String, Value> {
    let mut kept = Map::new();
    for (key, value) in map {
        if !spend(left, key.len() + ENTRY_COST) || *left == 0 {
            break;
        }
        kept.insert(key, trimmed(value, depth, left));
    }
    kept
}

fn trimmed(value: Value, depth: u8, left: &mut usize) -> Value {
    match value {
        Value::String(mut text) => {
            let budget = left.saturating_sub(ENTRY_COST);
            if !spend(left, text.len() + ENTRY_COST) && text != TRIMMED {
                cut_bytes(&mut text, budget);
            }
            Value::String(text)
        }
        Value::Array(_) | Value::Object(_) if depth == 0 => {
            spend(left, TRIMMED.len() + ENTRY_COST);
            Value::String(TRIMMED.to_owned())
        }
        Value::Array(list) => {
            let mut kept = Vec::new();
            for value in list {
                if *left == 0 {
                    break;
                }
                kept.push(trimmed(value, depth - 1, left));
            }
            Value::Array(kept)
        }
        Value::Object(map) => Value::Object(trimmed_map(map, depth - 1, left)),
        other => {
            spend(left, ENTRY_COST);
            other
        }
    }
}

/// Cuts to `max` bytes, the ellipsis included.
fn cut_bytes(text: &mut String, max: usize) {
    let room = max.saturating_sub('…'.len_utf8());
    let whole = text.char_indices().take_while(|(at, c)| at + c.len_utf8() <= room).count();
    truncate(text, whole + 1);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn trimmed_to(value: Value, depth: u8, bytes: usize) -> Value {
        let Value::Object(mut map) = value else { panic!("an object") };
        trim(&mut map, depth, bytes);
        Value::Object(map)
    }

    #[test]
    fn what_fits_stays() {
        let value = json!({"a": [1, {"b": "c"}], "d": null});
        assert_eq!(trimmed_to(value.clone(), 3, 100), value);
    }

    #[test]
    fn depth_is_cut() {
        assert_eq!(
            trimmed_to(json!({"a": {"b": {"c": 1}}, "d": 2}), 1, 100),
            json!({"a": {"b": TRIMMED}, "d": 2})
        );
        assert_eq!(trimmed_to(json!({"a": []}), 0, 100), json!({"a": TRIMMED}));
    }

    #[test]
    fn bytes_are_cut() {
        let long = "x".repeat(100);
        let cut = trimmed_to(json!({"a": long, "b": long}), 3, 60);
        let text = cut["a"].as_str().unwrap();
        assert!(text.len() < 60 && text.ends_with('…'), "{cut}");
        assert!(cut.get("b").is_none());
        let many = trimmed_to(json!({"a": vec![1; 1000]}), 3, 60);
        assert!(many["a"].as_array().unwrap().len() < 20);
    }

    #[test]
    fn trimming_twice_changes_nothing_more() {
        let value = json!({"a": {"b": "é".repeat(50), "c": [1, 2, 3, "long long text"]}, "d": vec!["x"; 50]});
        for bytes in 1..200 {
            let once = trimmed_to(value.clone(), 2, bytes);
            let twice = trimmed_to(once.clone(), 2, bytes);
            assert_eq!(once, twice, "{bytes}");
        }
    }
}
