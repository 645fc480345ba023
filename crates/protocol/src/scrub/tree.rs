//! Values of any shape: maps by their names, text by what it looks like.

use super::names::Names;
use super::{Active, FILTERED, cards, environ};
use serde_json::{Map, Value};

impl Active {
    /// Scrubs a value. Recursion is bounded by what normalising lets through.
    pub(super) fn tree(&self, value: &mut Value) {
        match value {
            Value::String(text) => self.text.prose(text),
            Value::Object(map) => self.map(map),
            Value::Array(list) => self.list(list),
            Value::Number(number) if number.as_u64().is_some_and(cards::is_card_number) => {
                *value = FILTERED.into()
            }
            Value::Number(_) | Value::Bool(_) | Value::Null => {}
        }
    }

    pub(super) fn map(&self, map: &mut Map<String, Value>) {
        if self.is_secret_by_sibling(map)
            && let Some(value) = map.get_mut("value")
        {
            filter(value);
        }
        for (name, value) in map {
            self.entry(name, value);
        }
    }

    /// Scrubs what stands under a name.
    pub(super) fn entry(&self, name: &str, value: &mut Value) {
        if self.names.is_secret(name) {
            match value {
                Value::Number(_) if Names::is_count(name) => {}
                other => filter(other),
            }
        } else if environ::is_environ(name) {
            self.environ(value);
        } else if !self.names.is_kept(name) {
            self.tree(value);
        }
    }

    /// `["password", "x"]` is an entry, too: headers, cookies and forms are often sent so.
    fn list(&self, list: &mut [Value]) {
        if let [Value::String(name), value] = list
            && !value.is_array()
            && !value.is_object()
            && self.names.is_secret(name)
        {
            filter(value);
            return;
        }
        for value in list {
            self.tree(value);
        }
    }

    /// `{"name": "password", "value": "x"}`.
    fn is_secret_by_sibling(&self, map: &Map<String, Value>) -> bool {
        map.contains_key("value")
            && ["name", "key"].iter().any(|name| {
                map.get(*name).and_then(Value::as_str).is_some_and(|text| self.names.is_secret(text))
            })
    }
}

/// Whether there is a password says nothing about it.
fn filter(value: &mut Value) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::String(text) if matches!(text.as_str(), "" | "None" | "null" | "nil" | "undefined") => {}
        other => *other = FILTERED.into(),
    }
}
