//! Every request of every test against the OpenAPI document: what is answered must be in it, and what is taken too.

use jsonschema::Validator;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

static DOCUMENT: LazyLock<Value> = LazyLock::new(bugle_api::document);
static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

/// A request and its answer, as far as the document has something to say of them.
pub struct Exchange<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub given: Option<&'a [u8]>,
    pub status: u16,
    pub media_type: Option<&'a str>,
    pub text: &'a str,
}

/// The path of the document that a request's path is, the one with the fewest names in it.
fn template(path: &str) -> Option<&'static str> {
    let parts: Vec<_> = path.trim_end_matches('/').split('/').collect();
    let fits = |template: &str| {
        let named: Vec<_> = template.split('/').collect();
        named.len() == parts.len()
            && named.iter().zip(&parts).all(|(name, part)| name.starts_with('{') || name == part)
    };
    let paths = DOCUMENT["paths"].as_object().unwrap().keys();
    paths.map(String::as_str).filter(|template| fits(template)).min_by_key(|one| one.matches('{').count())
}

#[track_caller]
fn check_schema(what: &str, schema: &Value, value: &Value) {
    let mut known = VALIDATORS.lock().unwrap();
    let validator = known.entry(schema.to_string()).or_insert_with(|| {
        let mut root = json!({ "allOf": [schema] });
        root["components"] = DOCUMENT["components"].clone();
        Arc::new(jsonschema::options().should_validate_formats(true).build(&root).unwrap())
    });
    let validator = Arc::clone(validator);
    drop(known);
    let mistakes: Vec<_> =
        validator.iter_errors(value).map(|error| format!("{} at {}", error, error.instance_path())).collect();
    assert!(mistakes.is_empty(), "{what} is not as documented:\n{}\n{value}", mistakes.join("\n"));
}

fn resolved(answer: &'static Value) -> &'static Value {
    match answer["$ref"].as_str() {
        Some(reference) => DOCUMENT.pointer(reference.trim_start_matches('#')).unwrap(),
        None => answer,
    }
}

/// Panics when the document says something else.
#[track_caller]
pub fn check(exchange: &Exchange<'_>) {
    let Exchange { method, path, given, status, media_type, text } = exchange;
    let Some(template) = template(path) else { return };
    let what = format!("{method} {template}: {status}");
    let method = if *method == "HEAD" { "get".to_owned() } else { method.to_lowercase() };
    let Some(operation) = DOCUMENT["paths"][template].get(&method) else {
        // The older contract's list shares its path with what ingest takes.
        assert!([404, 405].contains(status), "{what} is answered and not documented");
        return;
    };
    if operation["tags"] == json!(["ingest"]) {
        // Served by another, whose tests hold it against the document.
        return;
    }
    if *status == 500 {
        // A bug, which no document promises; the tests make one on purpose.
        return;
    }
    let answer = operation["responses"].get(status.to_string());
    let answer = resolved(answer.unwrap_or_else(|| panic!("{what} is not documented: {text}")));
    if exchange.method == "HEAD" {
        return;
    }
    match answer["content"].as_object() {
        None => assert_eq!(*text, "", "{what} has a body"),
        Some(content) => {
            let media_type = media_type.unwrap_or_default().split(';').next().unwrap();
            let media = content.get(media_type).unwrap_or_else(|| panic!("{what} is not {media_type:?}"));
            if media_type == "application/json" || media_type.ends_with("+json") {
                check_schema(&what, &media["schema"], &serde_json::from_str(text).unwrap());
            }
        }
    }
    if let Some(given) = given.filter(|_| (200..300).contains(status)) {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        if !schema.is_null() {
            check_schema(&format!("{what}: what was taken"), schema, &serde_json::from_slice(given).unwrap());
        }
    }
}
