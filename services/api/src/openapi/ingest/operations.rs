//! Each operation.

use super::super::schemas::refer;
use super::shapes::WEBHOOKS;
use super::{Dialect, Operation};
use serde_json::{Value, json};

/// The least and most bytes of the parts, as in ingest's settings.
const EVENT: u64 = 1024 * 1024;
const ENVELOPE: u64 = 22 * EVENT;
/// What is not kept is read up to this and thrown away.
const DISCARDED: u64 = 32 * EVENT;

pub(super) fn all() -> Vec<Operation> {
    [of_envelopes(), of_events(), of_browsers(), not_kept(), of_apps_without_sdk()]
        .into_iter()
        .flatten()
        .collect()
}

const BODY_REFUSALS: &[u16] = &[400, 408, 413, 415];

fn of_envelopes() -> Vec<Operation> {
    const ABOUT: &str = "Events, attachments (20 MiB each, 30 in an envelope), feedback, user reports and client reports (100 KiB) and \
        security reports are kept; other items are accepted and counted as unsupported. Of an envelope with an item that is too large or over a \
        quota the others are kept, and the answer is about that item.";
    let envelope = |path, id, says, dialect| Operation {
        method: "post",
        path,
        id,
        says,
        about: ABOUT,
        dialect,
        body: Some((&["application/x-sentry-envelope", "text/plain"], json!({ "type": "string" }), ENVELOPE)),
        answers: vec![(200, sent())],
        refusals: BODY_REFUSALS,
    };
    vec![
        envelope("/api/{project}/envelope", "send_envelope", "Takes an envelope.", Dialect::Sentry),
        envelope(
            "/tunnel",
            "send_envelope_by_tunnel",
            "Takes an envelope whose header has the DSN.",
            Dialect::Tunnel,
        ),
    ]
}

fn of_events() -> Vec<Operation> {
    const ABOUT: &str = "For old clients. The JSON may also be in base64, deflated, or the `sentry_data` of a form; 1 MiB of JSON at most. With the \
        type of an envelope it is taken as one.";
    let types: &[&str] =
        &["application/json", "application/octet-stream", "application/x-www-form-urlencoded"];
    let event = |path, id, says| Operation {
        method: "post",
        path,
        id,
        says,
        about: ABOUT,
        dialect: Dialect::Sentry,
        body: Some((types, json!({ "type": "object", "description": "An event of Sentry's." }), 2 * EVENT)),
        answers: vec![(200, sent())],
        refusals: BODY_REFUSALS,
    };
    let pixel = |path, id, says| Operation {
        method: "get",
        about: "For browsers that can do nothing else: the event is `sentry_data` of the query, the answer a picture of one transparent pixel.",
        body: None,
        answers: vec![(
            200,
            json!({
                "description": "It is kept.", "content": { "image/gif": { "schema": { "type": "string" } } },
            }),
        )],
        refusals: &[400, 413],
        ..event(path, id, says)
    };
    vec![
        event("/api/{project}/store", "send_event", "Takes an event."),
        pixel("/api/{project}/store", "send_event_by_pixel", "Takes an event out of the query."),
        event("/api/store", "send_event_to_keys_project", "Takes an event of the key's project."),
        pixel(
            "/api/store",
            "send_event_to_keys_project_by_pixel",
            "Takes an event of the key's project out of the query.",
        ),
    ]
}

fn of_browsers() -> Vec<Operation> {
    const ABOUT: &str = "A report as a browser sends it: CSP, Expect-CT, Expect-Staple, HPKP, or a list of the Reporting API, 100 at most. \
        `sentry_environment` and `sentry_release` may be in the query.";
    let types: &[&str] = &[
        "application/csp-report",
        "application/json",
        "application/reports+json",
        "application/expect-ct-report",
        "application/expect-ct-report+json",
        "application/expect-staple-report",
    ];
    let report = |path, id| Operation {
        method: "post",
        path,
        id,
        says: "Takes a security report.",
        about: ABOUT,
        dialect: Dialect::Sentry,
        body: Some((types, json!({ "type": ["object", "array"] }), EVENT)),
        answers: vec![(200, empty("It is kept."))],
        refusals: BODY_REFUSALS,
    };
    vec![
        report("/api/{project}/security", "send_security_report"),
        report("/api/{project}/csp-report", "send_csp_report"),
    ]
}

/// What is accepted, so that clients are content, and counted as unsupported.
fn not_kept() -> Vec<Operation> {
    const ABOUT: &str = "Accepted and counted as unsupported; nothing is kept.";
    let ignored = |method, path, id, says, answers| Operation {
        method,
        path,
        id,
        says,
        about: ABOUT,
        dialect: Dialect::Sentry,
        body: Some((&["*/*"], json!({}), DISCARDED)),
        answers,
        refusals: &[400, 408, 413],
    };
    let check_in = |method, path, id, dialect| Operation {
        dialect,
        body: None,
        ..ignored(method, path, id, "Takes a check-in of a cron job.", vec![(202, empty("It is counted."))])
    };
    let export = |path, id| Operation {
        body: Some((&["application/x-protobuf", "application/json"], json!({}), DISCARDED)),
        refusals: BODY_REFUSALS,
        ..ignored(
            "post",
            path,
            id,
            "Takes an export of OTLP.",
            vec![(
                200,
                json!({
                    "description": "An empty answer in the form of the request.",
                    "content": {
                        "application/json": { "schema": { "type": "object" } },
                        "application/x-protobuf": { "schema": { "type": "string" } },
                    },
                }),
            )],
        )
    };
    let (slug, keyed) = ("/api/{project}/cron/{slug}", "/api/{project}/cron/{slug}/{key}");
    vec![
        ignored(
            "post",
            "/api/{project}/nel",
            "send_network_error_report",
            "Takes reports of network errors.",
            vec![(200, empty("They are counted."))],
        ),
        check_in("post", slug, "send_check_in", Dialect::Sentry),
        check_in("get", slug, "send_check_in_by_get", Dialect::Sentry),
        check_in("post", keyed, "send_check_in_with_key", Dialect::SentryKeyInPath),
        check_in("get", keyed, "send_check_in_with_key_by_get", Dialect::SentryKeyInPath),
        export("/api/{project}/integration/otlp/v1/{signal}", "export_otlp"),
        export("/api/{project}/otlp/v1/{signal}", "export_otlp_in_short"),
    ]
}

fn of_apps_without_sdk() -> Vec<Operation> {
    const ABOUT: &str = "One JSON object with a message or an exception; all else is optional, and names are read liberally: docs/webhooks.md.";
    let webhook = |path, id, says, schema| Operation {
        method: "post",
        path,
        id,
        says,
        about: ABOUT,
        dialect: Dialect::Problems,
        body: Some((&["application/json"], schema, EVENT)),
        answers: vec![(202, json_answer("It is kept.", &refer("CapturedError")))],
        refusals: &[400, 413, 415, 422],
    };
    let kinds: Vec<Value> = WEBHOOKS.iter().map(|(_, name, _)| refer(name)).collect();
    let items = refer("FrontendLogAnswer");
    let health = refer("CaptureHealth");
    vec![
        webhook(
            "/api/error-logging/webhook/{source}",
            "send_webhook",
            "Takes an error of an app.",
            json!({ "anyOf": kinds }),
        ),
        webhook(
            "/api/error-logging/errors",
            "send_error",
            "Takes an error of any app.",
            refer("WebhookGeneric"),
        ),
        Operation {
            about: "One error, or `errors`, of which the first 100 are taken; each is answered for itself. 1,000 at most.",
            answers: vec![
                (202, json_answer("One of them is kept at least.", &items)),
                (
                    422,
                    json!({
                        "description": "None of them can be read, or the body is none of this.",
                        "content": {
                            "application/json": { "schema": items },
                            "application/problem+json": { "schema": refer("Problem") },
                        },
                    }),
                ),
            ],
            refusals: &[400, 413, 415],
            ..webhook(
                "/api/v1/logs/frontend",
                "send_frontend_log",
                "Takes errors of a browser.",
                refer("FrontendLog"),
            )
        },
        Operation {
            method: "get",
            about: "For everybody.",
            dialect: Dialect::Open,
            body: None,
            answers: vec![(200, json_answer("It can.", &health)), (503, json_answer("It cannot.", &health))],
            refusals: &[],
            ..webhook(
                "/api/error-logging/webhook/health",
                "get_capture_health",
                "Whether an error can be accepted now.",
                json!({}),
            )
        },
    ]
}

fn sent() -> Value {
    json_answer("What is kept of it is durable.", &refer("SentEvent"))
}

fn json_answer(about: &str, schema: &Value) -> Value {
    json!({ "description": about, "content": { "application/json": { "schema": schema } } })
}

fn empty(about: &str) -> Value {
    json!({ "description": about })
}
