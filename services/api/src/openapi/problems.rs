//! Which problems an endpoint can answer with. Most follows from what it needs, takes and is declared with.

use crate::access::{Declared, Need};
use crate::requests::OURS;
use actix_web::http::Method;
use bugle_web::{Code, Problem};
use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The statuses of problems that an endpoint can answer with.
pub(super) fn statuses(declared: &Declared, has_body: bool) -> BTreeSet<u16> {
    let mut codes = vec![Code::Unavailable, Code::RateLimited];
    if !declared.method.is_safe() {
        // Of `If-Match`, for which a body is read whatever the handler does.
        codes.extend([Code::PreconditionFailed, Code::Invalid, Code::BadRequest, Code::TooLarge]);
    }
    if declared.method == Method::POST {
        // Of `Idempotency-Key`.
        codes.push(Code::Conflict);
    }
    if declared.need != Need::Nothing {
        codes.extend([Code::Unauthorized, Code::Forbidden]);
    } else if !declared.method.is_safe() {
        codes.push(Code::Csrf);
    }
    if declared.path.contains('{') {
        codes.extend([Code::NotFound, Code::Invalid]);
    }
    if has_body {
        codes.extend([Code::BadRequest, Code::TooLarge, Code::UnsupportedMediaType, Code::Invalid]);
    }
    if !declared.query.is_empty() || declared.path.starts_with(OURS) {
        // Of parameters that are wrong, or that nobody knows.
        codes.push(Code::Invalid);
    }
    codes.iter().chain(declared.problems).map(|code| code.status().as_u16()).collect()
}

/// The shared answers: one for each status that a problem can have.
pub(super) fn shared(generator: &mut SchemaGenerator) -> Map<String, Value> {
    let schema = generator.subschema_for::<Problem>();
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in Code::ALL {
        by_status.entry(code.status().as_u16()).or_default().push(code);
    }
    let answers = by_status.into_iter().map(|(status, codes)| {
        let lines: Vec<_> =
            codes.iter().map(|code| format!("`{}`: {}", code.as_str(), code.title())).collect();
        let mut answer = json!({
            "description": format!("{}.", lines.join("; ")),
            "content": { "application/problem+json": { "schema": schema } },
        });
        if let (Some(fields), 429 | 503) = (answer.as_object_mut(), status) {
            let schema = json!({ "type": "integer", "minimum": 1 });
            let headers = json!({ "Retry-After": { "description": "Seconds to wait.", "schema": schema } });
            fields.insert("headers".to_owned(), headers);
        }
        (name(status), answer)
    });
    answers.collect()
}

/// A reference to the shared answer of a status.
pub(super) fn refer(status: u16) -> Value {
    json!({ "$ref": format!("#/components/responses/{}", name(status)) })
}

fn name(status: u16) -> String {
    format!("Problem{status}")
}
