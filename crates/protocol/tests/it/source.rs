//! What an event's JSON holds, counted without the crate's own code.

#![cfg(test)]

use bugle_model::{Event, Stacktrace};
use serde_json::Value;

/// How many of each.
#[derive(Debug, PartialEq, Eq)]
pub struct Counts {
    pub exceptions: usize,
    pub frames: usize,
    pub threads: usize,
    pub breadcrumbs: usize,
    pub extra: usize,
    pub contexts: usize,
    pub headers: usize,
    pub modules: usize,
}

const KEPT_FRAMES: usize = 250;

pub fn counts_of_source(json: &[u8]) -> Counts {
    let event = parse(json);
    let one = |names: &[&str]| {
        names.iter().map(|name| &event[*name]).find(|value| !value.is_null()).cloned().unwrap_or_default()
    };
    let exceptions = list(&one(&["exception", "sentry.interfaces.Exception"]));
    let threads = list(&one(&["threads"]));
    let legacy = one(&["stacktrace", "sentry.interfaces.Stacktrace"]);
    let frames =
        |holders: &[Value]| -> usize { holders.iter().map(|holder| frames(&holder["stacktrace"])).sum() };
    let headers = &one(&["request", "sentry.interfaces.Http"])["headers"];
    let is_cookie = |name: &str| name.eq_ignore_ascii_case("cookie");
    Counts {
        exceptions: exceptions.len(),
        frames: frames(&exceptions) + frames(&threads) + self::frames(&legacy),
        threads: threads.len() + usize::from(!legacy.is_null() && exceptions.is_empty()),
        breadcrumbs: list(&one(&["breadcrumbs", "sentry.interfaces.Breadcrumbs"])).len(),
        extra: event["extra"].as_object().map_or(0, serde_json::Map::len),
        contexts: event["contexts"]
            .as_object()
            .map_or(0, |map| map.values().filter(|value| !value.is_null()).count()),
        headers: headers.as_object().map_or(0, |map| map.keys().filter(|name| !is_cookie(name)).count()),
        modules: event["modules"].as_object().map_or(0, serde_json::Map::len),
    }
}

pub fn counts_of_event(event: &Event) -> Counts {
    let frames = |trace: Option<&Stacktrace>| trace.map_or(0, |trace| trace.frames.len());
    Counts {
        exceptions: event.exceptions.len(),
        frames: event.exceptions.iter().map(|exception| frames(exception.stacktrace.as_ref())).sum::<usize>()
            + event.threads.iter().map(|thread| frames(thread.stacktrace.as_ref())).sum::<usize>(),
        threads: event.threads.len(),
        breadcrumbs: event.breadcrumbs.len(),
        extra: event.extra.len(),
        contexts: event.contexts.len(),
        headers: event.request.as_ref().map_or(0, |request| request.headers.len()),
        modules: event.modules.len(),
    }
}

fn parse(json: &[u8]) -> Value {
    let text = std::str::from_utf8(json).unwrap();
    serde_json::from_str(&without_half_pairs(text)).unwrap()
}

/// Half an emoji: no strict parser takes it.
fn without_half_pairs(text: &str) -> String {
    let half = |text: &str| text.to_lowercase().starts_with("\\ud8");
    let mut parts = text.split("\\\\").map(|part| {
        let mut part = part.to_owned();
        let halves: Vec<usize> = part
            .match_indices("\\u")
            .map(|(at, _)| at)
            .filter(|at| half(part.get(*at..*at + 6).unwrap_or_default()))
            .collect();
        for at in halves.into_iter().rev() {
            if !part.get(at + 6..).unwrap().starts_with("\\ud") {
                part.replace_range(at..at + 6, "\\ufffd");
            }
        }
        part
    });
    let first = parts.next().unwrap_or_default();
    parts.fold(first, |text, part| text + "\\\\" + &part)
}

fn list(value: &Value) -> Vec<Value> {
    let list = if value["values"].is_array() { &value["values"] } else { value };
    list.as_array().cloned().unwrap_or_default()
}

fn frames(stacktrace: &Value) -> usize {
    stacktrace["frames"].as_array().map_or(0, |frames| frames.len().min(KEPT_FRAMES))
}
