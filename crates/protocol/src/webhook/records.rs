//! Records as common loggers write them: what others send as a field of its own lies a level deeper here, or
//! has a dotted name.

use serde_json::{Map, Value};

/// Names under which the exception is given already.
const EXCEPTIONS: [&str; 4] = ["exception", "error", "throwable", "err"];
/// The numbers of pino and bunyan. They are not Python's, where 50 is critical.
const LEVELS: [(u64, &str); 6] =
    [(10, "debug"), (20, "debug"), (30, "info"), (40, "warning"), (50, "error"), (60, "fatal")];

/// Gives a record the names and the shape that all other bodies have. What means nothing stays.
pub(super) fn unfold(record: &mut Map<String, Value>) {
    // The Elastic Common Schema, and the attributes of OpenTelemetry.
    dotted(record, "error", &["type", "message", "stack_trace"]);
    dotted(record, "exception", &["type", "message", "stacktrace"]);
    lift(record, "service", &[("name", "service"), ("version", "version"), ("environment", "environment")]);
    lift(record, "log", &[("level", "level"), ("logger", "logger")]);
    lift(record, "transaction", &[("name", "transaction")]);
    lift(record, "span", &[("id", "span_id")]);
    if record.get("trace").is_some_and(|trace| trace.get("id").is_some() && trace.get("frames").is_none()) {
        lift(record, "trace", &[("id", "trace_id")]);
    }
    exception_in_context(record);
    numbered_level(record);
}

/// `error.type` and its kin are the parts of an object `error`.
fn dotted(record: &mut Map<String, Value>, name: &str, parts: &[&str]) {
    if record.contains_key(name) {
        return;
    }
    let mut object = Map::new();
    for part in parts {
        if let Some(value) = record.remove(&format!("{name}.{part}")) {
            object.insert((*part).to_owned(), value);
        }
    }
    if !object.is_empty() {
        record.insert(name.to_owned(), Value::Object(object));
    }
}

/// Takes parts of an object out of it, unless the record has them already; the rest stays as extra.
fn lift(record: &mut Map<String, Value>, name: &str, parts: &[(&str, &str)]) {
    if !record.get(name).is_some_and(Value::is_object) {
        return;
    }
    let Some(Value::Object(mut object)) = record.remove(name) else { return };
    for (part, target) in parts {
        if !record.contains_key(*target)
            && let Some(value) = object.remove(*part)
        {
            record.insert((*target).to_owned(), value);
        }
    }
    if !object.is_empty() {
        record.insert(format!("{name}.parts"), Value::Object(object));
    }
}

/// Monolog, and so Laravel: `Log::error("…", ["exception" => $e])`.
fn exception_in_context(record: &mut Map<String, Value>) {
    if EXCEPTIONS.iter().any(|name| record.get(*name).is_some_and(|value| !value.is_null())) {
        return;
    }
    let Some(Value::Object(context)) = record.get_mut("context") else { return };
    let is_exception = match context.get("exception") {
        Some(Value::Object(_)) => true,
        Some(Value::String(text)) => text.starts_with("[object] (") || text.contains('\n'),
        _ => false,
    };
    if is_exception && let Some(exception) = context.remove("exception") {
        record.insert("exception".to_owned(), exception);
    }
}

fn numbered_level(record: &mut Map<String, Value>) {
    if !record.contains_key("pid") || !record.contains_key("hostname") {
        return;
    }
    let Some(level) = record.get_mut("level") else { return };
    if let Some((_, word)) = LEVELS.iter().find(|(number, _)| level.as_u64() == Some(*number)) {
        *level = Value::String((*word).to_owned());
    }
}
