//! Breadcrumbs: what happened before, oldest first.

use super::Notes;
use super::bag::trim;
use super::time::{ClientClock, parse_timestamp};
use bugle_model::{Breadcrumb, Level};
use serde_json::{Map, Value};

/// Of more breadcrumbs the newest are kept. Clients send 100 unless told otherwise.
const MAX_BREADCRUMBS: usize = 200;
const MAX_MESSAGE_CHARS: usize = 8192;
const MAX_WORD_CHARS: usize = 128;
const MAX_DATA_DEPTH: u8 = 5;
const MAX_DATA_BYTES: usize = 8192;

/// Reads breadcrumbs, in any of the forms of a list. Their times are in terms of our clock afterwards.
pub(crate) fn breadcrumbs(value: Value, clock: &ClientClock, notes: &mut Notes) -> Vec<Breadcrumb> {
    let mut list = notes.values("breadcrumbs", value);
    let excess = list.len().saturating_sub(MAX_BREADCRUMBS);
    if excess > 0 {
        notes.note("breadcrumbs", format_args!("{} of them, the newest {MAX_BREADCRUMBS} kept", list.len()));
        list.drain(..excess);
    }
    list.into_iter().filter_map(|value| breadcrumb(value, clock, notes)).collect()
}

fn breadcrumb(value: Value, clock: &ClientClock, notes: &mut Notes) -> Option<Breadcrumb> {
    let map = notes.object("breadcrumbs.values", value)?;
    let mut crumb = Breadcrumb::default();
    for (key, value) in map {
        match key.as_str() {
            "timestamp" => {
                crumb.timestamp = parse_timestamp(&value).map(|time| clock.correct(time));
                if crumb.timestamp.is_none() && !value.is_null() {
                    notes.note("breadcrumb.timestamp", "not a time: dropped");
                }
            }
            "type" => crumb.kind = notes.word("breadcrumb.type", value, MAX_WORD_CHARS),
            "category" => crumb.category = notes.word("breadcrumb.category", value, MAX_WORD_CHARS),
            "level" => crumb.level = level("breadcrumb.level", &value, notes),
            "message" => {
                crumb.message = notes.any_text(value, MAX_MESSAGE_CHARS).filter(|text| !text.is_empty())
            }
            "data" => crumb.data = data(value, notes),
            _ => {}
        }
    }
    Some(crumb)
}

fn data(value: Value, notes: &mut Notes) -> Map<String, Value> {
    let mut data = match value {
        text @ Value::String(_) => Map::from_iter([("value".to_owned(), text)]),
        other => notes.map("breadcrumb.data", other).unwrap_or_default(),
    };
    trim(&mut data, MAX_DATA_DEPTH, MAX_DATA_BYTES);
    data
}

/// A level: a word, or a number as Python's logging has them, in between too.
pub(crate) fn level(field: &str, value: &Value, notes: &mut Notes) -> Option<Level> {
    let number = match value {
        Value::Null => return None,
        Value::Number(number) => number.as_f64(),
        Value::String(text) => match Level::from_client(text) {
            Some(level) => return Some(level),
            None => text.trim().parse().ok(),
        },
        _ => None,
    };
    let level = number.filter(|number| *number > 0.0).map(|number| match number {
        50.0.. => Level::Fatal,
        40.0.. => Level::Error,
        30.0.. => Level::Warning,
        20.0.. => Level::Info,
        _ => Level::Debug,
    });
    if level.is_none() {
        notes.note(field, "not one of debug, info, warning, error, fatal: dropped");
    }
    level
}
