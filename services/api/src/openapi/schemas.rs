//! The shared schemas of the document. What is read and what is written may look different (what may be left out of a
//! request is always there in an answer), so each has its own generator; both give their schemas to one set in the end.

use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

const PLACE: &str = "#/components/schemas/";

/// The generators of what is read and what is written.
pub(super) struct Schemas {
    pub(super) read: SchemaGenerator,
    pub(super) written: SchemaGenerator,
}

impl Schemas {
    pub(super) fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        Self {
            read: settings.clone().for_deserialize().into_generator(),
            written: settings.for_serialize().into_generator(),
        }
    }

    /// All shared schemas. Where a request has something else under a name than an answer, the request's is another name.
    pub(super) fn finish(mut self) -> Map<String, Value> {
        let mut read = plain(self.read.take_definitions(true));
        let mut all = plain(self.written.take_definitions(true));
        for schema in all.values_mut() {
            if let Ok(schema) = <&mut Schema>::try_from(schema) {
                NeverNull.transform(schema);
            }
        }
        let different = different(&read, &all);
        for schema in read.values_mut() {
            rename(schema, &different);
        }
        for (name, schema) in read {
            let name = if different.contains(&name) { given(&name) } else { name };
            all.insert(name, schema);
        }
        all
    }
}

fn plain(mut all: Map<String, Value>) -> Map<String, Value> {
    for schema in all.values_mut() {
        if let Ok(schema) = <&mut Schema>::try_from(schema) {
            Plain.transform(schema);
        }
    }
    all
}

/// Puts the limits of a number's type into words that every client understands.
#[derive(Debug, Clone)]
pub(super) struct Plain;

impl Transform for Plain {
    fn transform(&mut self, schema: &mut Schema) {
        let limits: Option<(i64, i64)> = match schema.get("format").and_then(Value::as_str) {
            Some("int16") => Some((i16::MIN.into(), i16::MAX.into())),
            Some("int32") => Some((i32::MIN.into(), i32::MAX.into())),
            Some("uint8") => Some((0, u8::MAX.into())),
            Some("uint16") => Some((0, u16::MAX.into())),
            Some("uint32") => Some((0, i64::from(u32::MAX))),
            _ => None,
        };
        if let Some((least, greatest)) = limits {
            let fields = schema.ensure_object();
            fields.entry("minimum").or_insert(json!(least));
            fields.entry("maximum").or_insert(json!(greatest));
        }
        // Of these OpenAPI knows the first two only.
        let known = ["int32", "int64"];
        let format = schema.get("format").and_then(Value::as_str);
        if format.is_some_and(|format| format.contains("int") && !known.contains(&format)) {
            schema.remove("format");
        }
        transform_subschemas(self, schema);
    }
}

/// What an answer may leave out it leaves out instead of saying null.
#[derive(Debug, Clone)]
struct NeverNull;

impl Transform for NeverNull {
    fn transform(&mut self, schema: &mut Schema) {
        let required: BTreeSet<String> = schema
            .get("required")
            .and_then(|names| serde_json::from_value(names.clone()).ok())
            .unwrap_or_default();
        if let Some(Value::Object(properties)) = schema.get_mut("properties") {
            properties
                .iter_mut()
                .filter(|(name, _)| !required.contains(*name))
                .for_each(|(_, one)| not_null(one));
        }
        transform_subschemas(self, schema);
    }
}

fn not_null(schema: &mut Value) {
    let Some(fields) = schema.as_object_mut() else { return };
    fields.remove("default");
    if let Some(Value::Array(types)) = fields.get_mut("type") {
        types.retain(|one| one != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            fields.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(variants)) = fields.get_mut("anyOf") {
        variants.retain(|one| one["type"] != "null");
        if let [Value::Object(only)] = variants.as_slice() {
            let only = only.clone();
            fields.remove("anyOf");
            fields.extend(only);
        }
    }
}

/// The names under which a request has something else than an answer, by itself or by what it refers to.
fn different(read: &Map<String, Value>, written: &Map<String, Value>) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = read
        .iter()
        .filter(|(name, schema)| written.get(*name).is_some_and(|other| other != *schema))
        .map(|(name, _)| name.clone())
        .collect();
    loop {
        let more: Vec<_> = read
            .iter()
            .filter(|(name, schema)| {
                written.contains_key(*name) && !found.contains(*name) && refers_to(schema, &found)
            })
            .map(|(name, _)| name.clone())
            .collect();
        if more.is_empty() {
            return found;
        }
        found.extend(more);
    }
}

fn given(name: &str) -> String {
    format!("Given{name}")
}

fn reference(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix(PLACE)
}

fn refers_to(schema: &Value, names: &BTreeSet<String>) -> bool {
    if reference(schema).is_some_and(|name| names.contains(name)) {
        return true;
    }
    match schema {
        Value::Array(items) => items.iter().any(|item| refers_to(item, names)),
        Value::Object(fields) => fields.values().any(|field| refers_to(field, names)),
        _ => false,
    }
}

fn rename(schema: &mut Value, names: &BTreeSet<String>) {
    if let Some(name) = reference(schema).filter(|name| names.contains(*name)).map(given)
        && let Some(place) = schema.get_mut("$ref")
    {
        *place = Value::String(format!("{PLACE}{name}"));
    }
    match schema {
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, names)),
        Value::Object(fields) => fields.values_mut().for_each(|field| rename(field, names)),
        _ => {}
    }
}

/// A reference to a shared schema.
pub(super) fn refer(name: &str) -> Value {
    json!({ "$ref": format!("{PLACE}{name}") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Plan {
        settings: Settings,
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(default)]
    struct Settings {
        days: u16,
    }

    impl Default for Settings {
        fn default() -> Self {
            Self { days: 90 }
        }
    }

    #[test]
    fn what_is_read_and_written_otherwise_has_two_names() {
        let mut schemas = Schemas::new();
        schemas.read.subschema_for::<Plan>();
        schemas.written.subschema_for::<Plan>();
        let all = schemas.finish();
        let names: Vec<_> = all.keys().map(String::as_str).collect();
        assert_eq!(names, ["GivenPlan", "GivenSettings", "Plan", "Settings"]);
        let of = |pointer: &str| all.get("GivenPlan").and_then(|plan| plan.pointer(pointer)).cloned();
        assert_eq!(of("/properties/settings/$ref"), Some(json!("#/components/schemas/GivenSettings")));
        assert_eq!(of("/properties/note/type"), Some(json!(["string", "null"])));
        let of = |name: &str, pointer: &str| all.get(name).and_then(|one| one.pointer(pointer)).cloned();
        assert_eq!(of("Plan", "/properties/note/type"), Some(json!("string")));
        assert_eq!(of("Settings", "/required"), Some(json!(["days"])));
        assert_eq!(of("GivenSettings", "/required"), None);
        assert_eq!(of("Settings", "/properties/days/maximum"), Some(json!(65_535)));
    }
}
