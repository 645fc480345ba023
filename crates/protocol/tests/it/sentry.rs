//! Events as Sentry's clients send them: every name, every form.

#![cfg(test)]

use bugle_model::{Event, ItemKind, ProjectId, RawItem};
use bugle_protocol::normalise;
use chrono::{DateTime, TimeZone, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

const SENT_ID: &str = "9ec79c33ec9942ab8353589fcb2e04dc";

/// An event received on 2026-11-20 at 18:00 from 203.0.113.9.
pub fn item(body: &[u8]) -> RawItem {
    RawItem {
        id: Uuid::from_u128(7),
        kind: ItemKind::Event,
        project: ProjectId(1),
        key: None,
        unverified_key: None,
        received_at: received_at(),
        remote_addr: Some("203.0.113.9".parse().unwrap()),
        client: None,
        user_agent: None,
        request_id: Some("req-1".into()),
        content_type: None,
        event_id: None,
        sent_at: None,
        environment: None,
        release: None,
        attachment: None,
        body: body.to_vec(),
    }
}

pub fn received_at() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 20, 18, 0, 0).unwrap()
}

#[expect(clippy::needless_pass_by_value, reason = "reads better with json! at the call")]
pub fn event(payload: Value) -> Event {
    normalise(&item(payload.to_string().as_bytes())).unwrap()
}

#[test]
fn nothing_but_braces_is_an_event() {
    let event = event(json!({}));
    let mut expected = Event::new(Uuid::from_u128(7), received_at());
    expected.request_id = Some("req-1".into());
    assert_eq!(event, expected);
}

#[test]
fn what_is_no_object_is_invalid() {
    for (body, message) in [
        ("[]", "body: not a JSON object"),
        ("", "body: not JSON: EOF while parsing a value at line 1 column 0"),
        ("{", "body: not JSON: EOF while parsing an object at line 1 column 1"),
        ("null", "body: not a JSON object"),
    ] {
        assert_eq!(normalise(&item(body.as_bytes())).unwrap_err().to_string(), message);
    }
    let large = format!("{{\"message\":\"{}\"}}", "x".repeat(1024 * 1024));
    assert_eq!(
        normalise(&item(large.as_bytes())).unwrap_err().to_string(),
        "body: larger than 1048576 bytes"
    );
    let mut report = item(b"{}");
    report.kind = ItemKind::ClientReport;
    assert_eq!(normalise(&report).unwrap_err().to_string(), "type: holds no event");
}

#[test]
fn the_envelopes_id_wins() {
    let mut item = item(format!(r#"{{"event_id":"{SENT_ID}"}}"#).as_bytes());
    assert_eq!(normalise(&item).unwrap().event_id.simple().to_string(), SENT_ID);
    item.event_id = Some(Uuid::from_u128(9));
    assert_eq!(normalise(&item).unwrap().event_id, Uuid::from_u128(9));
    let dashed = event(json!({"event_id": "9EC79C33-ec99-42ab-8353-589fcb2e04dc"}));
    assert_eq!(dashed.event_id.simple().to_string(), SENT_ID);
    let bad = event(json!({"event_id": "x"}));
    assert_eq!(bad.event_id, Uuid::from_u128(7));
    assert_eq!(bad.errors, ["event_id: not 32 hexadecimal digits: a new one was given"]);
}

#[test]
fn timestamps() {
    for (value, expected) in [
        (json!(1_795_197_000), "2026-11-20T17:50:00Z"),
        (json!(1_795_197_000.5), "2026-11-20T17:50:00.500Z"),
        (json!("1795197000.25"), "2026-11-20T17:50:00.250Z"),
        (json!("2026-11-20T17:50:00Z"), "2026-11-20T17:50:00Z"),
        (json!("2026-11-20T17:50:00.123456"), "2026-11-20T17:50:00.123456Z"),
        (json!("2026-11-20 17:50:00"), "2026-11-20T17:50:00Z"),
        (json!("2026-11-20T19:50:00+02:00"), "2026-11-20T17:50:00Z"),
        (json!("2026-11-20T19:50:00+0200"), "2026-11-20T17:50:00Z"),
        (json!("2026-11-20T18:00:59Z"), "2026-11-20T18:00:59Z"),
        // Wrong clocks.
        (json!("2026-11-20T18:01:01Z"), "2026-11-20T18:00:00Z"),
        (json!("2026-10-01T00:00:00Z"), "2026-11-20T18:00:00Z"),
        (json!(1e300), "2026-11-20T18:00:00Z"),
        (json!(-5), "2026-11-20T18:00:00Z"),
        (json!("yesterday"), "2026-11-20T18:00:00Z"),
        (json!({}), "2026-11-20T18:00:00Z"),
        (json!(null), "2026-11-20T18:00:00Z"),
    ] {
        let expected: DateTime<Utc> = expected.parse().unwrap();
        assert_eq!(event(json!({"timestamp": value})).timestamp, expected, "{value}");
    }
}

#[test]
fn a_wrong_clock_is_corrected_by_sent_at() {
    let payload =
        json!({"timestamp": "2026-11-20T15:59:50Z", "breadcrumbs": [{"timestamp": "2026-11-20T15:59:00Z"}]});
    let mut item = item(payload.to_string().as_bytes());
    item.sent_at = Some("2026-11-20T16:00:00Z".parse().unwrap());
    let event = normalise(&item).unwrap();
    assert_eq!(event.timestamp.to_rfc3339(), "2026-11-20T17:59:50+00:00");
    assert_eq!(event.breadcrumbs[0].timestamp.unwrap().to_rfc3339(), "2026-11-20T17:59:00+00:00");
    assert_eq!(event.errors, ["timestamp: the client's clock is -7200 s off: corrected"]);
    // A slow network is no wrong clock.
    item.sent_at = Some("2026-11-20T17:59:10Z".parse().unwrap());
    assert_eq!(normalise(&item).unwrap().timestamp.to_rfc3339(), "2026-11-20T15:59:50+00:00");
}

#[test]
fn levels() {
    for (value, expected) in [
        (json!("Warning"), "warning"),
        (json!("warn"), "warning"),
        (json!("log"), "info"),
        (json!("critical"), "fatal"),
        (json!(40), "error"),
        (json!(25), "info"),
        (json!("50"), "fatal"),
        (json!(15.5), "debug"),
        (json!("loud"), "error"),
        (json!([]), "error"),
        (json!(null), "error"),
    ] {
        assert_eq!(event(json!({"level": value})).level.as_str(), expected, "{value}");
    }
    assert_eq!(
        event(json!({"level": "loud"})).errors,
        ["level: not one of debug, info, warning, error, fatal: dropped"]
    );
}

#[test]
fn names_of_releases_and_environments() {
    for (value, release, environment, dist) in [
        (json!("shop@1.2"), Some("shop@1.2"), Some("shop@1.2"), None),
        (json!(" v1 "), Some("v1"), Some("v1"), Some("v1")),
        (json!(12), Some("12"), Some("12"), Some("12")),
        (json!(""), None, None, None),
        (json!(".."), None, None, Some("..")),
        (json!("latest"), None, Some("latest"), Some("latest")),
        (json!("none"), Some("none"), None, Some("none")),
        (json!("a/b"), None, None, None),
        (json!("a\nb"), None, None, None),
        (json!("x".repeat(65)), Some("x".repeat(65).as_str()), None, None),
        (json!("x".repeat(201)), None, None, None),
        (json!({}), None, None, None),
    ] {
        let event = event(json!({"release": value, "environment": value, "dist": value}));
        assert_eq!(event.release.as_deref(), release, "release {value}");
        assert_eq!(event.environment.as_deref(), environment, "environment {value}");
        assert_eq!(event.dist.as_deref(), dist, "dist {value}");
    }
}

#[test]
fn one_bad_field_costs_nothing_else() {
    let event = event(json!({
        "tags": 5, "user": "ada", "request": [1], "contexts": "x", "exception": 7, "breadcrumbs": "y", "extra": true,
        "modules": [], "sdk": 1, "fingerprint": {}, "threads": false, "logger": {}, "level": "loud", "stacktrace": 3,
        "message": "still here", "release": "1.0", "surprise": 1,
    }));
    assert_eq!(event.message.unwrap().text(), "still here");
    assert_eq!(event.release.as_deref(), Some("1.0"));
    let mut fields: Vec<&str> = event.errors.iter().map(|error| error.split(':').next().unwrap()).collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "breadcrumbs",
            "contexts",
            "exception",
            "extra",
            "fingerprint",
            "level",
            "logger",
            "modules",
            "request",
            "sdk",
            "stacktrace",
            "surprise",
            "tags",
            "threads",
            "user"
        ]
    );
}

#[test]
fn old_names_are_read() {
    let event = event(json!({
        "sentry.interfaces.Exception": [{"type": "E", "value": "v"}],
        "sentry.interfaces.Message": {"message": "hi %s", "params": ["ada"]},
        "message": "hi ada",
        "sentry.interfaces.Http": {"url": "http://x/"},
        "sentry.interfaces.User": {"id": 1},
        "sentry.interfaces.Breadcrumbs": {"values": [{"message": "m"}]},
        "sentry.interfaces.Contexts": {"os": {"version": "12\n"}},
        "sentry.interfaces.Stacktrace": {"frames": [{"function": "f"}]},
        "sentry.interfaces.Template": {"filename": "a.html"},
        "culprit": "app.views", "site": "eu", "server_name": "web-1", "checksum": "abc",
    }));
    assert_eq!(event.exceptions[0].kind.as_deref(), Some("E"));
    assert_eq!(event.exceptions[0].stacktrace.as_ref().unwrap().frames.len(), 1);
    let message = event.message.unwrap();
    assert_eq!((message.template.as_deref(), message.formatted.as_deref()), (Some("hi %s"), Some("hi ada")));
    assert_eq!(event.request.unwrap().url.as_deref(), Some("http://x/"));
    assert_eq!(event.user.unwrap().id.as_deref(), Some("1"));
    assert_eq!(event.breadcrumbs.len(), 1);
    assert_eq!(event.contexts["os"]["version"], "12");
    assert_eq!(event.contexts["template"]["filename"], "a.html");
    assert_eq!(event.transaction.as_deref(), Some("app.views"));
    assert_eq!((event.tags["site"].as_str(), event.tags["server_name"].as_str()), ("eu", "web-1"));
    assert_eq!(event.checksum.as_deref(), Some("abc"));
    assert!(event.errors.is_empty(), "{:?}", event.errors);
}

#[test]
fn a_stack_trace_alone_is_the_current_threads() {
    let event = event(json!({"message": "hi", "stacktrace": {"frames": [{"function": "f"}]}}));
    assert_eq!(event.threads[0].current, Some(true));
    assert_eq!(event.threads[0].stacktrace.as_ref().unwrap().frames[0].function.as_deref(), Some("f"));
}

#[test]
fn fingerprints() {
    for (value, expected) in [
        (json!(["{{ default }}", 1, true, null, "x"]), vec!["{{ default }}", "1", "true", "x"]),
        (json!("alone"), vec!["alone"]),
        (json!([["nested"]]), vec![]),
        (json!({}), vec![]),
    ] {
        assert_eq!(event(json!({"fingerprint": value})).fingerprint, expected, "{value}");
    }
    assert_eq!(event(json!({"fingerprint": vec!["x"; 100]})).fingerprint.len(), 32);
}

#[test]
fn trace_and_span_come_from_the_context() {
    let trace = json!({"trace_id": "4C79F60C-1121-4EB3-8604-F4AE0781BFB2", "span_id": "FA90FDEAD5F74052"});
    let event = event(json!({"contexts": {"trace": trace}}));
    assert_eq!(event.trace_id.as_deref(), Some("4c79f60c11214eb38604f4ae0781bfb2"));
    assert_eq!(event.span_id.as_deref(), Some("fa90fdead5f74052"));
    let zero = self::event(json!({"contexts": {"trace": {"trace_id": "0".repeat(32), "span_id": 5}}}));
    assert_eq!((zero.trace_id, zero.span_id), (None, None));
}

#[test]
fn oddities_of_json() {
    let body = br#"{"message":"a\u0000b \ud83d!","message":"second \ud83d","extra":{"n":NaN,"big":123456789012345678901234567890,"k\u0000":"\u0000"}}"#;
    let event = normalise(&item(body)).unwrap();
    assert_eq!(event.message.unwrap().text(), "second \u{fffd}");
    assert_eq!(event.extra["n"], Value::Null);
    assert!(event.extra["big"].is_f64());
    assert_eq!(event.extra["k"], "");
    assert_eq!(event.errors, ["body: not valid JSON: repaired"]);
}

#[test]
fn nesting_is_cut() {
    let deep =
        format!("{{\"message\":\"m\",\"extra\":{{\"a\":{}{}}}}}", "[".repeat(100_000), "]".repeat(100_000));
    let event = normalise(&item(deep.as_bytes())).unwrap();
    assert_eq!(event.message.unwrap().text(), "m");
    assert!(event.errors[0].starts_with("body: nested deeper"), "{:?}", event.errors);
    assert!(serde_json::to_string(&event.extra).unwrap().len() < 100);
}
