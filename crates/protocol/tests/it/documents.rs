//! `docs/schemas` and `docs/examples` tell the truth: every property is read, every example gives the event
//! that a reader of the page expects.

#![cfg(test)]

use crate::webhooks::{event, item};
use bugle_model::{EventSource, ItemKind, Level, Priority};
use bugle_protocol::{frontend, webhook};
use serde_json::{Value, json};
use std::path::PathBuf;

const KINDS: [(ItemKind, &str); 6] = [
    (ItemKind::WebhookLaravel, "webhook-laravel"),
    (ItemKind::WebhookJava, "webhook-java"),
    (ItemKind::WebhookFrontend, "webhook-frontend"),
    (ItemKind::WebhookMobile, "webhook-mobile"),
    (ItemKind::WebhookGeneric, "webhook-generic"),
    (ItemKind::Frontend, "frontend-log"),
];

fn document(folder: &str, name: &str) -> Value {
    serde_json::from_slice(&bytes(folder, name)).unwrap_or_else(|error| panic!("{folder}/{name}: {error}"))
}

fn bytes(folder: &str, name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs")
        .join(folder)
        .join(format!("{name}.json"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn error_schema(name: &str) -> Value {
    let schema = document("schemas", name);
    if schema["properties"].is_object() { schema } else { schema["$defs"]["error"].clone() }
}

/// A value of a type that the schema names.
fn sample(types: &Value) -> Vec<Value> {
    let all = [
        ("string", json!("1")),
        ("number", json!(1)),
        ("integer", json!(1)),
        ("boolean", json!(true)),
        ("array", json!(["a"])),
        ("object", json!({"a": "b"})),
        ("null", Value::Null),
    ];
    match types {
        Value::Null => all.into_iter().map(|(_, value)| value).collect(),
        Value::Array(names) => {
            all.into_iter().filter(|(n, _)| names.iter().any(|m| m == n)).map(|(_, v)| v).collect()
        }
        name => panic!("types are lists here: {name}"),
    }
}

#[test]
fn every_property_of_a_schema_is_read_in_every_type_it_names() {
    for (kind, name) in KINDS {
        let schema = error_schema(name);
        let properties = schema["properties"].as_object().unwrap();
        assert!(properties.len() > 15, "{name}");
        for (property, description) in properties {
            assert!(
                webhook::is_known_field(kind, property),
                "{name}: {property} means nothing to the reader"
            );
            assert!(description["description"].is_string(), "{name}: {property} is not described");
            for value in sample(&description["type"]) {
                let mut body = json!({"message": "m", "error_type": "E"});
                body[property] = value;
                let checked = webhook::validate(kind, body.to_string().as_bytes());
                assert_eq!(checked, Ok(()), "{name}: {body}");
            }
        }
        for choice in schema["anyOf"].as_array().unwrap() {
            let field = choice["required"][0].as_str().unwrap();
            let body = json!({ field: "a.B: what" }).to_string();
            assert_eq!(webhook::validate(kind, body.as_bytes()), Ok(()), "{name}: {field} alone is enough");
        }
    }
}

#[test]
fn every_example_uses_only_documented_fields_and_passes_the_door() {
    for (kind, name) in KINDS {
        let example = bytes("examples", name);
        assert_eq!(webhook::validate(kind, &example), Ok(()), "{name}");
        for (field, _) in document("examples", name).as_object().unwrap() {
            assert!(webhook::is_known_field(kind, field), "{name}: {field}");
        }
    }
}

#[test]
fn laravel() {
    let event = event(ItemKind::WebhookLaravel, &bytes("examples", "webhook-laravel"));
    assert_eq!((event.level, event.priority), (Level::Error, Some(Priority::High)));
    assert_eq!(event.platform, "php");
    let [previous, outer] = event.exceptions.as_slice() else { panic!("{:?}", event.exceptions) };
    assert_eq!(outer.kind.as_deref(), Some("App\\Exceptions\\OutOfStock"));
    assert_eq!(outer.value.as_deref(), Some("No stock left for product 42"));
    let frames = &outer.stacktrace.as_ref().unwrap().frames;
    let crash = frames.last().unwrap();
    assert_eq!(crash.function.as_deref(), Some("App\\Services\\Stock::reserve"));
    assert_eq!(
        (crash.filename.as_deref(), crash.lineno),
        (Some("/srv/shop/app/Services/Stock.php"), Some(88))
    );
    assert_eq!(
        frames.iter().map(|f| f.in_app).collect::<Vec<_>>(),
        [Some(true), Some(false), Some(true), Some(true)]
    );
    assert_eq!(previous.kind.as_deref(), Some("PDOException"));
    assert_eq!(previous.stacktrace.as_ref().unwrap().frames.last().unwrap().lineno, Some(580));
    assert_eq!(event.message, None);
    let request = event.request.unwrap();
    assert_eq!(request.url.as_deref(), Some("https://shop.example/cart"));
    assert_eq!(request.query, [("product".to_owned(), "42".to_owned())]);
    assert_eq!(request.method.as_deref(), Some("POST"));
    assert_eq!(request.data, Some(json!({"product": 42, "quantity": 3})));
    assert_eq!(request.headers[0], ("accept".to_owned(), "application/json".to_owned()));
    let user = event.user.unwrap();
    assert_eq!((user.id.as_deref(), user.ip_address.as_deref()), (Some("7"), Some("203.0.113.9")));
    assert_eq!(user.data["plan"], "gold");
    assert_eq!(event.contexts["response"], json!({"status_code": 500}));
    assert_eq!(event.contexts["runtime"], json!({"name": "php", "version": "8.4.1"}));
    assert_eq!(event.extra["cart"], "c-19");
    assert_eq!(event.environment.as_deref(), Some("production"));
    assert_eq!(event.errors, [] as [String; 0]);
}

#[test]
fn java() {
    let event = event(ItemKind::WebhookJava, &bytes("examples", "webhook-java"));
    assert_eq!((event.level, event.priority), (Level::Fatal, Some(Priority::Critical)));
    let [cause, outer] = event.exceptions.as_slice() else { panic!("{:?}", event.exceptions) };
    assert_eq!(
        (outer.module.as_deref(), outer.kind.as_deref()),
        (Some("com.shop.cart"), Some("CartException"))
    );
    assert_eq!(cause.kind.as_deref(), Some("SQLTransientConnectionException"));
    assert_eq!(cause.stacktrace.as_ref().unwrap().frames.len(), 4);
    assert_eq!(event.release.as_deref(), Some("shop@2.7.0"));
    assert_eq!(event.tags["service"], "cart");
    assert_eq!(event.server_name.as_deref(), Some("cart-3"));
    assert_eq!(event.logger.as_deref(), Some("com.shop.cart.CartService"));
    assert_eq!(event.request_id.as_deref(), Some("5f0c1f2e"));
    assert_eq!(event.trace_id.as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
    assert_eq!(event.contexts["response"], json!({"status_code": 503, "body": {"error": "try again"}}));
    assert_eq!(event.request.unwrap().method.as_deref(), Some("PUT"));
    assert_eq!(event.user.unwrap().id.as_deref(), Some("7"));
    assert_eq!(event.extra["tenant"], "acme");
}

#[test]
fn frontend_webhook() {
    let event = event(ItemKind::WebhookFrontend, &bytes("examples", "webhook-frontend"));
    assert_eq!((event.level, event.priority), (Level::Warning, Some(Priority::Medium)));
    assert_eq!(event.platform, "javascript");
    assert_eq!(event.exceptions[0].kind.as_deref(), Some("TypeError"));
    assert_eq!(event.exceptions[0].stacktrace.as_ref().unwrap().frames[1].function.as_deref(), Some("total"));
    assert_eq!(event.contexts["browser"], json!({"name": "Chrome", "version": "131.0"}));
    assert_eq!(event.contexts["os"], json!({"name": "Win32"}));
    assert_eq!(event.contexts["session"], json!({"id": "s-81f2"}));
    assert_eq!(event.release.as_deref(), Some("4.2.0"));
    assert_eq!(event.breadcrumbs[0].category.as_deref(), Some("ui.click"));
    assert_eq!(event.user.unwrap().ip_address.as_deref(), Some("198.51.100.4"));
    let request = event.request.unwrap();
    assert_eq!(request.fragment.as_deref(), Some("pay"));
    assert_eq!(request.headers, [("User-Agent".to_owned(), "test-agent/1".to_owned())]);
}

#[test]
fn mobile() {
    let event = event(ItemKind::WebhookMobile, &bytes("examples", "webhook-mobile"));
    assert_eq!(event.platform, "dart");
    assert_eq!(event.level, Level::Fatal);
    assert!(!event.is_handled());
    assert_eq!(event.exceptions[0].kind.as_deref(), Some("FormatException"));
    let frames = &event.exceptions[0].stacktrace.as_ref().unwrap().frames;
    assert_eq!(frames.iter().map(|f| f.in_app).collect::<Vec<_>>(), [Some(false), Some(true), Some(true)]);
    assert_eq!(event.contexts["device"], json!({"brand": "Google", "model": "Pixel 9"}));
    assert_eq!(event.contexts["os"], json!({"name": "android", "version": "15"}));
    assert_eq!(event.contexts["app"]["app_identifier"], "com.example.shop");
    assert_eq!((event.release.as_deref(), event.dist.as_deref()), (Some("1.4.2"), Some("142")));
    assert_eq!(event.transaction.as_deref(), Some("CartPage"));
    assert_eq!(event.user.unwrap().id.as_deref(), Some("u-7"));
}

#[test]
fn generic() {
    let event = event(ItemKind::WebhookGeneric, &bytes("examples", "webhook-generic"));
    assert_eq!((event.source, event.platform.as_str()), (EventSource::Webhook, "python"));
    assert_eq!(event.exceptions[0].kind.as_deref(), Some("BillingError"));
    assert_eq!(event.fingerprint, ["billing", "declined"]);
    assert_eq!(event.tags["region"], "eu");
    assert_eq!(event.tags["canary"], "true");
    assert_eq!(event.tags["service"], "billing");
    assert_eq!(event.timestamp.to_rfc3339(), "2026-11-20T18:02:44.285+00:00");
}

#[test]
fn frontend_log() {
    let split = frontend::split(&bytes("examples", "frontend-log")).unwrap();
    let body = split.into_iter().next().unwrap().unwrap();
    let event = frontend::normalise(&body, &item(ItemKind::Frontend)).unwrap();
    assert_eq!((event.source, event.level, event.priority), (EventSource::Frontend, Level::Error, None));
    assert_eq!(event.exceptions[0].kind.as_deref(), Some("TypeError"));
    assert_eq!(event.exceptions[0].value.as_deref(), Some("cart is undefined"));
    assert_eq!(event.exceptions[0].stacktrace.as_ref().unwrap().frames.len(), 2);
    assert_eq!(event.extra["step"], 2);
    assert_eq!(event.contexts["browser"], json!({"name": "Firefox", "version": "132"}));
    let split = frontend::split(&bytes("examples", "frontend-log-batch")).unwrap();
    let bodies: Vec<_> = split.into_iter().map(Result::unwrap).collect();
    let event = frontend::normalise(&bodies[1], &item(ItemKind::Frontend)).unwrap();
    assert_eq!((event.level, event.priority), (Level::Fatal, Some(Priority::Critical)));
    assert_eq!(event.message.unwrap().text(), "checkout is empty");
}
