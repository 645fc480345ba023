//! The OpenAPI document, and what is kept of it. That answers are as it says is checked by every test: see [`crate::contract`].

use crate::events::sample;
use crate::harness::{App, TOKEN};
use serde_json::Value;
use std::collections::BTreeSet;

const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");

/// Each operation of the document with its method and path.
fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths
        .iter()
        .flat_map(|(path, operations)| {
            let operations = operations.as_object().unwrap();
            operations.iter().map(|(method, operation)| (method.as_str(), path.as_str(), operation))
        })
        .collect()
}

/// What ingest serves; its own tests hold it against the document.
fn is_sent_by_apps(operation: &Value) -> bool {
    operation["tags"] == serde_json::json!(["ingest"])
}

#[test]
fn what_apps_send_is_described_field_by_field() {
    let document = bugle_api::document();
    let body = &document["paths"]["/api/error-logging/webhook/{source}"]["post"]["requestBody"];
    let kinds = body["content"]["application/json"]["schema"]["anyOf"].as_array().unwrap().clone();
    assert_eq!(kinds.len(), 5);
    let log = serde_json::json!({ "$ref": "#/components/schemas/FrontendError" });
    for kind in kinds.into_iter().chain([log]) {
        let schema = document.pointer(kind["$ref"].as_str().unwrap().trim_start_matches('#')).unwrap();
        assert!(schema["properties"]["message"].is_object(), "{kind}");
    }
}

#[test]
fn the_kept_document_is_that_of_the_code() {
    let document = bugle_api::document();
    if std::env::var("INSTA_UPDATE").is_ok_and(|how| how == "always") {
        std::fs::write(KEPT, format!("{document:#}\n")).unwrap();
    }
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(KEPT).unwrap()).unwrap();
    assert!(
        kept == document,
        "docs/openapi.json is stale; renew it and the dashboard's types with\n    \
         cargo run -p bugle -- openapi > docs/openapi.json && npm --prefix services/dashboard run generate"
    );
}

#[test]
fn every_operation_says_what_it_is() {
    let document = bugle_api::document();
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let (id, summary) =
            (operation["operationId"].as_str().unwrap(), operation["summary"].as_str().unwrap());
        assert!(!id.is_empty() && ids.insert(id), "{method} {path} needs a name of its own: {id:?}");
        assert!(summary.ends_with('.'), "{method} {path} needs a sentence: {summary:?}");
    }
    let ours = bugle_api::declared().into_iter().filter(|one| !one.path.starts_with("/api/0"));
    let sent = operations(&document).into_iter().filter(|(.., operation)| is_sent_by_apps(operation));
    assert_eq!(ids.len(), ours.count() + sent.count());
}

#[test]
fn every_schema_has_a_name_and_is_there() {
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
                fields.values().for_each(|field| references(field, found));
            }
            _ => {}
        }
    }
    let document = bugle_api::document();
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        let numbered = name.ends_with(|last: char| last.is_ascii_digit());
        assert!(!numbered, "two types are called as {name}: give one #[schemars(rename = \"…\")]");
        let plain = !["View", "Answer", "Body"].contains(&name.as_str());
        assert!(plain, "{name} says nothing: give the type #[schemars(rename = \"…\")]");
    }
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for reference in found {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference} is not there");
    }
}

#[tokio::test]
async fn every_declared_parameter_is_read() {
    let app = App::start().await;
    let project = app.project("shop").await;
    let issue = app.issue(project, 1, "Bad", 1).await;
    app.event(project, issue, &sample(), 1).await;
    let document = bugle_api::document();
    let mut asked = 0;
    for (method, path, operation) in operations(&document) {
        if is_sent_by_apps(operation) {
            continue;
        }
        let place = path
            .replace("{event_id}", &sample().event_id.to_string())
            .replace("/issues/{id}", &format!("/issues/{issue}"))
            .replace("{project}", "shop")
            .replace("{id}", "1");
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        for parameter in parameters.filter(|parameter| parameter["in"] == "query") {
            let name = parameter["name"].as_str().unwrap();
            let method = method.to_uppercase().parse().unwrap();
            let request = app.client.request(method, app.url(&format!("{place}?{name}=x")));
            let answer = app.send(request.bearer_auth(TOKEN).json(&serde_json::json!({}))).await;
            assert!(!answer.text.contains("no such parameter"), "{path}?{name}=: {}", answer.text);
            asked += 1;
        }
    }
    assert!(asked > 30, "{asked}");
    app.stop().await;
}

#[tokio::test]
async fn the_document_is_served_to_everybody() {
    let app = App::start().await;
    let answer = app.send(app.client.get(app.url("/api/v1/openapi.json"))).await;
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.ok(200), bugle_api::document());
    app.stop().await;
}
