#![no_main]

use bugle_model::parse_event_id;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|data: &[u8]| {
    let found = bugle_protocol::event_id(data);
    if let Ok(Value::Object(event)) = serde_json::from_slice(data) {
        let plain = event.get("event_id").and_then(Value::as_str).and_then(parse_event_id);
        if let Some(id) = plain.filter(|id| !id.is_nil()) {
            assert_eq!(found, Some(id), "what plain JSON says is found");
        }
    }
});
