//! Records as common loggers write them, sent to a webhook unchanged.

#![cfg(test)]

use crate::webhooks::event;
use bugle_model::{Event, Exception, Frame, ItemKind, Level};
use bugle_protocol::webhook;
use serde_json::{Value, json};

const JAVA: &str = "java.lang.IllegalStateException: order 5\n\
    \tat com.shop.pay.Pay.charge(Pay.java:42)\n\
    \tat com.shop.web.Controller.pay(Controller.java:17)\n\
    Caused by: java.sql.SQLException: gone\n\
    \tat com.shop.db.Repo.save(Repo.java:9)\n\
    \t... 2 more\n";

fn read(kind: ItemKind, body: &Value) -> Event {
    let body = body.to_string();
    assert_eq!(webhook::validate(kind, body.as_bytes()), Ok(()), "{body}");
    event(kind, body.as_bytes())
}

fn message(event: &Event) -> Option<&str> {
    event.message.as_ref().map(|message| message.text())
}

/// Type and value of each exception, the outermost first.
fn chain(event: &Event) -> Vec<(Option<&str>, Option<&str>)> {
    event.exceptions.iter().rev().map(|e| (e.kind.as_deref(), e.value.as_deref())).collect()
}

fn crash(exception: &Exception) -> &Frame {
    exception.stacktrace.as_ref().unwrap().frames.last().unwrap()
}

#[test]
fn monolog_keeps_the_exception_in_its_context() {
    let event = read(
        ItemKind::WebhookLaravel,
        &json!({
            "message": "Payment failed for order 17",
            "context": {
                "exception": {
                    "class": "RuntimeException", "message": "oops", "code": 0,
                    "file": "/var/www/app/Pay.php:33",
                    "trace": ["/var/www/app/Cart.php:12", "/var/www/vendor/a/B.php:99"],
                    "previous": {"class": "PDOException", "message": "gone", "file": "/var/www/app/Db.php:9"}
                },
                "userId": 12
            },
            "level": 400, "level_name": "ERROR", "channel": "production",
            "datetime": "2026-11-20T18:01:00.123456+00:00", "extra": []
        }),
    );
    assert_eq!(
        chain(&event),
        [(Some("RuntimeException"), Some("oops")), (Some("PDOException"), Some("gone"))]
    );
    assert_eq!(message(&event), Some("Payment failed for order 17"));
    assert_eq!(event.level, Level::Error);
    let previous = crash(&event.exceptions[0]);
    assert_eq!((previous.filename.as_deref(), previous.lineno), (Some("/var/www/app/Db.php"), Some(9)));
    let frames = &event.exceptions[1].stacktrace.as_ref().unwrap().frames;
    let places: Vec<_> = frames.iter().map(|f| (f.filename.as_deref().unwrap(), f.lineno.unwrap())).collect();
    assert_eq!(
        places,
        [("/var/www/vendor/a/B.php", 99), ("/var/www/app/Cart.php", 12), ("/var/www/app/Pay.php", 33)]
    );
}

#[test]
fn monolog_formats_the_exception_as_a_text() {
    let event = read(
        ItemKind::WebhookLaravel,
        &json!({
            "message": "boom", "level": 500, "level_name": "CRITICAL", "channel": "local",
            "context": {"exception": "[object] (RuntimeException(code: 0): boom at /srv/app/Pay.php:33)\n[stacktrace]\n#0 /srv/app/Cart.php(12): App\\Pay->charge()\n#1 {main}\n"},
            "datetime": {"date": "2026-11-20 18:01:00.000000", "timezone_type": 3, "timezone": "UTC"}
        }),
    );
    assert_eq!(chain(&event), [(Some("RuntimeException"), Some("boom"))]);
    assert_eq!(event.timestamp.to_rfc3339(), "2026-11-20T18:01:00+00:00");
    assert_eq!(event.level, Level::Fatal);
}

#[test]
fn log4j_writes_its_own_objects() {
    let event = read(
        ItemKind::WebhookJava,
        &json!({
            "instant": {"epochSecond": 1_795_197_660, "nanoOfSecond": 5_000_000},
            "thread": "main", "level": "ERROR", "loggerName": "com.shop.Pay", "message": "could not pay",
            "thrown": {
                "commonElementCount": 0, "localizedMessage": "order 5", "message": "order 5",
                "name": "java.lang.IllegalStateException",
                "cause": {
                    "commonElementCount": 3, "message": "gone", "name": "java.sql.SQLException",
                    "extendedStackTrace": [{"class": "com.shop.Repo", "method": "save", "file": "Repo.java", "line": 9}]
                },
                "extendedStackTrace": [
                    {"class": "com.shop.Pay", "method": "charge", "file": "Pay.java", "line": 42, "exact": true},
                    {"class": "java.lang.Thread", "method": "run", "file": "Thread.java", "line": 833}
                ]
            },
            "endOfBatch": false, "contextMap": {"userId": "7"}
        }),
    );
    assert_eq!(
        chain(&event),
        [(Some("IllegalStateException"), Some("order 5")), (Some("SQLException"), Some("gone"))]
    );
    assert_eq!(message(&event), Some("could not pay"));
    assert_eq!(event.timestamp.to_rfc3339(), "2026-11-20T18:01:00.005+00:00");
    let frame = crash(&event.exceptions[1]);
    assert_eq!((frame.module.as_deref(), frame.lineno), (Some("com.shop.Pay"), Some(42)));
    assert_eq!(crash(&event.exceptions[0]).function.as_deref(), Some("save"));
}

#[test]
fn what_was_logged_is_not_what_was_thrown() {
    let event = read(
        ItemKind::WebhookJava,
        &json!({"message": "could not pay", "level": "ERROR", "logger_name": "com.shop.Pay", "stack_trace": JAVA}),
    );
    assert_eq!(
        chain(&event),
        [(Some("IllegalStateException"), Some("order 5")), (Some("SQLException"), Some("gone"))]
    );
    assert_eq!(message(&event), Some("could not pay"));
}

#[test]
fn the_elastic_common_schema() {
    let dotted = json!({
        "@timestamp": "2026-11-20T18:01:00.123Z", "ecs.version": "1.2.0", "log.level": "ERROR",
        "log.logger": "com.shop.Pay", "message": "could not pay",
        "error.type": "java.lang.IllegalStateException", "error.message": "order 5", "error.stack_trace": JAVA,
        "service.name": "shop", "service.version": "1.2", "service.environment": "staging"
    });
    let nested = json!({
        "@timestamp": "2026-11-20T18:01:00.123Z", "ecs": {"version": "1.2.0"}, "message": "could not pay",
        "log": {"level": "ERROR", "logger": "com.shop.Pay"},
        "error": {"type": "java.lang.IllegalStateException", "message": "order 5", "stack_trace": JAVA},
        "service": {"name": "shop", "version": "1.2", "environment": "staging"},
        "trace": {"id": "0af7651916cd43dd8448eb211c80319c"}
    });
    for body in [dotted, nested] {
        let event = read(ItemKind::WebhookJava, &body);
        assert_eq!(
            chain(&event),
            [(Some("IllegalStateException"), Some("order 5")), (Some("SQLException"), Some("gone"))],
            "{body}"
        );
        assert_eq!(message(&event), Some("could not pay"));
        assert_eq!(event.logger.as_deref(), Some("com.shop.Pay"));
        assert_eq!(event.tags["service"], "shop");
        assert_eq!((event.release.as_deref(), event.environment.as_deref()), (Some("1.2"), Some("staging")));
        let trace = body["trace"]["id"].as_str();
        assert_eq!(event.trace_id.as_deref(), trace);
    }
}

#[test]
fn a_throwable_as_jackson_writes_it() {
    let event = read(
        ItemKind::WebhookJava,
        &json!({
            "timestamp": [2026, 11, 20, 18, 1, 0, 5_000_000],
            "exception": {
                "@class": "com.shop.PayException", "cause": null, "message": "bad", "localizedMessage": "bad",
                "stackTrace": [{"className": "com.shop.Pay", "methodName": "charge", "fileName": "Pay.java", "lineNumber": 42}]
            }
        }),
    );
    assert_eq!(chain(&event), [(Some("PayException"), Some("bad"))]);
    assert_eq!(event.timestamp.to_rfc3339(), "2026-11-20T18:01:00.005+00:00");
}

#[test]
fn flutter_error_details() {
    let event = read(
        ItemKind::WebhookMobile,
        &json!({
            "exceptionAsString": "RangeError (index): Invalid value: 5", "summary": "RangeError (index): Invalid value",
            "stackTrace": "#0      List.[] (dart:core-patch/growable_array.dart:264:36)\n#1      main (package:shop/main.dart:5:3)",
            "library": "widgets library"
        }),
    );
    let [exception] = event.exceptions.as_slice() else { panic!("{:?}", event.exceptions) };
    assert!(
        exception.value.as_deref().is_some_and(|value| value.contains("Invalid value: 5")),
        "{exception:?}"
    );
}

#[test]
fn loggers_of_node_python_go_and_dotnet() {
    let node = read(
        ItemKind::WebhookGeneric,
        &json!({
            "level": 50, "time": 1_795_197_660_000_u64, "pid": 1, "hostname": "web-1", "msg": "could not pay",
            "err": {"type": "TypeError", "message": "bad", "stack": "TypeError: bad\n    at f (/srv/app/a.js:1:2)"}
        }),
    );
    assert_eq!(chain(&node), [(Some("TypeError"), Some("bad"))]);
    assert_eq!((message(&node), node.level), (Some("could not pay"), Level::Error));

    let python = read(
        ItemKind::WebhookGeneric,
        &json!({
            "asctime": "2026-11-20 18:01:00,123", "levelname": "WARNING", "message": "could not pay",
            "exc_info": "Traceback (most recent call last):\n  File \"/srv/app/a.py\", line 3, in f\n    g(1)\nValueError: bad"
        }),
    );
    assert_eq!(chain(&python), [(Some("ValueError"), Some("bad"))]);
    assert_eq!((message(&python), python.level), (Some("could not pay"), Level::Warning));
    assert_eq!(python.timestamp.to_rfc3339(), "2026-11-20T18:01:00.123+00:00");

    let go = read(
        ItemKind::WebhookGeneric,
        &json!({
            "level": "error", "ts": 1_795_197_660.5, "msg": "could not pay", "error": "dial tcp: refused",
            "stacktrace": "shop/pay.Charge\n\t/srv/app/pay/pay.go:42\nmain.main\n\t/srv/app/main.go:10"
        }),
    );
    assert_eq!(chain(&go), [(None, Some("dial tcp: refused"))]);
    assert_eq!(message(&go), Some("could not pay"));
    let frame = crash(&go.exceptions[0]);
    assert_eq!((frame.module.as_deref(), frame.function.as_deref()), (Some("shop/pay"), Some("Charge")));

    let dotnet = read(
        ItemKind::WebhookGeneric,
        &json!({
            "@t": "2026-11-20T18:01:00.0000000Z", "@mt": "Failed {OrderId}", "@l": "Warning",
            "@x": "System.InvalidOperationException: bad\n   at Shop.Pay.Charge() in /srv/Pay.cs:line 5", "OrderId": 5
        }),
    );
    assert_eq!(dotnet.exceptions[0].value.as_deref(), Some("bad"));
    assert_eq!((message(&dotnet), dotnet.level), (Some("Failed {OrderId}"), Level::Warning));
    assert_eq!(dotnet.timestamp.to_rfc3339(), "2026-11-20T18:01:00+00:00");
}

#[test]
fn a_time_that_cannot_be_read_loses_no_event() {
    for time in
        [json!({"a": 1}), json!([1, 2]), json!(["x"]), json!({"epochSecond": "x"}), json!([0, 99, 0, 0, 0])]
    {
        let event = read(ItemKind::WebhookGeneric, &json!({"message": "m", "timestamp": time}));
        assert_eq!(event.errors.len(), 1, "{time}");
    }
}
