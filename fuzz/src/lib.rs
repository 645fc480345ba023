//! What the targets share.

use bugle_model::{Event, ItemKind, ProjectId, RawItem};
use chrono::DateTime;
use serde_json::Value;
use uuid::Uuid;

/// An accepted item with a body from the fuzzer.
#[must_use]
pub fn item(kind: ItemKind, body: &[u8]) -> RawItem {
    RawItem {
        id: Uuid::from_u128(1),
        kind,
        project: ProjectId(1),
        key: None,
        unverified_key: None,
        received_at: DateTime::from_timestamp(1_795_197_600, 0).unwrap_or_default(),
        remote_addr: Some([198, 51, 100, 4].into()),
        client: None,
        user_agent: None,
        request_id: None,
        content_type: None,
        event_id: None,
        sent_at: None,
        environment: None,
        release: None,
        attachment: None,
        body: body.to_vec(),
    }
}

/// Every event can be written and read back as it is, but for the last digit of a fraction.
pub fn check(event: &Event) {
    let text = serde_json::to_string(event).expect("an event can be written");
    let read: Event = serde_json::from_str(&text).expect("what was written can be read");
    assert_eq!(read.exceptions.len(), event.exceptions.len());
    assert!(event.errors.len() <= 50);
    let value = serde_json::to_value(event).expect("an event can be a value");
    assert!(!has_nul(&value), "NUL cannot be stored");
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(list) => list.iter().any(has_nul),
        Value::Object(object) => object.iter().any(|(name, value)| name.contains('\0') || has_nul(value)),
        _ => false,
    }
}

/// One webhook: what the door lets in can be read later.
pub fn webhook(kind: ItemKind, body: &[u8]) {
    let passes = bugle_protocol::webhook::validate(kind, body).is_ok();
    match bugle_protocol::webhook::normalise(kind, body, &item(kind, body)) {
        Ok(event) => check(&event),
        Err(error) => assert!(!passes, "the door let in what cannot be read: {error}"),
    }
}
