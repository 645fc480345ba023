//! Contexts: named objects of any shape.

use super::Notes;
use super::bag::trim_value;
use bugle_model::Event;
use serde_json::{Map, Value};

const MAX_DEPTH: u8 = 7;
const MAX_CONTEXT_BYTES: usize = 32 * 1024;
const MAX_CONTEXTS: usize = 100;

/// Reads contexts. Each is bounded on its own, so that a large one does not push out `trace`.
pub(crate) fn contexts(value: Value, notes: &mut Notes) -> Map<String, Value> {
    let Some(map) = notes.object("contexts", value) else { return Map::new() };
    let mut contexts = Map::new();
    for (name, mut context) in map {
        if context.is_null() {
            continue;
        }
        if contexts.len() == MAX_CONTEXTS {
            notes.note("contexts", format_args!("more than {MAX_CONTEXTS}: the rest dropped"));
            break;
        }
        if trim_value(&mut context, MAX_DEPTH, MAX_CONTEXT_BYTES) {
            notes.note(
                "contexts",
                format_args!("`{name}` cut to {MAX_CONTEXT_BYTES} bytes, {MAX_DEPTH} levels"),
            );
        }
        trim_blanks(&mut context);
        contexts.insert(name, context);
    }
    contexts
}

/// `os.version` comes with the newline of the file that it was read from.
fn trim_blanks(context: &mut Value) {
    for value in context.as_object_mut().into_iter().flat_map(Map::values_mut) {
        if let Value::String(text) = value {
            let length = text.trim_end().len();
            text.truncate(length);
        }
    }
}

/// Takes the ids of trace and span from the trace context.
pub(crate) fn set_trace(event: &mut Event) {
    let trace = event.contexts.get("trace");
    let id = |name: &str, length: usize| {
        let text = trace?.get(name)?.as_str()?.replace('-', "").to_ascii_lowercase();
        let is_id = text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        (is_id && text.bytes().any(|byte| byte != b'0')).then_some(text)
    };
    let (trace_id, span_id) = (id("trace_id", 32), id("span_id", 16));
    event.trace_id = trace_id;
    event.span_id = span_id;
}
