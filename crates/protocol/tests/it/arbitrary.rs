//! Properties that hold for any input.

#![cfg(test)]

use crate::corpus;
use bugle_model::{Event, ItemKind, ProjectId, RawItem, ScrubSettings};
use bugle_protocol::scrub::Scrubber;
use bugle_protocol::{
    auth, client_report, encoding, envelope, feedback, normalise, security, store, user_report,
};
use chrono::{TimeZone, Utc};
use proptest::prelude::*;
use serde_json::{Map, Value};
use uuid::Uuid;

const KINDS: [ItemKind; 8] = [
    ItemKind::Event,
    ItemKind::Security,
    ItemKind::Frontend,
    ItemKind::WebhookLaravel,
    ItemKind::WebhookJava,
    ItemKind::WebhookFrontend,
    ItemKind::WebhookMobile,
    ItemKind::WebhookGeneric,
];

fn item(kind: ItemKind, body: &[u8]) -> RawItem {
    RawItem {
        id: Uuid::from_u128(7),
        kind,
        project: ProjectId(1),
        key: None,
        unverified_key: None,
        received_at: Utc.with_ymd_and_hms(2026, 11, 20, 18, 0, 0).unwrap(),
        remote_addr: Some("203.0.113.9".parse().unwrap()),
        client: None,
        user_agent: None,
        request_id: None,
        content_type: None,
        event_id: None,
        sent_at: None,
        environment: None,
        release: None,
        attachment: None,
        body: body.to_vec(),
    }
}

/// The names that mean something, so that odd values meet the code that reads them.
const NAMES: [&str; 60] = [
    "event_id",
    "timestamp",
    "level",
    "platform",
    "logger",
    "transaction",
    "server_name",
    "release",
    "dist",
    "environment",
    "modules",
    "extra",
    "tags",
    "fingerprint",
    "user",
    "request",
    "contexts",
    "breadcrumbs",
    "exception",
    "threads",
    "stacktrace",
    "logentry",
    "message",
    "debug_meta",
    "sdk",
    "values",
    "type",
    "value",
    "mechanism",
    "frames",
    "function",
    "filename",
    "lineno",
    "in_app",
    "vars",
    "pre_context",
    "context_line",
    "data",
    "category",
    "params",
    "formatted",
    "url",
    "query_string",
    "headers",
    "cookies",
    "env",
    "id",
    "ip_address",
    "settings",
    "infer_ip",
    "trace",
    "trace_id",
    "csp-report",
    "body",
    "handled",
    "password",
    "token",
    "checksum",
    "frames_omitted",
    "culprit",
];

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(|number| Value::from(f64::from(number) / 64.0)),
        ".{0,24}".prop_map(Value::String),
        "[a-z:=&?/@.\"'{} é\u{0}-]{0,40}".prop_map(Value::String),
        prop::sample::select(vec![
            "{{auto}}",
            "password=x",
            "error",
            "2026-11-20T18:00:00Z",
            "Bearer abc12345",
            "4111 1111 1111 1111",
            "eyJhbGciOiJI.eyJzdWIiOiIx.x"
        ])
        .prop_map(Value::from),
    ];
    let name = prop_oneof![prop::sample::select(NAMES.to_vec()).prop_map(str::to_owned), ".{0,8}"];
    leaf.prop_recursive(7, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::vec((name.clone(), inner), 0..6)
                .prop_map(|entries| Value::Object(entries.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn object() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(NAMES.to_vec()).prop_map(str::to_owned);
    prop::collection::vec((name, json()), 0..8)
        .prop_map(|entries| Value::Object(entries.into_iter().collect()))
}

fn check(event: &Event) {
    let stored = serde_json::to_string(event).unwrap();
    assert!(!stored.contains("\\u0000"), "{stored}");
    assert!(event.errors.len() <= 50);
    let read: Event = serde_json::from_str(&stored).unwrap();
    assert_eq!(&read, event);
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for encoding in ["gzip", "deflate", "br", "zstd", "br,gzip"] {
            let _ = encoding::inflate(Some(encoding), &bytes, 10_000);
        }
        let _ = (envelope::parse(&bytes), store::decode(&bytes), security::split(&bytes));
        let _ = (client_report::parse(&bytes), feedback::parse(&bytes), user_report::parse(&bytes));
        for kind in KINDS {
            let _ = normalise(&item(kind, &bytes));
        }
    }

    #[test]
    fn any_text_is_survived(text in "\\PC{0,200}") {
        let _ = auth::parse_auth(Some(&text), Some(&text), Some(&text));
        let _ = auth::parse_auth(None, Some(&format!("Basic {text}")), None);
        let _ = (auth::parse_dsn(&text), auth::query_value(&text, "a"));
        let _ = encoding::inflate(Some(&text), b"", 10);
        let mut once = text;
        let scrubber = Scrubber::new(&ScrubSettings::default());
        scrubber.scrub_text(&mut once);
        let mut twice = once.clone();
        scrubber.scrub_text(&mut twice);
        prop_assert_eq!(twice, once);
    }

    #[test]
    fn any_assignment_is_survived(
        text in "((password|token|Cookie|auth|https://|Bearer |eyJ|-----BEGIN PRIVATE KEY-----|4111111111111111)|[=:\"'\\\\{}\\[\\]a@/? \n.-]|é){0,16}",
    ) {
        let mut text = text;
        Scrubber::new(&ScrubSettings::default()).scrub_text(&mut text);
    }

    #[test]
    fn any_json_gives_an_event_that_can_be_stored(value in object()) {
        let scrubber = Scrubber::new(&ScrubSettings { addresses: true, ..ScrubSettings::default() });
        for kind in KINDS {
            if let Ok(mut event) = normalise(&item(kind, value.to_string().as_bytes())) {
                check(&event);
                scrubber.scrub(&mut event);
                check(&event);
            }
        }
    }

    #[test]
    fn every_object_is_an_event(value in object()) {
        prop_assert!(normalise(&item(ItemKind::Event, value.to_string().as_bytes())).is_ok());
    }

    #[test]
    fn normalising_what_was_normalised_changes_nothing(value in object()) {
        let once = normalise(&item(ItemKind::Event, value.to_string().as_bytes())).unwrap();
        let mut again = normalise(&item(ItemKind::Event, serde_json::to_string(&once).unwrap().as_bytes())).unwrap();
        again.errors.clone_from(&once.errors);
        prop_assert_eq!(again, once);
    }
}

#[test]
fn normalising_captured_events_again_changes_nothing() {
    for client in corpus::clients() {
        for request in corpus::requests(&client) {
            for mut raw in request.items().0.into_iter().filter(|item| item.kind == ItemKind::Event) {
                let once = normalise(&raw).unwrap();
                raw.body = serde_json::to_vec(&once).unwrap();
                // Clocks are corrected once.
                raw.sent_at = None;
                let mut again = normalise(&raw).unwrap();
                again.errors.clone_from(&once.errors);
                assert_eq!(again, once, "{client}");
            }
        }
    }
}

/// Each of these repeats what a careless reader would read to the end for every time.
#[test]
fn long_texts_are_read_once() {
    let scrubber = Scrubber::new(&ScrubSettings::default());
    let parts = [
        "token:",
        "token:[",
        "password=",
        "password: (",
        "session:\\",
        "token=\"",
        "'token': \"[Filtered]",
        "://",
        "://a@",
        "eyJ.",
        "eyJa",
        "bearer ",
        "-----BEGIN ",
        "-----BEGIN PRIVATE KEY",
        "4111 ",
        "4",
        "1-1 ",
        "{",
        "%(",
        "[[",
        "{\"a\":",
        "\\",
        "auth",
    ];
    for part in parts {
        let long = part.repeat(120_000 / part.len());
        let mut text = long.clone();
        scrubber.scrub_text(&mut text);
        let log = serde_json::json!({"message": long, "params": [long]});
        let payload = serde_json::json!({"logentry": log, "extra": {"a": long}, "request": {"data": long}});
        let mut event = normalise(&item(ItemKind::Event, payload.to_string().as_bytes())).unwrap();
        scrubber.scrub(&mut event);
        assert!(event.message.is_some(), "{part}");
    }
}
