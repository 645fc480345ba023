//! What operations share: schemas, answers, forms of the key.

use super::super::schemas::refer;
use serde_json::{Value, json};

/// The sources of webhooks, the schema of each, and its text.
pub(super) const WEBHOOKS: [(&str, &str, &str); 5] = [
    ("laravel", "WebhookLaravel", include_str!("../../../../../docs/schemas/webhook-laravel.json")),
    ("java", "WebhookJava", include_str!("../../../../../docs/schemas/webhook-java.json")),
    ("frontend", "WebhookFrontend", include_str!("../../../../../docs/schemas/webhook-frontend.json")),
    ("mobile", "WebhookMobile", include_str!("../../../../../docs/schemas/webhook-mobile.json")),
    ("generic", "WebhookGeneric", include_str!("../../../../../docs/schemas/webhook-generic.json")),
];
const FRONTEND_LOG: &str = include_str!("../../../../../docs/schemas/frontend-log.json");

pub(super) fn keys() -> Value {
    json!({
        "sentry_auth": {
            "type": "apiKey", "in": "header", "name": "X-Sentry-Auth",
            "description": "As SDKs send it: `Sentry sentry_version=7, sentry_key=<the project's public key>`. `Authorization` does as well.",
        },
        "sentry_key": {
            "type": "apiKey", "in": "query", "name": "sentry_key", "description": "The project's public key.",
        },
        "project_key": { "type": "http", "scheme": "bearer", "description": "The project's public key." },
        "project_key_header": {
            "type": "apiKey", "in": "header", "name": "X-Bugle-Key",
            "description": "The project's public key; `X-Api-Key` does as well.",
        },
        "project_key_query": {
            "type": "apiKey", "in": "query", "name": "key", "description": "The project's public key.",
        },
    })
}

pub(super) fn responses() -> Value {
    let seconds =
        |about: &str| json!({ "description": about, "schema": { "type": "integer", "minimum": 1 } });
    let text = |about: &str| json!({ "description": about, "schema": { "type": "string" } });
    let refusal = json!({ "application/json": { "schema": refer("SentryRefusal") } });
    let error = text("The `detail`, for SDKs that log it.");
    json!({
        "SentryRefusal": {
            "description": "Why it is not taken.", "headers": { "X-Sentry-Error": error }, "content": refusal,
        },
        "SentryUnavailable": {
            "description": "It cannot be kept now.",
            "headers": { "X-Sentry-Error": error, "Retry-After": seconds("Seconds to wait.") },
            "content": refusal,
        },
        "QuotaUsedUp": {
            "description": "A quota of the key, the project or the address is used up. The body is empty.",
            "headers": {
                "Retry-After": seconds("Seconds until more is taken."),
                "X-Sentry-Rate-Limits": text("The same as SDKs read it: `60:default;error;security;attachment;feedback:key:quota`."),
            },
        },
    })
}

pub(super) fn schemas() -> Value {
    let uuid = json!({ "type": "string", "format": "uuid" });
    let count = json!({ "type": "integer", "minimum": 0 });
    let mut all = json!({
        "SentEvent": {
            "type": "object", "description": "The event's id; nothing when there was none.",
            "properties": { "id": { "type": "string", "pattern": "^[0-9a-f]{32}$" } },
        },
        "SentryRefusal": {
            "type": "object", "required": ["detail"],
            "properties": { "detail": { "type": "string" }, "causes": { "type": "array", "items": { "type": "string" } } },
        },
        "CapturedError": { "type": "object", "required": ["id"], "properties": { "id": uuid } },
        "FrontendLogAnswer": {
            "type": "object", "required": ["accepted", "rejected", "items"],
            "properties": {
                "accepted": count, "rejected": count, "id": uuid,
                "items": { "type": "array", "items": {
                    "type": "object", "required": ["index", "status"],
                    "properties": {
                        "index": count,
                        "status": { "type": "string", "enum": ["accepted", "invalid", "rate_limited"] },
                        "id": uuid,
                        "errors": { "type": "array", "items": refer("FieldError") },
                        "retry_after": { "type": "integer", "description": "Seconds." },
                    },
                } },
            },
        },
        "CaptureHealth": {
            "type": "object", "required": ["status", "healthy", "message"],
            "properties": {
                "status": { "type": "string" }, "healthy": { "type": "boolean" }, "message": { "type": "string" },
            },
        },
    });
    let Some(fields) = all.as_object_mut() else { return all };
    for (_, name, text) in WEBHOOKS {
        fields.insert(name.to_owned(), kept(text));
    }
    let mut log = kept(&FRONTEND_LOG.replace("#/$defs/error", "#/components/schemas/FrontendError"));
    let shared = log.as_object_mut().and_then(|log| log.remove("$defs"));
    let error = shared.and_then(|mut shared| shared.get_mut("error").map(Value::take));
    fields.insert("FrontendError".to_owned(), error.unwrap_or_default());
    fields.insert("FrontendLog".to_owned(), log);
    all
}

/// A schema that is kept as a file of its own.
fn kept(text: &str) -> Value {
    let mut schema: Value = serde_json::from_str(text).unwrap_or_default();
    if let Some(fields) = schema.as_object_mut() {
        fields.remove("$schema");
    }
    schema
}
