//! Exceptions: innermost cause first, outermost last.

use super::Notes;
use super::bag::trim;
use super::frames::stacktrace;
use bugle_model::{Exception, Mechanism};
use serde_json::{Map, Value};

/// Of more exceptions the outermost are kept: they give an issue its title.
const MAX_EXCEPTIONS: usize = 100;
const MAX_TYPE_CHARS: usize = 256;
const MAX_MODULE_CHARS: usize = 256;
const MAX_VALUE_CHARS: usize = 8192;
const MAX_WORD_CHARS: usize = 128;
const MAX_OTHER_DEPTH: u8 = 5;
const MAX_OTHER_BYTES: usize = 8192;

/// Reads the chain, in any of the forms of a list.
pub(crate) fn exceptions(value: Value, notes: &mut Notes) -> Vec<Exception> {
    let mut list = notes.values("exception", value);
    let excess = list.len().saturating_sub(MAX_EXCEPTIONS);
    if excess > 0 {
        notes.note("exception", format_args!("{} of them, the outermost {MAX_EXCEPTIONS} kept", list.len()));
        list.drain(..excess);
    }
    list.into_iter().filter_map(|value| exception(value, notes)).collect()
}

fn exception(value: Value, notes: &mut Notes) -> Option<Exception> {
    let map = notes.object("exception.values", value)?;
    let mut exception = Exception::default();
    let mut raw_stacktrace = None;
    for (key, value) in map {
        match key.as_str() {
            "type" => exception.kind = notes.text("exception.type", value, MAX_TYPE_CHARS),
            "value" => exception.value = notes.any_text(value, MAX_VALUE_CHARS),
            "module" => exception.module = notes.text("exception.module", value, MAX_MODULE_CHARS),
            "thread_id" => exception.thread_id = notes.word("exception.thread_id", value, MAX_WORD_CHARS),
            "stacktrace" => exception.stacktrace = stacktrace(value, notes),
            "raw_stacktrace" => raw_stacktrace = Some(value),
            "mechanism" => exception.mechanism = mechanism(value, notes),
            _ => {}
        }
    }
    if exception.stacktrace.is_none() {
        exception.stacktrace = raw_stacktrace.and_then(|value| stacktrace(value, notes));
    }
    if exception == Exception::default() {
        notes.note("exception.values", "an exception without type, value and stacktrace: dropped");
        return None;
    }
    Some(exception)
}

fn mechanism(value: Value, notes: &mut Notes) -> Option<Mechanism> {
    let map = match value {
        // Some clients send the type alone.
        Value::String(kind) => Map::from_iter([("type".to_owned(), Value::String(kind))]),
        other => notes.object("exception.mechanism", other)?,
    };
    let mut mechanism = Mechanism::default();
    for (key, value) in map {
        match key.as_str() {
            "type" => {
                mechanism.kind = notes.word("mechanism.type", value, MAX_WORD_CHARS).unwrap_or_default()
            }
            "handled" => mechanism.handled = notes.flag("mechanism.handled", &value),
            "synthetic" => mechanism.synthetic = notes.flag("mechanism.synthetic", &value),
            "source" => mechanism.source = notes.text("mechanism.source", value, MAX_WORD_CHARS),
            "exception_id" => mechanism.exception_id = notes.integer("mechanism.exception_id", &value),
            "parent_id" => mechanism.parent_id = notes.integer("mechanism.parent_id", &value),
            "is_exception_group" => {
                mechanism.is_exception_group = notes.flag("mechanism.is_exception_group", &value);
            }
            _ if value.is_null() => {}
            _ => drop(mechanism.other.insert(key, value)),
        }
    }
    trim(&mut mechanism.other, MAX_OTHER_DEPTH, MAX_OTHER_BYTES);
    if mechanism.kind.is_empty() {
        mechanism.kind = "generic".to_owned();
    }
    Some(mechanism)
}
