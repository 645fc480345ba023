//! JSON as clients write it, read once into a [`Value`].
//!
//! serde_json does the parsing; what it would refuse is made acceptable: lone surrogates before, and, only
//! when parsing fails, the oddities of [`repair()`]. Values nested deeper than [`MAX_DEPTH`] are skipped
//! without recursion, so that no input can exhaust the stack. NUL characters are removed, since PostgreSQL
//! stores none. Of duplicate keys the last wins.

mod repair;

use repair::{patch_surrogates, repair};
use serde::Deserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::borrow::Cow;
use std::cell::Cell;

/// What is nested deeper is replaced by [`TRIMMED`]. The protocol itself needs about 15.
pub(crate) const MAX_DEPTH: u8 = 32;
/// Stands where something was cut out.
pub(crate) const TRIMMED: &str = "[trimmed]";

/// Some editors and libraries begin a file with it.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A document.
#[derive(Debug)]
pub(crate) struct Parsed {
    /// Its content.
    pub value: Value,
    /// Something was nested deeper than [`MAX_DEPTH`].
    pub was_too_deep: bool,
    /// It was no valid JSON and had to be repaired.
    pub was_repaired: bool,
}

/// Parses one document.
pub(crate) fn parse(bytes: &[u8]) -> Result<Parsed, String> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let patched = patch_surrogates(bytes);
    let first = match std::str::from_utf8(&patched) {
        Ok(text) => parse_text(text),
        Err(_) => Err("not UTF-8".to_owned()),
    };
    match first {
        Ok((value, was_too_deep)) => Ok(Parsed { value, was_too_deep, was_repaired: false }),
        Err(reason) => {
            let repaired = repair(&String::from_utf8_lossy(&patched));
            let (value, was_too_deep) = parse_text(&repaired).map_err(|_| reason)?;
            Ok(Parsed { value, was_too_deep, was_repaired: true })
        }
    }
}

/// What [`parse()`] falls back to: the document with its oddities taken out.
pub(crate) fn repaired(bytes: &[u8]) -> String {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    repair(&String::from_utf8_lossy(&patch_surrogates(bytes)))
}

/// Parses a small document, such as a header line, into a type.
pub(crate) fn from_line<T: DeserializeOwned>(line: &[u8]) -> Result<T, String> {
    serde_json::from_slice(&patch_surrogates(line)).map_err(|error| error.to_string())
}

fn parse_text(text: &str) -> Result<(Value, bool), String> {
    let was_too_deep = Cell::new(false);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let seed = Bounded { depth: 0, was_too_deep: &was_too_deep };
    let value = seed.deserialize(&mut deserializer).map_err(|error| error.to_string())?;
    deserializer.end().map_err(|error| error.to_string())?;
    Ok((value, was_too_deep.get()))
}

/// Text without NUL characters.
pub(crate) fn without_nul(text: &str) -> Cow<'_, str> {
    if memchr::memchr(0, text.as_bytes()).is_some() {
        Cow::Owned(text.replace('\0', ""))
    } else {
        Cow::Borrowed(text)
    }
}

#[derive(Clone, Copy)]
struct Bounded<'a> {
    depth: u8,
    was_too_deep: &'a Cell<bool>,
}

impl Bounded<'_> {
    fn inner(self) -> Self {
        Self { depth: self.depth + 1, ..self }
    }

    fn is_too_deep(self) -> bool {
        let is_too_deep = self.depth >= MAX_DEPTH;
        if is_too_deep {
            self.was_too_deep.set(true);
        }
        is_too_deep
    }
}

impl<'de> DeserializeSeed<'de> for Bounded<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Bounded<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(without_nul(text).into_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        if self.is_too_deep() {
            // Ignoring is iterative in serde_json.
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(Value::String(TRIMMED.to_owned()));
        }
        let mut values = Vec::new();
        while let Some(value) = seq.next_element_seed(self.inner())? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        if self.is_too_deep() {
            while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(Value::String(TRIMMED.to_owned()));
        }
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<Cow<'_, str>>()? {
            let value = entries.next_value_seed(self.inner())?;
            map.insert(without_nul(&key).into_owned(), value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn value(text: &str) -> Value {
        parse(text.as_bytes()).unwrap().value
    }

    #[test]
    fn oddities_are_survived() {
        for (text, expected) in [
            (r#"{"a":1,"a":2}"#, json!({"a": 2})),
            (r#"["a\u0000b\u0000", {"k\u0000":1}]"#, json!(["ab", {"k": 1}])),
            (r#""\ud83d""#, json!("\u{fffd}")),
            (r#""\ud83d\ude00""#, json!("😀")),
            (r#""\ude00\ud83dx""#, json!("\u{fffd}\u{fffd}x")),
            (r#""\\ud83d""#, json!("\\ud83d")),
            (r#""\\\uD83D\\""#, json!("\\\u{fffd}\\")),
            (r#"[NaN, Infinity, -Infinity, "NaN"]"#, json!([null, null, null, "NaN"])),
            (r#"{"a":NaN}"#, json!({"a": null})),
            ("[123456789012345678901234567890]", json!([1.2345678901234568e29])),
            ("[1e999, -1e999, 5]", json!(["1e999", "-1e999", 5])),
            ("[\"a\nb\tc\"]", json!(["a\nb\tc"])),
            (r#"["\x41 \' \u12"]"#, json!(["\\x41 \\' \\u12"])),
            ("\u{feff}{}", json!({})),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn bytes_that_are_no_utf8_are_replaced() {
        let parsed = parse(b"{\"a\":\"\xff\xfe\"}").unwrap();
        assert_eq!(parsed.value, json!({"a": "\u{fffd}\u{fffd}"}));
        assert!(parsed.was_repaired);
    }

    #[test]
    fn deep_nesting_is_cut_without_recursion() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let deep = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
            let parsed = parse(deep.as_bytes()).unwrap();
            assert!(parsed.was_too_deep);
            let text = parsed.value.to_string();
            assert!(text.contains(TRIMMED) && text.len() < 300, "{text}");
        }
        assert!(parse("[".repeat(100_000).as_bytes()).is_err());
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in ["", " ", "{", "{]", "nonsense", "{}{}", "{\"a\":NaNo}", "\"", "[1,]", "-", "\\", "\"\\"]
        {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
