//! The structured parts of an event: exceptions, frames, breadcrumbs, request, user, tags, contexts.

#![cfg(test)]

use crate::sentry::{event, item};
use bugle_model::Level;
use bugle_protocol::normalise;
use serde_json::{Map, Value, json};

fn frames(count: usize) -> Value {
    (0..count).map(|n| json!({"function": format!("f{n}"), "pre_context": ["a"], "vars": {"n": n}, "in_app": n % 2 == 0})).collect()
}

#[test]
fn lists_in_every_form() {
    for list in [
        json!({"values": [{"type": "E", "value": "v", "message": "m"}]}),
        json!([{"type": "E", "value": "v", "message": "m"}]),
        json!({"type": "E", "value": "v", "message": "m"}),
        json!([null, {"type": "E", "value": "v", "message": "m"}]),
        json!({"values": {"type": "E", "value": "v", "message": "m"}}),
    ] {
        let event = event(json!({"exception": list, "breadcrumbs": list, "threads": list}));
        assert_eq!(event.exceptions.len(), 1, "{list}");
        assert_eq!(event.breadcrumbs.len(), 1, "{list}");
        assert_eq!(event.threads.len(), 1, "{list}");
        assert!(event.errors.is_empty(), "{list} {:?}", event.errors);
    }
    for list in [json!(null), json!([]), json!({}), json!({"values": null}), json!({"values": []})] {
        let event = event(json!({"exception": list, "breadcrumbs": list, "threads": list}));
        assert!(
            event.exceptions.is_empty() && event.breadcrumbs.is_empty() && event.threads.is_empty(),
            "{list}"
        );
        assert!(event.errors.is_empty(), "{list} {:?}", event.errors);
    }
}

#[test]
fn an_exceptions_fields() {
    let event = event(json!({"exception": [
        {"type": null, "value": {"code": 1}, "module": "m", "thread_id": 5, "stacktrace": null,
         "raw_stacktrace": {"frames": [{"function": "raw"}]}},
        {"type": "E", "value": "", "mechanism": {"handled": false, "synthetic": "true", "data": {"a": 1},
         "exception_id": 0, "parent_id": "1", "source": "__cause__", "is_exception_group": 1}},
        {"mechanism": "onerror"},
        {"unknown": 1},
        "text",
    ]}));
    let [first, second, third] = event.exceptions.as_slice() else { panic!("{:?}", event.exceptions) };
    assert_eq!((first.kind.as_deref(), first.value.as_deref()), (None, Some("{\"code\":1}")));
    assert_eq!((first.module.as_deref(), first.thread_id.as_deref()), (Some("m"), Some("5")));
    assert_eq!(first.stacktrace.as_ref().unwrap().frames[0].function.as_deref(), Some("raw"));
    assert_eq!(second.value.as_deref(), Some(""));
    let mechanism = second.mechanism.as_ref().unwrap();
    assert_eq!(
        (mechanism.kind.as_str(), mechanism.handled, mechanism.synthetic),
        ("generic", Some(false), Some(true))
    );
    assert_eq!((mechanism.exception_id, mechanism.parent_id), (Some(0), Some(1)));
    assert_eq!((mechanism.source.as_deref(), mechanism.is_exception_group), (Some("__cause__"), Some(true)));
    assert_eq!(mechanism.other["data"], json!({"a": 1}));
    assert_eq!(third.mechanism.as_ref().unwrap().kind, "onerror");
    assert_eq!(event.errors.len(), 2, "{:?}", event.errors);
    assert!(!event.is_handled());
}

#[test]
fn of_many_exceptions_the_outermost_stay() {
    let list: Value = (0..150).map(|n| json!({"type": format!("E{n}")})).collect();
    let event = event(json!({"exception": list}));
    assert_eq!(event.exceptions.len(), 100);
    assert_eq!(event.exceptions.last().unwrap().kind.as_deref(), Some("E149"));
}

#[test]
fn of_many_frames_both_ends_stay() {
    let event = event(json!({"exception": [{"type": "E", "stacktrace": {"frames": frames(999)}}]}));
    let trace = event.exceptions[0].stacktrace.as_ref().unwrap();
    let name = |at: usize| trace.frames[at].function.as_deref().unwrap();
    assert_eq!((trace.frames.len(), trace.frames_omitted), (250, Some(749)));
    assert_eq!((name(0), name(49), name(50), name(249)), ("f0", "f49", "f799", "f998"));
    let detailed: Vec<_> = trace.frames.iter().filter(|frame| !frame.vars.is_empty()).collect();
    assert_eq!(detailed.len(), 50);
    assert!(detailed.iter().all(|frame| frame.in_app == Some(true)));
    assert_eq!(detailed[49].function.as_deref(), Some("f998"));
}

#[test]
fn a_frames_fields() {
    let event = event(json!({"stacktrace": {"frames": [
        {"function": "f", "lineno": 0, "colno": "7", "in_app": 1, "pre_context": [null, "a", 5], "context_line": "",
         "post_context": null, "vars": ["x", {"y": 1}], "instruction_addr": "0x1", "data": null},
        {"lineno": -4, "vars": "text", "in_app": "maybe"},
        null,
    ], "registers": {"rip": "0x1"}, "frames_omitted": [1, 4], "lang": null}}));
    let trace = event.threads[0].stacktrace.as_ref().unwrap();
    let frame = &trace.frames[0];
    assert_eq!((frame.lineno, frame.colno, frame.in_app), (None, Some(7), Some(true)));
    assert_eq!(frame.pre_context, ["", "a", "5"]);
    assert_eq!(frame.context_line.as_deref(), Some(""));
    assert_eq!(Value::Object(frame.vars.clone()), json!({"0": "x", "1": {"y": 1}}));
    assert_eq!(Value::Object(frame.other.clone()), json!({"instruction_addr": "0x1"}));
    assert_eq!(trace.frames.len(), 2);
    assert_eq!((trace.frames_omitted, trace.other["registers"]["rip"].as_str()), (Some(3), Some("0x1")));
    assert_eq!(event.errors.len(), 3, "{:?}", event.errors);
}

#[test]
fn what_is_long_is_cut() {
    let long = "é".repeat(20_000);
    let event = event(json!({
        "message": long, "logger": long, "transaction": long, "tags": {"t": long},
        "exception": [{"type": long, "value": long, "stacktrace": {"frames": [{"function": long, "filename": long, "vars": {"v": long}}]}}],
        "breadcrumbs": [{"message": long, "data": {"d": long}}],
        "request": {"url": long, "data": long, "headers": {"h": long}, "cookies": {"c": long}, "query_string": {"q": long}},
    }));
    let chars = |text: &str| text.chars().count();
    let (exception, request) = (&event.exceptions[0], event.request.as_ref().unwrap());
    let frame = &exception.stacktrace.as_ref().unwrap().frames[0];
    assert_eq!(chars(event.message.as_ref().unwrap().text()), 8192);
    assert_eq!(chars(exception.value.as_deref().unwrap()), 8192);
    assert_eq!(chars(exception.kind.as_deref().unwrap()), 256);
    assert_eq!(
        (chars(frame.function.as_deref().unwrap()), chars(frame.filename.as_deref().unwrap())),
        (512, 256)
    );
    assert!(frame.vars["v"].as_str().unwrap().len() <= 2048);
    assert_eq!(
        (chars(event.logger.as_deref().unwrap()), chars(event.transaction.as_deref().unwrap())),
        (64, 200)
    );
    assert_eq!(chars(&event.tags["t"]), 200);
    assert_eq!(chars(event.breadcrumbs[0].message.as_deref().unwrap()), 8192);
    assert!(request.data.as_ref().unwrap().as_str().unwrap().len() <= 8192);
    assert!(exception.value.as_deref().unwrap().ends_with('…'));
}

#[test]
fn a_large_extra_is_cut() {
    let extra: Map<String, Value> =
        (0..200).map(|n| (format!("key{n:03}"), json!("x".repeat(4000)))).collect();
    let event = event(json!({"extra": extra}));
    assert!(serde_json::to_string(&event.extra).unwrap().len() <= 256 * 1024);
    assert_eq!(event.errors, ["extra: cut to 262144 bytes, 7 levels"]);
}

#[test]
fn breadcrumbs_fields() {
    let event = event(json!({"breadcrumbs": [
        {"timestamp": 1_795_197_000.5, "type": "http", "category": "xhr", "level": "log", "message": {"a": 1}, "data": {"x": 1}},
        {"timestamp": "never", "level": "loud", "data": "text"},
        7,
    ]}));
    let [first, second] = event.breadcrumbs.as_slice() else { panic!("{:?}", event.breadcrumbs) };
    assert_eq!((first.level, first.message.as_deref()), (Some(Level::Info), Some("{\"a\":1}")));
    assert_eq!((second.timestamp, second.level, &second.data["value"]), (None, None, &json!("text")));
    assert_eq!(event.errors.len(), 3, "{:?}", event.errors);
    let many: Value = (0..500).map(|n| json!({"message": n})).collect();
    let many = self::event(json!({"breadcrumbs": many}));
    assert_eq!((many.breadcrumbs.len(), many.breadcrumbs[199].message.as_deref()), (200, Some("499")));
}

#[test]
fn tags_in_every_form() {
    let expected = [("a-b", "1"), ("f", "False"), ("n", "1.5"), ("t", "True"), ("x", "two lines")];
    for tags in [
        json!({"a b": 1, "f": false, "t": true, "n": 1.5, "x": " two\nlines ", "null": null, "bad!": 1, "release": "r", "o": {}}),
        json!([
            ["a b", 1],
            ["f", false],
            ["t", true],
            ["n", 1.5],
            ["x", "two\nlines"],
            null,
            ["null", null],
            7,
            ["o", []]
        ]),
    ] {
        let event = event(json!({"tags": tags}));
        let found: Vec<(&str, &str)> =
            event.tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(found, expected, "{tags}");
        assert!(!event.errors.is_empty());
    }
    let moved = event(json!({"tags": {"environment": "staging"}}));
    assert_eq!((moved.environment.as_deref(), moved.tags.len()), (Some("staging"), 0));
}

#[test]
fn a_million_tags_are_bounded() {
    let tags: Vec<String> = (0..60_000).map(|n| format!("\"t{n}\":{n}")).collect();
    let event = normalise(&item(format!("{{\"tags\":{{{}}}}}", tags.join(",")).as_bytes())).unwrap();
    assert_eq!(event.tags.len(), 200);
    assert_eq!(event.errors, ["tags: more than 200: the rest dropped"]);
}

#[test]
fn requests_in_every_form() {
    let pairs = |list: &[(&str, &str)]| -> Vec<(String, String)> {
        list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    for (request, query, headers, cookies) in [
        (
            json!({"url": "https://x/y?a=1&b=%C3%A9#frag", "headers": {"Host": "x", "Cookie": "c=1; d=2"}}),
            pairs(&[("a", "1"), ("b", "é")]),
            pairs(&[("Host", "x")]),
            pairs(&[("c", "1"), ("d", "2")]),
        ),
        (
            json!({"query_string": "?a=1", "headers": [["Host", "x"], ["Accept", ["a", "b"]]], "cookies": "c=1"}),
            pairs(&[("a", "1")]),
            pairs(&[("Host", "x"), ("Accept", "a"), ("Accept", "b")]),
            pairs(&[("c", "1")]),
        ),
        (
            json!({"query_string": {"a": ["1", "2"], "n": null}, "headers": {"X": 5}, "cookies": {"c": true}}),
            pairs(&[("a", "1"), ("a", "2")]),
            pairs(&[("X", "5")]),
            pairs(&[("c", "true")]),
        ),
        (
            json!({"query_string": [["a", "1"], ["a", 2]], "cookies": [["c", "1"]], "headers": [{"X": "y"}]}),
            pairs(&[("a", "1"), ("a", "2")]),
            pairs(&[("X", "y")]),
            pairs(&[("c", "1")]),
        ),
    ] {
        let found = event(json!({"request": request})).request.unwrap();
        assert_eq!((found.query, found.headers, found.cookies), (query, headers, cookies), "{request}");
    }
}

#[test]
fn a_requests_other_fields() {
    let payload = json!({"url": "https://x/y#f", "method": "post", "data": "{\"a\": [1]}", "env": {"REMOTE_ADDR": "198.51.100.7", "n": null},
        "body_size": 5, "inferred_content_type": null});
    let event = event(json!({"request": payload}));
    let request = event.request.unwrap();
    assert_eq!((request.url.as_deref(), request.fragment.as_deref()), (Some("https://x/y"), Some("f")));
    assert_eq!((request.method.as_deref(), &request.data), (Some("POST"), &Some(json!({"a": [1]}))));
    assert_eq!(Value::Object(request.other), json!({"body_size": 5}));
    assert_eq!(event.user.unwrap().ip_address.as_deref(), Some("198.51.100.7"));
    let bad = self::event(json!({"request": {"method": "G E T", "data": "{broken"}}));
    assert_eq!(bad.request.unwrap().data, Some(json!("{broken")));
    assert_eq!(bad.errors, ["request.method: not a method's name: dropped"]);
}

#[test]
fn users() {
    let event = event(
        json!({"user": {"id": 7, "email": null, "username": "ada", "name": "Ada", "geo": {"city": "Bonn"},
        "data": {"plan": "pro", "n": null}, "segment": null}}),
    );
    let user = event.user.unwrap();
    assert_eq!((user.id.as_deref(), user.email, user.username.as_deref()), (Some("7"), None, Some("ada")));
    assert_eq!(Value::Object(user.data), json!({"geo": {"city": "Bonn"}, "plan": "pro"}));
    assert_eq!(self::event(json!({"user": {"id": null, "email": ""}})).user, None);
}

#[test]
fn addresses_are_inferred() {
    let (auto, env) = (json!({"ip_address": "{{auto}}"}), json!({"env": {"REMOTE_ADDR": "198.51.100.7"}}));
    let infer = |how: &str| json!({"settings": {"infer_ip": how}});
    for (payload, expected) in [
        (json!({"user": auto}), Some("203.0.113.9")),
        (json!({"user": auto, "sdk": infer("never")}), None),
        (json!({"user": auto, "request": env}), Some("203.0.113.9")),
        (json!({"request": env}), Some("198.51.100.7")),
        (json!({"request": env, "sdk": infer("never")}), None),
        (json!({"request": {"env": {"REMOTE_ADDR": "{{auto}}"}}}), Some("203.0.113.9")),
        (json!({"platform": "python"}), None),
        (json!({"platform": "javascript"}), Some("203.0.113.9")),
        (json!({"platform": "javascript", "sdk": infer("never")}), None),
        (json!({"platform": "python", "sdk": infer("auto")}), Some("203.0.113.9")),
        (json!({"user": {"ip_address": "2001:db8::1"}}), Some("2001:db8::1")),
        (json!({"user": {"ip_address": "nonsense"}}), None),
    ] {
        let found = event(payload.clone()).user.and_then(|user| user.ip_address);
        assert_eq!(found.as_deref(), expected, "{payload}");
    }
    let mut unknown = item(br#"{"user":{"ip_address":"{{auto}}"}}"#);
    unknown.remote_addr = None;
    assert_eq!(normalise(&unknown).unwrap().user, None);
}

#[test]
fn contexts_of_any_shape() {
    let deep = json!({"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": 1}}}}}}}});
    let event = event(
        json!({"contexts": {"os": {"name": "Linux \n"}, "odd": [1], "none": null, "text": "x", "deep": deep}}),
    );
    assert_eq!(event.contexts["os"]["name"], "Linux");
    assert_eq!((&event.contexts["odd"], &event.contexts["text"]), (&json!([1]), &json!("x")));
    assert!(!event.contexts.contains_key("none"));
    assert!(event.contexts["deep"].to_string().contains("[trimmed]"));
    let large = self::event(
        json!({"contexts": {"a": {"x": "x".repeat(100_000)}, "trace": {"trace_id": "4c79f60c11214eb38604f4ae0781bfb2"}}}),
    );
    assert!(large.contexts["a"].to_string().len() < 40_000);
    assert!(large.trace_id.is_some());
}

#[test]
fn the_sdk_and_its_settings() {
    let sdk = event(json!({"sdk": {"name": "sentry.python", "version": "2.75.0", "integrations": ["django"], "packages": null}})).sdk.unwrap();
    assert_eq!((sdk.name.as_deref(), sdk.version.as_deref()), (Some("sentry.python"), Some("2.75.0")));
    assert_eq!(Value::Object(sdk.other), json!({"integrations": ["django"]}));
}
