//! Puts the event together.

use super::fields::{Field, FieldError, Fields};
use super::{chain, context, request, severity, time, value};
use crate::stacktrace::Language;
use bugle_model::{Event, EventSource, ItemKind, Level, LogMessage, Mechanism, RawItem, Sdk, parse_event_id};
use chrono::{DateTime, TimeDelta, Utc};

/// How many notes an event carries about what was changed.
const MAX_NOTES: usize = 50;
/// Bytes of free-form data in `extra`.
const MAX_EXTRA: usize = 256 * 1024;
/// A timestamp further in the future is the client's clock being wrong.
const MAX_FUTURE: TimeDelta = TimeDelta::seconds(60);
/// An older timestamp is the client's clock being wrong.
const MAX_AGE: TimeDelta = TimeDelta::days(30);

pub(super) fn build(kind: ItemKind, source: EventSource, mut fields: Fields, item: &RawItem) -> Event {
    let mut notes = std::mem::take(&mut fields.errors);
    let event_id = event_id(&mut fields, item);
    let timestamp = timestamp(&mut fields, item.received_at, &mut notes);
    let mut event = Event::new(event_id, timestamp);
    event.source = source;
    event.sdk = Some(Sdk { name: Some(sdk_name(kind).to_owned()), ..Sdk::default() });
    levels(&mut event, &mut fields, &mut notes);
    let platform = fields.text(Field::Platform, 64);
    exceptions(kind, &mut event, &mut fields, platform.as_deref(), &mut notes);
    event.transaction = fields.text(Field::Transaction, 200);
    event.server_name = fields.text(Field::Host, 200);
    event.logger = fields.text(Field::Logger, 64);
    event.environment = fields.text(Field::Environment, 64).filter(|name| name != "none");
    event.request_id = fields.text(Field::RequestId, 100).or_else(|| item.request_id.clone());
    event.trace_id = hex(&mut fields, Field::TraceId, 32, &mut notes);
    event.span_id = hex(&mut fields, Field::SpanId, 16, &mut notes);
    let is_device = is_device(kind);
    request::fill(&mut event, &mut fields, kind, item, is_device);
    context::fill(&mut event, &mut fields, platform.as_deref(), kind, &mut notes);
    extra(&mut event, fields);
    event.errors =
        notes.into_iter().take(MAX_NOTES).map(|note| format!("{}: {}", note.field, note.message)).collect();
    event
}

/// The sender is the user's own browser or phone, so its address is the user's.
const fn is_device(kind: ItemKind) -> bool {
    matches!(kind, ItemKind::WebhookFrontend | ItemKind::WebhookMobile | ItemKind::Frontend)
}

const fn sdk_name(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::WebhookLaravel => "webhook.laravel",
        ItemKind::WebhookJava => "webhook.java",
        ItemKind::WebhookFrontend => "webhook.frontend",
        ItemKind::WebhookMobile => "webhook.mobile",
        ItemKind::Frontend => "frontend.log",
        _ => "webhook.generic",
    }
}

/// The platform where neither the client nor the trace tells.
pub(super) const fn default_language(kind: ItemKind) -> Option<Language> {
    match kind {
        ItemKind::WebhookLaravel => Some(Language::Php),
        ItemKind::WebhookJava => Some(Language::Java),
        ItemKind::WebhookFrontend | ItemKind::Frontend => Some(Language::JavaScript),
        _ => None,
    }
}

/// A client that sends an id can send again without being counted twice.
fn event_id(fields: &mut Fields, item: &RawItem) -> uuid::Uuid {
    let Some(sent) = fields.take(Field::EventId) else { return item.event_id.unwrap_or(item.id) };
    let own = value::text(&sent, 64).and_then(|text| parse_event_id(&text)).filter(|id| !id.is_nil());
    if own.is_none() {
        fields.unknown.insert("id".to_owned(), sent);
    }
    item.event_id.or(own).unwrap_or(item.id)
}

fn timestamp(fields: &mut Fields, received_at: DateTime<Utc>, notes: &mut Vec<FieldError>) -> DateTime<Utc> {
    let Some(sent) = fields.take(Field::Timestamp) else { return received_at };
    match time::timestamp(&sent) {
        Some(time) if time > received_at + MAX_FUTURE => {
            notes.push(FieldError::new("timestamp", "more than 60 s in the future, taken as received"));
            received_at
        }
        Some(time) if time < received_at - MAX_AGE => {
            notes.push(FieldError::new("timestamp", "more than 30 days ago, taken as received"));
            received_at
        }
        Some(time) => time,
        None => {
            notes.push(FieldError::new("timestamp", "neither seconds since 1970 nor RFC 3339"));
            received_at
        }
    }
}

/// `level` decides the level, `severity` the priority; each stands in for the other.
fn levels(event: &mut Event, fields: &mut Fields, notes: &mut Vec<FieldError>) {
    let mut read = |fields: &mut Fields, field, name: &'static str| {
        let word = fields.text(field, 32)?;
        let read = severity::read(&word);
        if read.0.is_none() {
            notes.push(FieldError::new(
                name,
                "not one of critical, high, medium, low, fatal, error, warning, info, debug",
            ));
        }
        Some(read)
    };
    let level = read(fields, Field::Level, "level").unwrap_or_default();
    let severity = read(fields, Field::Severity, "severity").unwrap_or_default();
    let priority = read(fields, Field::Priority, "priority").unwrap_or_default();
    event.priority = severity.1.or(priority.1).or(level.1);
    event.level = level.0.or(severity.0).or(priority.0).unwrap_or(Level::Error);
}

fn exceptions(
    kind: ItemKind,
    event: &mut Event,
    fields: &mut Fields,
    platform: Option<&str>,
    notes: &mut Vec<FieldError>,
) {
    let given = platform.and_then(Language::from_platform);
    let hint = given.or_else(|| default_language(kind));
    let fatal = fields.flag(Field::Fatal);
    let handled = fields.flag(Field::Handled).or(fatal.map(|fatal| !fatal));
    let read = chain::read(kind, fields, hint);
    notes.extend(read.notes);
    if let Some(raw) = read.unread_trace {
        event.extra.insert("stack_trace".to_owned(), raw.into());
    }
    event.exceptions = read.exceptions;
    event.message = read.message.map(|text| LogMessage { formatted: Some(text), ..LogMessage::default() });
    if let (Some(handled), Some(outermost)) = (handled, event.exceptions.last_mut()) {
        let mechanism = outermost
            .mechanism
            .get_or_insert_with(|| Mechanism { kind: "generic".to_owned(), ..Mechanism::default() });
        mechanism.handled = Some(handled);
    }
    // Apps on Android are written in several languages.
    let is_system = platform.is_some_and(|name| name.eq_ignore_ascii_case("android"));
    let language = if is_system { read.language.or(given) } else { given.or(read.language) };
    if let Some(language) = language.or(hint) {
        event.platform = language.platform().to_owned();
    }
}

fn hex(fields: &mut Fields, field: Field, digits: usize, notes: &mut Vec<FieldError>) -> Option<String> {
    let text = fields.text(field, 64)?.replace('-', "").to_ascii_lowercase();
    let fits = text.len() == digits
        && text.bytes().all(|b| b.is_ascii_hexdigit())
        && text.bytes().any(|b| b != b'0');
    if !fits {
        let name = if digits == 32 { "trace_id" } else { "span_id" };
        notes.push(FieldError::new(name, format!("expected {digits} hex digits")));
    }
    fits.then_some(text)
}

/// What has no place of its own, within the bounds.
fn extra(event: &mut Event, fields: Fields) {
    let mut budget = MAX_EXTRA;
    let mut all = std::mem::take(&mut event.extra);
    all.extend(fields.unknown);
    event.extra = value::bounded_object(all, &mut budget);
}
