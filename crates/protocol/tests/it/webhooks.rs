//! Webhooks and the frontend log, from outside.

#![cfg(test)]

use bugle_model::{Event, ItemKind, Level, Priority, ProjectId, RawItem};
use bugle_protocol::{frontend, webhook};
use chrono::{DateTime, Utc};
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

/// An accepted item without a body.
pub fn item(kind: ItemKind) -> RawItem {
    RawItem {
        id: Uuid::from_u128(7),
        kind,
        project: ProjectId(1),
        key: None,
        unverified_key: None,
        received_at: received_at(),
        remote_addr: Some("198.51.100.4".parse().unwrap()),
        client: None,
        user_agent: Some("test-agent/1".to_owned()),
        request_id: Some("req-1".to_owned()),
        content_type: None,
        event_id: None,
        sent_at: None,
        environment: None,
        release: None,
        attachment: None,
        body: Vec::new(),
    }
}

fn received_at() -> DateTime<Utc> {
    "2026-11-20T18:05:00Z".parse().unwrap()
}

/// The event of a body that must be one.
pub fn event(kind: ItemKind, body: &[u8]) -> Event {
    webhook::normalise(kind, body, &item(kind)).unwrap()
}

fn generic(body: &Value) -> Event {
    event(ItemKind::WebhookGeneric, body.to_string().as_bytes())
}

fn errors(kind: ItemKind, body: &str) -> Vec<(String, String)> {
    webhook::validate(kind, body.as_bytes())
        .expect_err("must be refused")
        .into_iter()
        .map(|error| (error.field, error.message))
        .collect()
}

const KINDS: [ItemKind; 6] = [
    ItemKind::WebhookLaravel,
    ItemKind::WebhookJava,
    ItemKind::WebhookFrontend,
    ItemKind::WebhookMobile,
    ItemKind::WebhookGeneric,
    ItemKind::Frontend,
];

#[test]
fn an_item_is_read_by_its_kind() {
    for kind in KINDS {
        let mut item = item(kind);
        item.body = br#"{"message":"m"}"#.to_vec();
        let event = bugle_protocol::normalise(&item).unwrap();
        assert_eq!(event, webhook::normalise(kind, &item.body, &item).unwrap());
    }
}

#[test]
fn names_are_known_in_every_spelling() {
    for class in [
        "exception",
        "exception_class",
        "exceptionClass",
        "error_type",
        "errorType",
        "type",
        "Exception-Class",
    ] {
        for trace in ["stack", "stackTrace", "stack_trace", "trace", "STACKTRACE"] {
            let event = generic(
                &json!({class: "ShopError", "message": "m", trace: "at f (http://x.example/a.js:1:2)"}),
            );
            let exception = &event.exceptions[0];
            assert_eq!(exception.kind.as_deref(), Some("ShopError"), "{class}");
            assert_eq!(exception.value.as_deref(), Some("m"));
            assert_eq!(exception.stacktrace.as_ref().unwrap().frames.len(), 1, "{trace}");
            assert_eq!(event.extra, serde_json::Map::new());
        }
    }
}

#[test]
fn severities_give_level_and_priority() {
    for (word, level, priority) in [
        ("critical", Level::Fatal, Some(Priority::Critical)),
        ("High", Level::Error, Some(Priority::High)),
        ("error", Level::Error, None),
        ("medium", Level::Warning, Some(Priority::Medium)),
        ("warning", Level::Warning, None),
        ("low", Level::Info, Some(Priority::Low)),
        ("info", Level::Info, None),
        ("debug", Level::Debug, None),
        ("SEVERE", Level::Error, None),
    ] {
        let event = generic(&json!({"message": "m", "severity": word}));
        assert_eq!((event.level, event.priority), (level, priority), "{word}");
    }
    let event = generic(&json!({"message": "m", "severity": "critical", "level": "warning"}));
    assert_eq!((event.level, event.priority), (Level::Warning, Some(Priority::Critical)));
    let event = generic(&json!({"message": "m", "severity": "banana"}));
    assert_eq!((event.level, event.priority), (Level::Error, None));
    assert!(event.errors[0].starts_with("severity: not one of critical"), "{:?}", event.errors);
}

#[test]
fn the_door_names_what_is_wrong() {
    for kind in KINDS {
        assert_eq!(errors(kind, "{}"), [("message".into(), "a message or an exception is required".into())]);
        assert_eq!(errors(kind, "[1]"), [("body".into(), "expected a JSON object".into())]);
        assert_eq!(errors(kind, r#"{"message":" "}"#)[0].0, "message");
        assert!(errors(kind, "{\"message\":")[0].1.starts_with("not JSON"));
        assert!(errors(kind, "")[0].1.starts_with("not JSON"));
        let wrong = r#"{"message":{"a":1},"line":"many","tags":"a","userAgent":[]}"#;
        let named: Vec<String> = errors(kind, wrong).into_iter().map(|(field, _)| field).collect();
        assert_eq!(named, ["line", "message", "tags", "userAgent", "message"]);
        let large = format!(r#"{{"message":"{}"}}"#, "x".repeat(webhook::MAX_BODY));
        assert!(errors(kind, &large)[0].1.contains("at most 1048576"));
        assert!(webhook::normalise(kind, b"{}", &item(kind)).is_err());
    }
}

#[test]
fn a_wrong_optional_field_is_dropped_and_noted() {
    let event = generic(
        &json!({"message": "m", "line": "many", "headers": 5, "timestamp": "yesterday", "trace_id": "xyz"}),
    );
    let fields: Vec<&str> = event.errors.iter().filter_map(|note| note.split(':').next()).collect();
    assert_eq!(fields, ["headers", "line", "timestamp", "trace_id"]);
    assert_eq!(event.timestamp, received_at());
    assert_eq!(event.message.unwrap().text(), "m");
}

#[test]
fn what_has_no_meaning_is_kept_as_extra() {
    let event = generic(
        &json!({"message": "m", "cart_size": 3, "status": "open", "context": {"a": 1}, "none": null}),
    );
    assert_eq!(Value::Object(event.extra), json!({"a": 1, "cart_size": 3, "status": "open"}));
}

#[test]
fn causes_come_innermost_first_in_every_form() {
    let cause = json!({"type": "B", "message": "b", "cause": {"type": "C", "message": "c"}});
    for body in [
        json!({"error_type": "A", "message": "a", "cause": cause}),
        json!({"exception": {"type": "A", "message": "a", "previous": cause}}),
        json!({"exception": [{"type": "A", "message": "a"}, {"type": "B", "message": "b"}, {"type": "C", "message": "c"}]}),
        json!({"error_type": "A", "message": "a", "causes": [{"type": "B", "value": "b"}, {"name": "C", "message": "c"}]}),
        json!({"exception": "A: a", "causes": ["B: b", "C: c"]}),
    ] {
        let event = generic(&body);
        let chain: Vec<_> = event
            .exceptions
            .iter()
            .map(|e| (e.kind.as_deref().unwrap(), e.value.as_deref().unwrap()))
            .collect();
        assert_eq!(chain, [("C", "c"), ("B", "b"), ("A", "a")], "{body}");
        assert_eq!(event.message, None, "{body}");
    }
}

#[test]
fn a_trace_comes_as_text_lines_or_objects() {
    for (kind, trace, functions) in [
        (
            ItemKind::WebhookLaravel,
            json!(["#0 /a/b.php(3): X->y()", "#1 /a/c.php(4): z()", "#2 {main}"]),
            vec!["?", "z", "X::y"],
        ),
        (ItemKind::WebhookLaravel, json!(["/a/b.php:3", "/a/c.php:4"]), vec!["?", "?"]),
        (
            ItemKind::WebhookJava,
            json!([{"declaringClass": "a.B", "methodName": "m", "fileName": "B.java", "lineNumber": 3}, {"declaringClass": "java.lang.Thread", "methodName": "run", "nativeMethod": true}]),
            vec!["run", "m"],
        ),
        (
            ItemKind::WebhookFrontend,
            json!([{"functionName": "f", "fileName": "a.js", "lineNumber": 1, "columnNumber": 2}]),
            vec!["f"],
        ),
        (
            ItemKind::WebhookGeneric,
            json!({"frames": [{"function": "old", "filename": "a.py", "lineno": 1}, {"function": "new", "in_app": true}]}),
            vec!["old", "new"],
        ),
    ] {
        let body = json!({"error_type": "E", "message": "m", "trace": trace}).to_string();
        let event = event(kind, body.as_bytes());
        let frames = &event.exceptions[0].stacktrace.as_ref().unwrap().frames;
        let found: Vec<&str> = frames.iter().map(|frame| frame.function.as_deref().unwrap_or("?")).collect();
        assert_eq!(found, functions, "{body}");
    }
}

#[test]
fn a_trace_that_nobody_can_read_is_kept_as_text() {
    let event = generic(&json!({"message": "m", "stack": "somewhere deep inside"}));
    assert_eq!(event.extra["stack_trace"], "somewhere deep inside");
}

#[test]
fn a_trace_that_was_escaped_twice_is_read() {
    let event =
        generic(&json!({"message": "m", "stack": r"a.B: m\n\tat a.B.c(B.java:1)\n\tat a.B.d(B.java:2)"}));
    assert_eq!(event.exceptions[0].stacktrace.as_ref().unwrap().frames.len(), 2);
    assert_eq!(event.platform, "java");
}

#[test]
fn a_message_alone_is_a_message() {
    let event = generic(&json!({"message": "disk is nearly full"}));
    assert!(event.exceptions.is_empty());
    assert_eq!(event.message.unwrap().text(), "disk is nearly full");
    let event =
        generic(&json!({"message": "while saving", "exception": {"type": "E", "message": "disk full"}}));
    assert_eq!(event.message.unwrap().text(), "while saving");
    assert_eq!(event.exceptions[0].value.as_deref(), Some("disk full"));
}

#[test]
fn ids_and_times() {
    let id = "9f1c2b3a4d5e6f708192a3b4c5d6e7f8";
    let event = generic(&json!({"message": "m", "event_id": id, "timestamp": 1_795_197_600_000_u64}));
    assert_eq!(event.event_id.simple().to_string(), id);
    assert_eq!(event.timestamp.to_rfc3339(), "2026-11-20T18:00:00+00:00");
    assert_eq!(event.request_id.as_deref(), Some("req-1"));
    let event = generic(&json!({"message": "m", "id": "order-5", "timestamp": "2031-01-01T00:00:00Z"}));
    assert_eq!(event.event_id, Uuid::from_u128(7));
    assert_eq!(event.timestamp, received_at());
    assert_eq!(event.extra["id"], "order-5");
    assert!(event.errors[0].contains("60 s in the future"));
}

#[test]
fn bodies_and_free_data_are_bounded() {
    let text = "x".repeat(100_000);
    let many: serde_json::Map<String, Value> = (0..5_000).map(|n| (format!("k{n}"), json!(n))).collect();
    let event = generic(&json!({
        "message": text, "response_body": text, "request_body": {"a": text}, "tags": many, "headers": {"a": text},
        "context": {"a": text, "b": text, "c": text, "d": text}, "breadcrumbs": vec![json!("b"); 500],
    }));
    assert_eq!(event.message.unwrap().text().len(), 8192);
    assert_eq!(event.contexts["response"]["body"].as_str().unwrap().len(), 8192);
    assert!(event.request.unwrap().data.unwrap().to_string().len() < 9_000);
    assert_eq!(event.tags.len(), 200);
    assert_eq!(event.breadcrumbs.len(), 100);
    assert!(Value::Object(event.extra).to_string().len() < 270_000);
    assert!(event.errors.iter().any(|note| note.starts_with("tags: more than 200")));
}

#[test]
fn odd_json_is_survived() {
    let deep = format!(r#"{{"message":"m","x":{}1{}}}"#, "[".repeat(50_000), "]".repeat(50_000));
    assert_eq!(event(ItemKind::WebhookGeneric, deep.as_bytes()).message.unwrap().text(), "m");
    let lone = br#"{"message":"half \ud83d of it\u0000"}"#;
    assert_eq!(event(ItemKind::WebhookFrontend, lone).message.unwrap().text(), "half \u{fffd} of it");
}

#[test]
fn the_frontend_log_keeps_the_neighbours_of_a_bad_one() {
    let body =
        br#"{"errors":[{"message":"a"},{"severity":"low"},5,{"message":[]},{"message":"half \ud83d"}]}"#;
    let items = frontend::split(body).unwrap();
    let summary: Vec<_> = items
        .iter()
        .map(|item| match item {
            Ok(_) => "ok".to_owned(),
            Err(error) => format!("{} {}", error.index, error.errors[0].field),
        })
        .collect();
    assert_eq!(summary, ["ok", "1 message", "2 body", "3 message", "ok"]);
    let last = items.into_iter().next_back().unwrap().unwrap();
    assert_eq!(
        frontend::normalise(&last, &item(ItemKind::Frontend)).unwrap().message.unwrap().text(),
        "half \u{fffd}"
    );
}

#[test]
fn the_frontend_log_takes_100() {
    let body = |count: usize| json!({"errors": vec![json!({"message": "m"}); count]}).to_string();
    let items = frontend::split(body(101).as_bytes()).unwrap();
    assert_eq!(items.iter().filter(|item| item.is_ok()).count(), 100);
    assert_eq!(items[100].as_ref().unwrap_err().errors[0].message, "at most 100 are taken from a request");
    assert_eq!(frontend::split(body(1_001).as_bytes()).unwrap_err()[0].field, "errors");
    assert_eq!(frontend::split(body(0).as_bytes()).unwrap_err()[0].message, "at least one is required");
    assert_eq!(frontend::split(br#"{"errors":"x"}"#).unwrap_err()[0].message, "expected a list");
    assert_eq!(frontend::split(b"nonsense").unwrap_err()[0].field, "body");
    let one = frontend::split(br#"{"severity":"low"}"#).unwrap();
    assert_eq!(one[0].as_ref().unwrap_err().index, 0);
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(|n| Value::from(f64::from(n) / 8.0)),
        "\\PC{0,20}".prop_map(Value::from),
        prop::sample::select(vec![
            "critical",
            "A: b",
            "at a.B.c(D.java:1)",
            "#0 /a(1): b",
            "2026-11-20",
            "http://a/?b#c"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((name(), inner), 0..5)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "message",
        "exception",
        "type",
        "trace",
        "cause",
        "previous",
        "frames",
        "file",
        "line",
        "class",
        "function",
        "url",
        "headers",
        "request",
        "response",
        "status",
        "user",
        "tags",
        "contexts",
        "context",
        "breadcrumbs",
        "values",
        "timestamp",
        "severity",
        "level",
        "fingerprint",
        "device",
        "os",
        "platform",
        "cookies",
        "query",
        "body",
        "session",
        "id",
        "name",
        "value",
    ])
    .prop_map(str::to_owned)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_object_is_an_event_or_refused(pairs in prop::collection::vec((name(), json_value()), 0..12)) {
        let body = Value::Object(pairs.into_iter().collect()).to_string();
        for kind in KINDS {
            let passes = webhook::validate(kind, body.as_bytes()).is_ok();
            let event = webhook::normalise(kind, body.as_bytes(), &item(kind));
            prop_assert!(!passes || event.is_ok(), "the door let in what cannot be read: {body}");
            if let Ok(event) = event {
                let text = serde_json::to_string(&event).unwrap();
                let again: Event = serde_json::from_str(&text).unwrap();
                prop_assert_eq!(again, event);
            }
        }
        let _ = frontend::split(body.as_bytes());
    }
}
