//! Device, browser, app and session; tags, fingerprint, breadcrumbs; whatever else the client attached.

use super::fields::{Field, FieldError, Fields};
use super::value;
use crate::stacktrace::Language;
use bugle_model::{Breadcrumb, Event, ItemKind, Level};
use serde_json::{Map, Value};

/// Tags that are kept.
const MAX_TAGS: usize = 200;
/// Characters of a tag's key and of its value.
const MAX_TAG: usize = 200;
/// Breadcrumbs that are kept: the latest.
const MAX_BREADCRUMBS: usize = 100;
/// Bytes of one context.
const MAX_CONTEXT: usize = 8 * 1024;
/// Contexts that are kept.
const MAX_CONTEXTS: usize = 50;

pub(super) fn fill(
    event: &mut Event,
    fields: &mut Fields,
    platform: Option<&str>,
    kind: ItemKind,
    notes: &mut Vec<FieldError>,
) {
    contexts(event, fields.take(Field::Contexts), notes);
    named(event, fields, "browser", Field::Browser, &[("version", Field::BrowserVersion)]);
    named(event, fields, "os", Field::Os, &[("version", Field::OsVersion)]);
    named(
        event,
        fields,
        "device",
        Field::Device,
        &[("model", Field::DeviceModel), ("brand", Field::Manufacturer)],
    );
    target(event, platform, kind);
    runtime(event, fields);
    app(event, fields);
    if let Some(session) = fields.take(Field::Session) {
        insert(event, "session", as_object(session, "id"));
    }
    tags(event, fields.take(Field::Tags), notes);
    if let Some(service) = fields.text(Field::AppName, MAX_TAG) {
        event.tags.entry("service".to_owned()).or_insert(service);
    }
    fingerprint(event, fields.take(Field::Fingerprint));
    breadcrumbs(event, fields.take(Field::Breadcrumbs));
    match fields.take(Field::Context) {
        Some(Value::Object(object)) => event.extra.extend(object),
        Some(other) => drop(event.extra.insert("context".to_owned(), other)),
        None => {}
    }
}

fn contexts(event: &mut Event, sent: Option<Value>, notes: &mut Vec<FieldError>) {
    let Some(Value::Object(object)) = sent else { return };
    for (name, context) in object.into_iter().take(MAX_CONTEXTS) {
        if context.is_object() {
            insert(event, &value::cut(&name, MAX_TAG), context);
        } else {
            notes.push(FieldError::new("contexts", "expected objects by name"));
        }
    }
}

fn insert(event: &mut Event, name: &str, context: Value) {
    event.contexts.insert(name.to_owned(), value::bounded(context, &mut { MAX_CONTEXT }));
}

fn as_object(value: Value, key: &str) -> Value {
    match value {
        Value::Object(object) => Value::Object(object),
        other => Value::Object(Map::from_iter([(
            key.to_owned(),
            Value::String(value::text(&other, 512).unwrap_or_default()),
        )])),
    }
}

/// A context that comes as an object, or as a name with parts beside it.
fn named(event: &mut Event, fields: &mut Fields, name: &str, field: Field, parts: &[(&str, Field)]) {
    let mut context = match fields.take(field) {
        Some(Value::Object(object)) => object,
        Some(other) => name_and_version(&other),
        None => Map::new(),
    };
    for (key, part) in parts {
        if let Some(text) = fields.text(*part, MAX_TAG) {
            context.insert((*key).to_owned(), Value::String(text));
        }
    }
    if !context.is_empty() {
        insert(event, name, Value::Object(context));
    }
}

/// `Firefox 132` is the name and the version.
fn name_and_version(value: &Value) -> Map<String, Value> {
    let text = value::text(value, MAX_TAG).unwrap_or_default();
    let is_version = |version: &str| {
        version.starts_with(|c: char| c.is_ascii_digit())
            && version.chars().all(|c| c.is_ascii_alphanumeric() || c == '.')
    };
    let parts = match text.rsplit_once(' ').filter(|(_, version)| is_version(version)) {
        Some((name, version)) => vec![("name", name), ("version", version)],
        None => vec![("name", text.as_str())],
    };
    parts.into_iter().map(|(key, part)| (key.to_owned(), Value::String(part.trim().to_owned()))).collect()
}

/// A platform that is no language says where the app runs: `ios`, `Win32`, `web`.
fn target(event: &mut Event, platform: Option<&str>, kind: ItemKind) {
    let Some(platform) = platform else { return };
    let is_os = platform.eq_ignore_ascii_case("android") || Language::from_platform(platform).is_none();
    if !is_os {
        return;
    }
    event.tags.insert("platform".to_owned(), value::cut(platform, MAX_TAG));
    let is_device = matches!(kind, ItemKind::WebhookMobile | ItemKind::WebhookFrontend | ItemKind::Frontend);
    if is_device && !platform.eq_ignore_ascii_case("web") {
        let os = event.contexts.entry("os").or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(os) = os {
            os.entry("name").or_insert_with(|| Value::String(platform.to_owned()));
        }
    }
}

fn runtime(event: &mut Event, fields: &mut Fields) {
    if let Some(version) = fields.text(Field::RuntimeVersion, MAX_TAG) {
        let runtime = serde_json::json!({ "name": event.platform.clone(), "version": version });
        insert(event, "runtime", runtime);
    }
}

/// The app's version is the release where none is named.
fn app(event: &mut Event, fields: &mut Fields) {
    let version = fields.text(Field::AppVersion, 200);
    let id = fields.text(Field::AppId, 200);
    event.dist = fields.text(Field::Dist, 64);
    event.release = fields.text(Field::Release, 200).or_else(|| version.clone());
    let parts = [("app_version", version), ("app_build", event.dist.clone()), ("app_identifier", id)];
    let app: Map<String, Value> =
        parts.into_iter().filter_map(|(key, part)| Some((key.to_owned(), Value::String(part?)))).collect();
    if !app.is_empty() {
        insert(event, "app", Value::Object(app));
    }
}

/// An object, a list of pairs, or a list of `key:value` texts.
fn tags(event: &mut Event, sent: Option<Value>, notes: &mut Vec<FieldError>) {
    let mut keep = |key: &str, value: Option<String>| {
        let key: String = key
            .trim()
            .chars()
            .take(MAX_TAG)
            .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '-') { c } else { '-' })
            .collect();
        let Some(value) = value.filter(|_| !key.is_empty()) else { return };
        if event.tags.len() < MAX_TAGS || event.tags.contains_key(&key) {
            event.tags.insert(key, value.replace(['\n', '\r'], " "));
        } else if notes.last().is_none_or(|note| note.field != "tags") {
            notes.push(FieldError::new("tags", "more than 200, the rest was dropped"));
        }
    };
    match sent {
        Some(Value::Object(object)) => {
            object.iter().for_each(|(key, value)| keep(key, value::any_text(value, MAX_TAG)));
        }
        Some(Value::Array(list)) => list.iter().for_each(|entry| match entry {
            Value::Array(pair) => {
                if let (Some(Value::String(key)), Some(value)) = (pair.first(), pair.get(1)) {
                    keep(key, value::any_text(value, MAX_TAG));
                }
            }
            Value::String(text) => match text.split_once([':', '=']) {
                Some((key, value)) => keep(key, Some(value::cut(value.trim(), MAX_TAG))),
                None => keep(text, Some("true".to_owned())),
            },
            _ => {}
        }),
        _ => {}
    }
}

fn fingerprint(event: &mut Event, sent: Option<Value>) {
    event.fingerprint = match sent {
        Some(Value::Array(list)) => list.iter().take(20).filter_map(|part| value::text(part, 256)).collect(),
        Some(other) => value::text(&other, 256).into_iter().collect(),
        None => Vec::new(),
    };
}

fn breadcrumbs(event: &mut Event, sent: Option<Value>) {
    let list = match sent {
        Some(Value::Array(list)) => list,
        Some(Value::Object(mut object)) => match object.remove("values") {
            Some(Value::Array(list)) => list,
            _ => return,
        },
        _ => return,
    };
    let skipped = list.len().saturating_sub(MAX_BREADCRUMBS);
    event.breadcrumbs = list.into_iter().skip(skipped).filter_map(breadcrumb).collect();
}

fn breadcrumb(sent: Value) -> Option<Breadcrumb> {
    let mut object = match sent {
        Value::Object(object) => object,
        other => {
            let message = Some(value::text(&other, 8192)?);
            return Some(Breadcrumb { message, ..Breadcrumb::default() });
        }
    };
    let mut take = |name: &str| object.remove(name);
    let timestamp = take("timestamp").or_else(|| take("time")).and_then(|time| super::time::timestamp(&time));
    let kind = take("type").and_then(|text| value::text(&text, 64));
    let category = take("category").and_then(|text| value::text(&text, 128));
    let level = take("level").and_then(|word| Level::from_client(word.as_str()?));
    let message = take("message").and_then(|text| value::text(&text, 8192));
    let mut data = match take("data") {
        Some(Value::Object(data)) => data,
        Some(other) => Map::from_iter([("data".to_owned(), other)]),
        None => Map::new(),
    };
    data.extend(object);
    let data = value::bounded_object(data, &mut { 4096 });
    Some(Breadcrumb { timestamp, kind, category, level, message, data })
}
