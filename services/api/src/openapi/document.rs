//! The OpenAPI document, made of the table of access and of the types of the handlers.

use super::schemas::{Schemas, refer};
use super::tags::{TAGS, tag};
use super::{ingest, problems};
use crate::access::{COOKIE, Declared, Need};
use bugle_model::TokenScope;
use serde_json::{Map, Value, json};

const ABOUT: &str = "\
Everything that the dashboard does goes through this API. Programs send a bearer token; people sign in, which sets a \
cookie, and send the header `X-CSRF-Token` with whatever changes something. Errors are `application/problem+json`, lists \
are pages of `items` with the cursor of the `next` one. Unknown fields are refused, other than by the older contract below \
`/api/error-logging/`. What apps send is under `ingest`, with its own rules.";

/// The document of these endpoints.
pub(crate) fn document(endpoints: &[Declared]) -> Value {
    let mut schemas = Schemas::new();
    let mut paths: Map<String, Value> = Map::new();
    for declared in endpoints {
        let operation = operation(declared, &mut schemas);
        let path = paths.entry(declared.path).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert(declared.method.as_str().to_lowercase(), operation);
        }
    }
    let used: Vec<_> = endpoints.iter().map(|declared| tag(declared.path)).collect();
    let tags: Vec<_> = TAGS
        .iter()
        .filter(|(name, _)| used.contains(name))
        .chain([&ingest::TAG])
        .map(|(name, about)| json!({ "name": name, "description": about }))
        .collect();
    let responses = problems::shared(&mut schemas.written);
    let mut components = json!({
        "schemas": schemas.finish(),
        "responses": responses,
        "securitySchemes": security_schemes(),
    });
    ingest::add(&mut paths, &mut components);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Bugle",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/", "description": "This installation." }],
        "tags": tags,
        "paths": paths,
        "components": components,
    })
}

fn security_schemes() -> Value {
    json!({
        "token": { "type": "http", "scheme": "bearer", "description": "A token of `POST /api/v1/tokens`." },
        "session": {
            "type": "apiKey", "in": "cookie", "name": COOKIE,
            "description": "The session that signing in begins.",
        },
        "csrf": {
            "type": "apiKey", "in": "header", "name": "X-CSRF-Token",
            "description": "The `csrf` of `GET /api/v1/session`, next to the cookie.",
        },
    })
}

fn operation(declared: &Declared, schemas: &mut Schemas) -> Value {
    let body = (declared.body)(&mut schemas.read);
    let gift = (declared.gift)(&mut schemas.written);
    let has_body = body.is_some();
    let mut responses = Map::new();
    let mut answer = json!({ "description": success(gift.status) });
    if !gift.types.is_empty() {
        let schema = gift.schema.map_or_else(|| json!({}), Value::from);
        let media = |name: &&str| ((*name).to_owned(), json!({ "schema": schema }));
        let content: Map<String, Value> = gift.types.iter().map(media).collect();
        if let Some(answer) = answer.as_object_mut() {
            answer.insert("content".to_owned(), content.into());
        }
    }
    responses.insert(gift.status.to_string(), answer);
    for status in problems::statuses(declared, has_body) {
        responses.insert(status.to_string(), problems::refer(status));
    }
    for status in gift.pages {
        // What a JSON error of another's contract is, its endpoint's sentence says.
        let media =
            |name: &&str| if *name == "application/json" { json!({ "schema": {} }) } else { json!({}) };
        let content: Map<String, Value> =
            gift.types.iter().map(|name| ((*name).to_owned(), media(name))).collect();
        let answer =
            json!({ "description": "What is wrong, in the form of the answer.", "content": content });
        responses.insert(status.to_string(), with_problem(answer, responses.get(&status.to_string())));
    }
    let mut operation = json!({
        "operationId": declared.id,
        "summary": declared.says,
        "description": needs(declared.need),
        "tags": [tag(declared.path)],
        "security": security(declared),
        "responses": responses,
    });
    let Some(fields) = operation.as_object_mut() else { return operation };
    let parameters = parameters(declared, schemas);
    if !parameters.is_empty() {
        fields.insert("parameters".to_owned(), parameters.into());
    }
    if let Some(body) = body {
        let name = format!("{}Body", type_name(declared.id));
        schemas.read.definitions_mut().insert(name.clone(), body.into());
        let content = json!({ "application/json": { "schema": refer(&name) } });
        fields.insert("requestBody".to_owned(), json!({ "required": true, "content": content }));
    }
    operation
}

/// What stands before the handler answers with a problem all the same.
fn with_problem(mut answer: Value, problem: Option<&Value>) -> Value {
    let content = answer.get_mut("content").and_then(Value::as_object_mut);
    if let (Some(_), Some(content)) = (problem, content) {
        content.insert("application/problem+json".to_owned(), json!({ "schema": refer("Problem") }));
    }
    answer
}

fn parameters(declared: &Declared, schemas: &mut Schemas) -> Vec<Value> {
    let places = declared.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let in_path = places.map(|name| {
        let about = match name {
            "project" => "The project's id or name.",
            "event_id" => "The event's id: 32 hex digits, with or without dashes.",
            "token" => "The secret of a link.",
            "key" => "The key of an alert source.",
            "id" if declared.path.contains("/issues/") => "The issue's id, or its short id such as SHOP-42.",
            "id" if declared.path.contains("/errors/") => "The issue's id, or the id of one of its events.",
            _ => "Its id.",
        };
        json!({
            "name": name, "in": "path", "required": true, "description": about,
            "schema": { "type": "string", "minLength": 1 },
        })
    });
    let mut all: Vec<Value> = in_path.collect();
    all.extend(declared.query.iter().map(|parameter| {
        let schema = Value::from((parameter.schema)(&mut schemas.read));
        json!({
            "name": parameter.name, "in": "query", "required": parameter.required,
            "description": parameter.says, "schema": schema,
        })
    }));
    all
}

const fn success(status: u16) -> &'static str {
    match status {
        101 => "The connection becomes another.",
        201 => "Made.",
        202 => "Under way.",
        204 => "Done.",
        300..400 => "It is elsewhere.",
        _ => "As asked for.",
    }
}

fn security(declared: &Declared) -> Value {
    let session = if declared.method.is_safe() {
        json!({ "session": [] })
    } else {
        json!({ "session": [], "csrf": [] })
    };
    match declared.need {
        Need::Nothing => json!([]),
        Need::Person => json!([session]),
        Need::Role(_) | Need::PersonWithRole(_) | Need::Admin => json!([{ "token": [] }, session]),
    }
}

fn needs(need: Need) -> String {
    let scope = |role| {
        let scopes = [TokenScope::Read, TokenScope::Triage, TokenScope::Write];
        scopes.into_iter().find(|scope| scope.role() == role).unwrap_or(TokenScope::Admin)
    };
    match need {
        Need::Nothing => "For everybody.".to_owned(),
        Need::Person => "For people who are signed in.".to_owned(),
        Need::Role(role) => {
            format!("For the role {role} in the team, and tokens with the scope {}.", scope(role))
        }
        Need::PersonWithRole(role) => {
            format!("For people with the role {role} in the team, and tokens with the scope admin.")
        }
        Need::Admin => "For admins of the installation, and tokens with the scope admin.".to_owned(),
    }
}

/// `create_team` as the name of a type.
fn type_name(id: &str) -> String {
    let mut name = String::new();
    for word in id.split('_') {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}
