//! What ingest serves, described by hand: it answers in its clients' forms and not by this API's types. Ingest's tests hold this against its
//! table of paths and against what it answers, so that neither has something that the other has not.

mod operations;
mod shapes;

use serde_json::{Map, Value, json};

/// The tag of all of it.
pub(super) const TAG: (&str, &str) = (
    "ingest",
    "What apps send: Sentry's protocol for their SDKs, JSON for apps without one. A project's public key is sent along, which is no secret. \
     2xx means that it is kept durably, and is answered with the database and the broker away. Bodies may have the Content-Encoding \
     gzip, deflate, br or zstd, two chained at most; limits hold for the bytes as sent and inflated (x-max-bytes). A body has to come \
     within 60 seconds, and after 5 seconds at 1 KiB a second on average. Every answer may be read by pages of any origin.",
);

/// Who sends, and how refusals are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    /// Sentry's: `{"detail"}`, and the key as their SDKs send it.
    Sentry,
    /// The same, with the key in the path.
    SentryKeyInPath,
    /// The same, with the key in the envelope.
    Tunnel,
    /// Problems, and the key in any form.
    Problems,
    /// For everybody.
    Open,
}

/// An operation.
struct Operation {
    method: &'static str,
    path: &'static str,
    id: &'static str,
    says: &'static str,
    about: &'static str,
    dialect: Dialect,
    /// The types that a body may have, the schema of it, and the most bytes.
    body: Option<(&'static [&'static str], Value, u64)>,
    /// Statuses beyond those of refusals.
    answers: Vec<(u16, Value)>,
    /// What its refusals are, beyond those that every operation with a key has.
    refusals: &'static [u16],
}

/// Adds the operations, and what they refer to.
pub(super) fn add(paths: &mut Map<String, Value>, components: &mut Value) {
    for operation in operations::all() {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert(operation.method.to_owned(), described(&operation));
        }
    }
    let new = [
        ("schemas", shapes::schemas()),
        ("responses", shapes::responses()),
        ("securitySchemes", shapes::keys()),
    ];
    for (group, all) in new {
        if let (Some(known), Value::Object(new)) =
            (components.get_mut(group).and_then(Value::as_object_mut), all)
        {
            known.extend(new);
        }
    }
}

fn described(operation: &Operation) -> Value {
    let Operation { id, says, about, dialect, .. } = operation;
    let mut described = json!({
        "operationId": id,
        "summary": says,
        "description": about,
        "tags": [TAG.0],
        "security": security(*dialect),
        "responses": answers(operation),
    });
    let Some(fields) = described.as_object_mut() else { return described };
    let parameters = parameters(operation.path);
    if !parameters.is_empty() {
        fields.insert("parameters".to_owned(), parameters.into());
    }
    if let Some((types, schema, most)) = &operation.body {
        let content: Map<String, Value> =
            types.iter().map(|name| ((*name).to_owned(), json!({ "schema": schema }))).collect();
        let body = json!({ "required": true, "content": content, "x-max-bytes": most });
        fields.insert("requestBody".to_owned(), body);
    }
    described
}

fn answers(operation: &Operation) -> Map<String, Value> {
    let mut all: Map<String, Value> =
        operation.answers.iter().map(|(status, answer)| (status.to_string(), answer.clone())).collect();
    let of_keys: &[u16] = match operation.dialect {
        Dialect::Open => return all,
        Dialect::Problems => &[401, 429, 503],
        Dialect::Sentry | Dialect::SentryKeyInPath | Dialect::Tunnel => &[400, 401, 403, 429, 503],
    };
    for status in of_keys.iter().chain(operation.refusals) {
        let name = match (status, operation.dialect) {
            (429, _) => "QuotaUsedUp".to_owned(),
            (_, Dialect::Problems) => format!("Problem{status}"),
            (503, _) => "SentryUnavailable".to_owned(),
            _ => "SentryRefusal".to_owned(),
        };
        let answer = json!({ "$ref": format!("#/components/responses/{name}") });
        all.entry(status.to_string()).or_insert(answer);
    }
    all
}

fn parameters(path: &str) -> Vec<Value> {
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let described = names.map(|name| {
        let (about, schema) = match name {
            "project" => {
                ("The project's id, as in the DSN.", json!({ "type": "string", "pattern": "^[0-9]+$" }))
            }
            "source" => {
                let sources: Vec<_> = shapes::WEBHOOKS.iter().map(|(source, ..)| source).collect();
                ("What sends.", json!({ "type": "string", "enum": sources }))
            }
            "signal" => {
                ("What is exported.", json!({ "type": "string", "enum": ["traces", "logs", "metrics"] }))
            }
            "key" => ("The project's public key.", json!({ "type": "string" })),
            _ => ("The cron job's name.", json!({ "type": "string" })),
        };
        json!({ "name": name, "in": "path", "required": true, "description": about, "schema": schema })
    });
    described.collect()
}

fn security(dialect: Dialect) -> Value {
    match dialect {
        Dialect::Sentry => json!([{ "sentry_auth": [] }, { "sentry_key": [] }]),
        Dialect::Tunnel | Dialect::SentryKeyInPath | Dialect::Open => json!([]),
        Dialect::Problems => json!([
            { "project_key": [] }, { "project_key_header": [] }, { "project_key_query": [] }, { "sentry_auth": [] },
            { "sentry_key": [] },
        ]),
    }
}
