//! The event's top level: every name a field was ever sent under.

use super::bag::{trim, trim_value};
use super::breadcrumbs::{breadcrumbs, level};
use super::contexts::{contexts, set_trace};
use super::exceptions::exceptions;
use super::frames::stacktrace;
use super::message;
use super::request::request;
use super::tags::tags;
use super::threads::threads;
use super::time::ClientClock;
use super::user::{infer_address, user};
use super::{Notes, truncate};
use crate::security;
use bugle_model::{Event, Level, LogMessage, RawItem, Sdk, Stacktrace, Thread, parse_event_id};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

const MAX_EXTRA_DEPTH: u8 = 7;
const MAX_EXTRA_BYTES: usize = 256 * 1024;
const MAX_DEBUG_META_BYTES: usize = 256 * 1024;
const MAX_SDK_BYTES: usize = 16 * 1024;
const MAX_FINGERPRINT_PARTS: usize = 32;
const MAX_FINGERPRINT_CHARS: usize = 512;
const MAX_MODULES: usize = 2000;
const MAX_MODULE_CHARS: usize = 200;

/// Reads an event's object.
pub(crate) fn normalise(payload: Map<String, Value>, item: &RawItem, notes: Notes) -> Event {
    let clock = ClientClock::new(item);
    let timestamp = clock.event_time(payload.get("timestamp"), &mut Notes::default());
    let mut reader = Reader {
        event: Event::new(item.event_id.unwrap_or(item.id), timestamp),
        clock,
        notes,
        level: None,
        logentry: None,
        message: None,
        stacktrace: None,
        culprit: None,
        site: None,
    };
    for (key, value) in payload {
        if !value.is_null() {
            reader.field(&key, value, item);
        }
    }
    reader.finish(item)
}

struct Reader {
    event: Event,
    clock: ClientClock,
    notes: Notes,
    level: Option<Level>,
    logentry: Option<LogMessage>,
    message: Option<LogMessage>,
    stacktrace: Option<Stacktrace>,
    culprit: Option<String>,
    site: Option<String>,
}

impl Reader {
    fn field(&mut self, key: &str, value: Value, item: &RawItem) {
        let (event, notes) = (&mut self.event, &mut self.notes);
        match key {
            "event_id" => event_id(&value, item, event, notes),
            "timestamp" => event.timestamp = self.clock.event_time(Some(&value), notes),
            "level" => self.level = level("level", &value, notes),
            "platform" => platform(value, event, notes),
            "logger" => event.logger = notes.word(key, value, 64),
            "transaction" => event.transaction = notes.word(key, value, 200),
            "culprit" => self.culprit = notes.word(key, value, 200),
            "server_name" => event.server_name = notes.word(key, value, 200),
            "site" => self.site = notes.word(key, value, 200),
            "release" => event.release = name(key, value, 200, &[".", "..", "latest"], notes),
            "environment" => event.environment = name(key, value, 64, &[".", "..", "none"], notes),
            "dist" => event.dist = dist(value, notes),
            "checksum" => event.checksum = notes.word(key, value, 128),
            "fingerprint" => event.fingerprint = fingerprint(value, notes),
            "modules" => event.modules = modules(value, notes),
            "sdk" => event.sdk = sdk(value, notes),
            "tags" => event.tags = tags(value, notes),
            "extra" => event.extra = extra(value, notes),
            "debug_meta" => event.debug_meta = debug_meta(value),
            _ => self.interface(key, value),
        }
    }

    /// The structured fields, which had longer names once.
    fn interface(&mut self, key: &str, value: Value) {
        let (event, notes) = (&mut self.event, &mut self.notes);
        match key {
            "exception" | "exceptions" | "sentry.interfaces.Exception" => {
                event.exceptions = exceptions(value, notes)
            }
            "threads" | "sentry.interfaces.Threads" => event.threads = threads(value, notes),
            "stacktrace" | "sentry.interfaces.Stacktrace" => self.stacktrace = stacktrace(value, notes),
            "breadcrumbs" | "sentry.interfaces.Breadcrumbs" => {
                event.breadcrumbs = breadcrumbs(value, &self.clock, notes);
            }
            "logentry" | "sentry.interfaces.Message" => self.logentry = message::message(key, value, notes),
            "message" => self.message = message::message(key, value, notes),
            "user" | "sentry.interfaces.User" => event.user = user(value, notes),
            "request" | "sentry.interfaces.Http" => event.request = request(value, notes),
            "contexts" | "sentry.interfaces.Contexts" => event.contexts = contexts(value, notes),
            "csp" | "sentry.interfaces.Csp" | "expectct" | "expectstaple" | "hpkp" | "security" => {
                event.security = security::bounded(value);
            }
            "template" | "sentry.interfaces.Template" => template(value, event),
            // Said elsewhere, of use to the sender only, or not kept.
            "_meta" | "_metrics" | "type" | "version" | "errors" | "project" | "key_id" | "received"
            | "start_timestamp" | "spans" | "measurements" | "breakdowns" | "transaction_info" | "source"
            | "priority" | "request_id" | "trace_id" | "span_id" | "time_spent" | "scraping_attempts"
            | "repos" | "sampleRates" | "_dsc" => {}
            _ => self.notes.note(&short(key), "unknown field: dropped"),
        }
    }

    fn finish(mut self, item: &RawItem) -> Event {
        self.place_stacktrace();
        let Self { mut event, mut notes, .. } = self;
        event.message = message::merge(self.logentry, self.message).map(message::settled);
        event.level = self.level.unwrap_or(Level::Error);
        event.transaction = event.transaction.or(self.culprit);
        event.release = event.release.or_else(|| item.release.clone());
        event.request_id.clone_from(&item.request_id);
        if let Some(environment) = event.tags.remove("environment") {
            let moved =
                || name("environment", Value::String(environment), 64, &[".", "..", "none"], &mut notes);
            event.environment = event.environment.or_else(moved);
        }
        event.environment = event.environment.or_else(|| item.environment.clone());
        for (tag, value) in [("server_name", event.server_name.as_ref()), ("site", self.site.as_ref())] {
            if let Some(value) = value {
                event.tags.entry(tag.to_owned()).or_insert_with(|| value.clone());
            }
        }
        set_trace(&mut event);
        infer_address(&mut event, item.remote_addr, &mut notes);
        event.errors = notes.into_errors();
        event
    }

    /// The legacy top-level stack trace belongs to the exception, or, of a message, to the current thread.
    fn place_stacktrace(&mut self) {
        let Some(stacktrace) = self.stacktrace.take() else { return };
        let exceptions = &mut self.event.exceptions;
        match exceptions.last_mut() {
            Some(exception) if exception.stacktrace.is_none() => exception.stacktrace = Some(stacktrace),
            Some(_) => self.notes.note("stacktrace", "the exceptions have their own: dropped"),
            None => self.event.threads.push(Thread {
                current: Some(true),
                stacktrace: Some(stacktrace),
                ..Thread::default()
            }),
        }
    }
}

fn short(key: &str) -> String {
    let mut key = key.to_owned();
    truncate(&mut key, 64);
    key
}

fn event_id(value: &Value, item: &RawItem, event: &mut Event, notes: &mut Notes) {
    // The envelope's header wins.
    if item.event_id.is_some() {
        return;
    }
    match value.as_str().and_then(parse_event_id) {
        Some(id) => event.event_id = id,
        None => notes.note("event_id", "not 32 hexadecimal digits: a new one was given"),
    }
}

fn platform(value: Value, event: &mut Event, notes: &mut Notes) {
    if let Some(platform) = notes.word("platform", value, 64) {
        event.platform = platform.to_ascii_lowercase();
    }
}

/// A release or environment: what a path can hold, and none of the words that mean "unknown".
fn name(field: &str, value: Value, max: usize, refused: &[&str], notes: &mut Notes) -> Option<String> {
    let name = notes.text(field, value, usize::MAX)?.trim().to_owned();
    let is_refused = refused.iter().any(|word| name.eq_ignore_ascii_case(word));
    if is_refused || name.chars().any(|c| matches!(c, '/' | '\\') || c.is_control()) {
        notes.note(field, "a reserved word, or with `/`, `\\` or control characters: dropped");
        return None;
    }
    if name.len() > max {
        notes.note(field, format_args!("longer than {max} bytes: dropped"));
        return None;
    }
    (!name.is_empty()).then_some(name)
}

fn dist(value: Value, notes: &mut Notes) -> Option<String> {
    let dist = notes.word("dist", value, usize::MAX)?;
    let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    if dist.len() > 64 || !dist.bytes().all(is_valid) {
        notes.note("dist", "not up to 64 of letters, digits, `_.-`: dropped");
        return None;
    }
    Some(dist)
}

fn fingerprint(value: Value, notes: &mut Notes) -> Vec<String> {
    let list = match value {
        Value::Array(list) => list,
        single @ (Value::String(_) | Value::Number(_) | Value::Bool(_)) => vec![single],
        _ => {
            notes.note("fingerprint", "expected a list of texts: dropped");
            return Vec::new();
        }
    };
    if list.len() > MAX_FINGERPRINT_PARTS {
        notes.note("fingerprint", format_args!("more than {MAX_FINGERPRINT_PARTS} parts: the rest dropped"));
    }
    list.into_iter()
        .take(MAX_FINGERPRINT_PARTS)
        .filter_map(|part| notes.text("fingerprint", part, MAX_FINGERPRINT_CHARS))
        .collect()
}

fn modules(value: Value, notes: &mut Notes) -> BTreeMap<String, String> {
    let Some(map) = notes.object("modules", value) else { return BTreeMap::new() };
    if map.len() > MAX_MODULES {
        notes.note("modules", format_args!("more than {MAX_MODULES}: the rest dropped"));
    }
    map.into_iter()
        .take(MAX_MODULES)
        .filter_map(|(mut name, version)| {
            truncate(&mut name, MAX_MODULE_CHARS);
            // A package may have no version.
            let version = match version {
                Value::Array(_) | Value::Object(_) => return None,
                version => notes.word("modules", version, MAX_MODULE_CHARS).unwrap_or_default(),
            };
            Some((name, version))
        })
        .collect()
}

fn sdk(value: Value, notes: &mut Notes) -> Option<Sdk> {
    let map = notes.object("sdk", value)?;
    let mut sdk = Sdk::default();
    for (key, value) in map {
        match key.as_str() {
            "name" => sdk.name = notes.word("sdk.name", value, 128),
            "version" => sdk.version = notes.word("sdk.version", value, 64),
            _ if value.is_null() => {}
            _ => drop(sdk.other.insert(key, value)),
        }
    }
    trim(&mut sdk.other, 5, MAX_SDK_BYTES);
    (sdk != Sdk::default()).then_some(sdk)
}

fn extra(value: Value, notes: &mut Notes) -> Map<String, Value> {
    let mut extra = notes.map("extra", value).unwrap_or_default();
    if trim(&mut extra, MAX_EXTRA_DEPTH, MAX_EXTRA_BYTES) {
        notes.note("extra", format_args!("cut to {MAX_EXTRA_BYTES} bytes, {MAX_EXTRA_DEPTH} levels"));
    }
    extra
}

fn debug_meta(mut value: Value) -> Option<Value> {
    trim_value(&mut value, 7, MAX_DEBUG_META_BYTES);
    value.as_object().is_some_and(|map| !map.is_empty()).then_some(value)
}

/// Where in a template it happened: has no field of its own any more.
fn template(mut value: Value, event: &mut Event) {
    trim_value(&mut value, 3, 8192);
    event.contexts.insert("template".to_owned(), value);
}
