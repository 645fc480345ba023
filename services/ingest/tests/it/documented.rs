//! The OpenAPI document against ingest: it has every path that is served, and what is answered. The document is the api's, which keeps it in
//! `docs/openapi.json`.

use crate::harness::{Harness, KEY, Setup, UNKNOWN};
use crate::http::{Answer, exchange, request};
use bugle_ingest::Settings;
use bugle_runtime::Config;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn document() -> Value {
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    serde_json::from_str(&std::fs::read_to_string(kept).unwrap()).unwrap()
}

/// Each operation that is ingest's, with its method and path.
fn operations(document: &Value) -> Vec<(String, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let all = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap();
        methods.iter().map(move |(method, operation)| (method.to_uppercase(), path.as_str(), operation))
    });
    all.filter(|(.., operation)| operation["tags"] == json!(["ingest"])).collect()
}

/// `/api/{project:[0-9]+}/nel` as OpenAPI writes it.
fn plain(path: &str) -> String {
    let part = |part: &str| match part.split_once(':') {
        Some((name, _)) => format!("{name}}}"),
        None => part.to_owned(),
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[test]
fn every_path_is_documented_and_no_other() {
    let document = document();
    let documented: BTreeSet<(String, String)> =
        operations(&document).into_iter().map(|(method, path, _)| (method, path.to_owned())).collect();
    let served: BTreeSet<(String, String)> = bugle_ingest::declared()
        .into_iter()
        .map(|(method, path)| (method.to_string(), plain(path)))
        .collect();
    assert_eq!(served, documented, "served, and documented in services/api/src/openapi/ingest");
}

#[test]
fn the_values_of_names_are_documented() {
    let document = document();
    for (_, path) in bugle_ingest::declared() {
        let closed =
            path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')?.split_once(':'));
        for (name, values) in closed.filter(|(_, values)| values.contains('|')) {
            let parameter = &document["paths"][plain(path)]["post"]["parameters"];
            let parameter = parameter.as_array().unwrap().iter().find(|one| one["name"] == name).unwrap();
            assert_eq!(parameter["schema"]["enum"], json!(values.split('|').collect::<Vec<_>>()), "{path}");
        }
    }
}

#[test]
fn limits_of_bodies_are_those_of_the_settings() {
    let settings = Settings::from_config(&Config::default());
    let document = document();
    let limit = |path: &str| document["paths"][path]["post"]["requestBody"]["x-max-bytes"].as_u64().unwrap();
    for (path, most) in [
        ("/api/{project}/envelope", settings.max_envelope),
        ("/tunnel", settings.max_envelope),
        ("/api/{project}/store", 2 * settings.max_event),
        ("/api/{project}/security", settings.max_event),
        ("/api/{project}/nel", settings.max_discarded),
        ("/api/{project}/otlp/v1/{signal}", settings.max_discarded),
        ("/api/error-logging/webhook/{source}", settings.max_event),
        ("/api/error-logging/errors", settings.max_event),
        ("/api/v1/logs/frontend", settings.max_event),
    ] {
        assert_eq!(limit(path), u64::try_from(most).unwrap(), "{path}");
    }
}

/// Sends a body of the operation's first type, and holds the answer against what is documented.
async fn ask(
    harness: &Harness,
    document: &Value,
    operation: (&str, &str, &Value),
    key: &str,
    body: &str,
) -> Answer {
    let (method, path, operation) = operation;
    let place = path
        .replace("{project}", "1")
        .replace("{source}", "generic")
        .replace("{signal}", "logs")
        .replace("{slug}", "nightly")
        .replace("{key}", if key.is_empty() { UNKNOWN } else { key });
    let place = if key.is_empty() { place } else { format!("{place}?sentry_key={key}") };
    let types = operation["requestBody"]["content"].as_object();
    let media_type = types.and_then(|types| types.keys().next()).map_or("text/plain", String::as_str);
    let sent = request(method, &place, &[("Content-Type", media_type)], body.as_bytes());
    let answer = exchange(harness.addr, &sent).await;
    let documented = &operation["responses"][answer.status.to_string()];
    assert!(documented.is_object(), "{method} {path}: {} is not documented: {answer:?}", answer.status);
    let documented = match documented["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
        None => documented,
    };
    match documented["content"].as_object() {
        None => assert_eq!(answer.text(), "", "{method} {path}"),
        Some(content) => {
            let given = answer.header("content-type").unwrap().split(';').next().unwrap().to_owned();
            assert!(content.contains_key(&given), "{method} {path}: {} as {given}", answer.status);
        }
    }
    for name in documented["headers"].as_object().into_iter().flat_map(|headers| headers.keys()) {
        assert!(answer.header(name).is_some(), "{method} {path}: {} without {name}", answer.status);
    }
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_answered_is_documented() {
    let harness = Setup::new().start().await;
    let document = document();
    for (method, path, operation) in &operations(&document) {
        let operation = (method.as_str(), *path, *operation);
        for (key, body) in
            [("", "{}"), (UNKNOWN, "{}"), ("x", "{}"), (KEY, ""), (KEY, "[1"), (KEY, "{\"message\": \"a\"}")]
        {
            ask(&harness, &document, operation, key, body).await;
        }
        let most = operation.2["requestBody"]["x-max-bytes"].as_u64();
        if let Some(most) = most.filter(|most| *most <= 2 * 1024 * 1024) {
            let large = " ".repeat(usize::try_from(most).unwrap() + 1);
            assert_eq!(ask(&harness, &document, operation, KEY, &large).await.status, 413, "{path}");
        }
    }
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_that_is_used_up_is_answered_as_documented() {
    let mut setup = Setup::new();
    setup.settings.frontend_per_minute = 1;
    let harness = setup.start().await;
    let document = document();
    let path = "/api/v1/logs/frontend";
    let operation = ("POST", path, &document["paths"][path]["post"]);
    assert_eq!(ask(&harness, &document, operation, KEY, "{\"message\": \"a\"}").await.status, 202);
    assert_eq!(ask(&harness, &document, operation, KEY, "{\"message\": \"a\"}").await.status, 429);
    harness.stop().await;
}
