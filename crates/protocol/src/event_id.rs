//! The id of an event, found without building anything of the rest.

use crate::json;
use bugle_model::parse_event_id;
use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::cell::Cell;
use uuid::Uuid;

/// The id that an event gives itself, however odd its JSON is: what the recorder repairs must be answered with
/// its own id, and be known again when it is sent again.
#[must_use]
pub fn event_id(event: &[u8]) -> Option<Uuid> {
    let found = Cell::new(None);
    let read = Event(&found).deserialize(&mut serde_json::Deserializer::from_slice(event));
    if read.is_err() && found.get().is_none() {
        let repaired = json::repaired(event);
        let _ = Event(&found).deserialize(&mut serde_json::Deserializer::from_str(&repaired));
    }
    found.get()
}

struct Event<'a>(&'a Cell<Option<Uuid>>);

impl<'de> DeserializeSeed<'de> for Event<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Event<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(key) = entries.next_key::<String>()? {
            if key == "event_id" {
                if let Some(id) = entries.next_value_seed(Id)? {
                    self.0.set(Some(id));
                }
            } else {
                entries.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// The value, when it is an id; anything else is skipped.
struct Id;

impl<'de> DeserializeSeed<'de> for Id {
    type Value = Option<Uuid>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<Uuid>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Id {
    type Value = Option<Uuid>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Option<Uuid>, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Option<Uuid>, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Option<Uuid>, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Option<Uuid>, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Option<Uuid>, E> {
        Ok(None)
    }

    fn visit_str<E>(self, text: &str) -> Result<Option<Uuid>, E> {
        Ok(parse_event_id(text).filter(|id| !id.is_nil()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Option<Uuid>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Option<Uuid>, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_found_in_whatever_can_be_repaired() {
        let id = "9ec79c33ec9942ab8353589fcb2e04dc";
        for event in [
            format!(r#"{{"event_id":"{id}"}}"#),
            format!(r#"{{"a":NaN,"event_id":"{id}"}}"#),
            format!(r#"{{"event_id":"{id}","a":-Infinity}}"#),
            format!(r#"{{"event_id":"{id}","event_id":"{id}"}}"#),
            format!(r#"{{"event_id":5,"event_id":"{id}","\ud83d":"\ud83d"}}"#),
            format!("{{\"a\":\"x\ny\",\"event_id\":\"{id}\"}}"),
            format!("\u{feff}{{\"event_id\":\"{id}\"}}"),
            format!(r#"{{"a":{}1{},"event_id":"{id}"}}"#, "[".repeat(100_000), "]".repeat(100_000)),
        ] {
            let found = event_id(event.as_bytes()).map(|id| id.simple().to_string());
            assert_eq!(found.as_deref(), Some(id), "{}", event.chars().take(80).collect::<String>());
        }
        for event in [
            "",
            "{}",
            "[]",
            "5",
            r#"{"event_id":[[]]}"#,
            r#"{"event_id":{"event_id":"x"}}"#,
            r#"{"event_id":"00000000000000000000000000000000"}"#,
            "{\"a\":NaN",
        ] {
            assert_eq!(event_id(event.as_bytes()), None, "{event}");
        }
    }
}
