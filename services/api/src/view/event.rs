//! An event.

use bugle_store::events::StoredEvent;
use serde_json::{Map, Value, json};

/// The normalised event with its issue, project and title. What every event can be asked for is always there, null
/// or empty; the rest only when the client sent it.
pub(crate) fn event(stored: &StoredEvent) -> Value {
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
    let always = [
        ("release", Value::Null),
        ("environment", Value::Null),
        ("user", Value::Null),
        ("request", Value::Null),
        ("tags", json!({})),
        ("contexts", json!({})),
        ("exceptions", json!([])),
        ("breadcrumbs", json!([])),
    ];
    for (name, empty) in always {
        fields.entry(name).or_insert(empty);
    }
    Value::Object(fields)
}
