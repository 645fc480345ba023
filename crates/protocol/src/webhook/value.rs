//! Reading and bounding single values.

use serde_json::{Map, Value};

/// Levels of nesting that are kept of free-form data.
const MAX_DEPTH: usize = 7;
/// Entries that are kept of one list or object of free-form data.
const MAX_ENTRIES: usize = 1_000;

/// At most `max` characters.
pub(super) fn cut(text: &str, max: usize) -> String {
    text.chars().take(max).collect()
}

/// Text, number or flag as a text that is not blank.
pub(super) fn text(value: &Value, max: usize) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    let text = text.trim();
    (!text.is_empty()).then(|| cut(text, max))
}

/// Text as it is; anything else as JSON.
pub(super) fn any_text(value: &Value, max: usize) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Array(_) | Value::Object(_) => Some(cut(&value.to_string(), max)),
        _ => text(value, max),
    }
}

pub(super) fn number(value: &Value) -> Option<u32> {
    match value {
        Value::Number(number) => number.as_u64().and_then(|n| u32::try_from(n).ok()),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

pub(super) fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" => Some(true),
            "false" | "0" | "no" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

pub(super) fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(object) => object.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Free-form data within the bounds of depth and size. `budget` is in bytes of text and is used up.
pub(super) fn bounded(value: Value, budget: &mut usize) -> Value {
    nested(value, MAX_DEPTH, budget)
}

fn nested(value: Value, depth: usize, budget: &mut usize) -> Value {
    match value {
        Value::String(text) => {
            let kept = crate::stacktrace::prefix(&text, *budget).to_owned();
            *budget = budget.saturating_sub(kept.len().max(1));
            Value::String(kept)
        }
        Value::Array(_) | Value::Object(_) if depth == 0 || *budget == 0 => Value::String("…".to_owned()),
        Value::Array(list) => {
            let mut kept = Vec::new();
            for item in list.into_iter().take(MAX_ENTRIES) {
                if *budget == 0 {
                    break;
                }
                kept.push(nested(item, depth - 1, budget));
            }
            Value::Array(kept)
        }
        Value::Object(object) => Value::Object(bounded_map(object, depth - 1, budget)),
        scalar => {
            *budget = budget.saturating_sub(4);
            scalar
        }
    }
}

fn bounded_map(object: Map<String, Value>, depth: usize, budget: &mut usize) -> Map<String, Value> {
    let mut kept = Map::new();
    for (name, value) in object.into_iter().take(MAX_ENTRIES) {
        if *budget == 0 {
            break;
        }
        let name = cut(&name, 200);
        *budget = budget.saturating_sub(name.len());
        kept.insert(name, nested(value, depth, budget));
    }
    kept
}

/// An object of free-form data within the bounds.
pub(super) fn bounded_object(object: Map<String, Value>, budget: &mut usize) -> Map<String, Value> {
    bounded_map(object, MAX_DEPTH - 1, budget)
}
