//! Reading one field: coercion where it makes sense, a note where it does not.

use serde_json::{Map, Value};

/// An event carries at most this many notes.
const MAX_NOTES: usize = 50;
const MAX_NOTE_CHARS: usize = 200;
const ELLIPSIS: char = '…';

/// What had to be changed or dropped, as `field: reason`.
#[derive(Debug, Default)]
pub(crate) struct Notes(Vec<String>);

impl Notes {
    /// Adds a note; the same one is kept once.
    pub fn note(&mut self, field: &str, reason: impl std::fmt::Display) {
        if self.0.len() < MAX_NOTES {
            let mut note = format!("{field}: {reason}");
            truncate(&mut note, MAX_NOTE_CHARS);
            if !self.0.contains(&note) {
                self.0.push(note);
            }
        }
    }

    /// The notes, for the event.
    pub fn into_errors(self) -> Vec<String> {
        self.0
    }

    fn wrong_type(&mut self, field: &str, expected: &str, value: &Value) {
        self.note(field, format_args!("expected {expected}, got {}: dropped", type_name(value)));
    }

    /// Text of at most `max` characters, cut with an ellipsis. Numbers and booleans are written out; empty
    /// text and null are nothing.
    pub fn text(&mut self, field: &str, value: Value, max: usize) -> Option<String> {
        let mut text = self.scalar(field, value)?;
        truncate(&mut text, max);
        (!text.is_empty()).then_some(text)
    }

    /// Like [`Notes::text`], on one line and without surrounding blanks.
    pub fn word(&mut self, field: &str, value: Value, max: usize) -> Option<String> {
        let mut text = one_line(self.scalar(field, value)?);
        truncate(&mut text, max);
        (!text.is_empty()).then_some(text)
    }

    fn scalar(&mut self, field: &str, value: Value) -> Option<String> {
        match value {
            Value::String(text) => Some(text),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            Value::Null => None,
            Value::Array(_) | Value::Object(_) => {
                self.wrong_type(field, "text", &value);
                None
            }
        }
    }

    /// Text, or the JSON of whatever else it is.
    pub fn any_text(&mut self, value: Value, max: usize) -> Option<String> {
        let mut text = match value {
            Value::Null => return None,
            Value::String(text) => text,
            other => other.to_string(),
        };
        truncate(&mut text, max);
        Some(text)
    }

    /// A boolean, also as `"true"`, `"false"`, 0 or 1.
    pub fn flag(&mut self, field: &str, value: &Value) -> Option<bool> {
        match value {
            Value::Null => None,
            Value::Bool(flag) => Some(*flag),
            Value::String(text) if text.eq_ignore_ascii_case("true") || text == "1" => Some(true),
            Value::String(text) if text.eq_ignore_ascii_case("false") || text == "0" => Some(false),
            Value::Number(number) if number.as_u64() == Some(1) => Some(true),
            Value::Number(number) if number.as_u64() == Some(0) => Some(false),
            _ => {
                self.wrong_type(field, "true or false", value);
                None
            }
        }
    }

    /// A whole number, also as text or as a float without a fraction.
    pub fn integer(&mut self, field: &str, value: &Value) -> Option<i64> {
        let number = match value {
            Value::Null => return None,
            Value::Number(number) => number.as_i64().or_else(|| number.as_f64().and_then(whole)),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        if number.is_none() {
            self.wrong_type(field, "a whole number", value);
        }
        number
    }

    /// A line or column: from 1; 0 is how some clients say that they do not know.
    pub fn position(&mut self, field: &str, value: &Value) -> Option<u32> {
        let number = self.integer(field, value)?;
        let position = u32::try_from(number).ok();
        if position.is_none() {
            self.note(field, "not a line or column number: dropped");
        }
        position.filter(|position| *position > 0)
    }

    /// An object; a list becomes one by its indexes.
    pub fn map(&mut self, field: &str, value: Value) -> Option<Map<String, Value>> {
        match value {
            Value::Object(map) => Some(map),
            Value::Array(list) => {
                Some(list.into_iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect())
            }
            Value::Null => None,
            other => {
                self.wrong_type(field, "an object", &other);
                None
            }
        }
    }

    /// An object and nothing else.
    pub fn object(&mut self, field: &str, value: Value) -> Option<Map<String, Value>> {
        match value {
            Value::Object(map) => Some(map),
            Value::Null => None,
            other => {
                self.wrong_type(field, "an object", &other);
                None
            }
        }
    }

    /// The entries of a list in any of its forms: `{"values": […]}`, `[…]`, or one bare object. Nulls are
    /// left out.
    pub fn values(&mut self, field: &str, value: Value) -> Vec<Value> {
        let list = match value {
            Value::Null => return Vec::new(),
            Value::Array(list) => list,
            Value::Object(mut map) => match map.remove("values") {
                Some(Value::Array(list)) => list,
                Some(Value::Null) => return Vec::new(),
                Some(other @ Value::Object(_)) => vec![other],
                Some(other) => {
                    self.wrong_type(field, "a list", &other);
                    return Vec::new();
                }
                None if map.is_empty() => return Vec::new(),
                None => vec![Value::Object(map)],
            },
            other => {
                self.wrong_type(field, "a list", &other);
                return Vec::new();
            }
        };
        list.into_iter().filter(|value| !value.is_null()).collect()
    }
}

/// Text without control characters and surrounding blanks.
pub(crate) fn one_line(text: String) -> String {
    let trimmed = text.trim_matches(|c: char| c.is_whitespace() || c.is_control());
    if trimmed.contains(char::is_control) {
        trimmed.replace(char::is_control, " ")
    } else if trimmed.len() == text.len() {
        text
    } else {
        trimmed.to_owned()
    }
}

/// Cuts text to `max` characters, the last of them an ellipsis.
pub(crate) fn truncate(text: &mut String, max: usize) {
    // A character has at least one byte.
    if text.len() <= max {
        return;
    }
    let mut starts = text.char_indices().skip(max.saturating_sub(1));
    let Some((cut, _)) = starts.next() else { return };
    if starts.next().is_some() {
        text.truncate(cut);
        text.push(ELLIPSIS);
    }
}

fn whole(number: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and within the exact range")]
    (number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0).then_some(number as i64)
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
