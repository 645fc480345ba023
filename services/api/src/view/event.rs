//! An event.

use bugle_model::{Event, IssueId, ProjectId};
use bugle_store::events::StoredEvent;
use chrono::{DateTime, Utc};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// The normalised event with its issue, project and title. What every event can be asked for is always there, null
/// or empty; the rest only when the client sent it.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub(crate) struct EventView(Map<String, Value>);

impl JsonSchema for EventView {
    fn schema_name() -> Cow<'static, str> {
        Shape::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Shape::json_schema(generator)
    }
}

/// An event with its issue, project and title.
#[derive(JsonSchema)]
#[schemars(rename = "StoredEvent", transform = always_there)]
#[expect(dead_code, reason = "only its shape matters")]
struct Shape {
    #[serde(flatten)]
    event: Event,
    issue: IssueId,
    project: ProjectId,
    /// When ingest accepted it.
    received_at: DateTime<Utc>,
    title: String,
    /// Where it happened.
    culprit: Option<String>,
    /// The hashes that it was grouped by, the primary first.
    hashes: Vec<String>,
}

/// What is there even when the client sent nothing of it, and what it then is.
fn empty_fields() -> [(&'static str, Value); 8] {
    [
        ("release", Value::Null),
        ("environment", Value::Null),
        ("user", Value::Null),
        ("request", Value::Null),
        ("tags", json!({})),
        ("contexts", json!({})),
        ("exceptions", json!([])),
        ("breadcrumbs", json!([])),
    ]
}

fn always_there(schema: &mut Schema) {
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        required.extend(empty_fields().map(|(name, _)| json!(name)));
    }
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        let id = json_schema!({ "type": "string", "pattern": "^[0-9a-f]{32}$", "description": "The client's id." });
        properties.insert("event_id".to_owned(), id.into());
    }
}

impl EventView {
    /// As a value among others.
    pub(crate) fn into_json(self) -> Value {
        Value::Object(self.0)
    }

    /// A stored event as it is shown.
    pub(crate) fn new(stored: &StoredEvent) -> Self {
        let mut fields = match serde_json::to_value(&stored.event) {
            Ok(Value::Object(fields)) => fields,
            _ => Map::new(),
        };
        // As SDKs print it: without dashes.
        fields.insert("event_id".to_owned(), json!(stored.event.event_id.simple().to_string()));
        fields.insert("issue".to_owned(), json!(stored.issue));
        fields.insert("project".to_owned(), json!(stored.project));
        fields.insert("received_at".to_owned(), json!(stored.received_at));
        fields.insert("title".to_owned(), json!(stored.title));
        fields.insert("culprit".to_owned(), json!(stored.culprit));
        fields.insert("hashes".to_owned(), json!(stored.hashes));
        for (name, empty) in empty_fields() {
            fields.entry(name).or_insert(empty);
        }
        Self(fields)
    }
}
