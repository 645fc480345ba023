//! The request, the answer to it, and who made it.

use super::fields::{Field, Fields};
use super::value;
use bugle_model::{Event, ItemKind, RawItem, Request, User};
use serde_json::{Map, Value, json};
use url::form_urlencoded;

/// Bytes of a request's or an answer's body.
const MAX_BODY: usize = 8 * 1024;
/// Bytes of headers, names and values together.
const MAX_HEADERS: usize = 8 * 1024;
/// Bytes of the query.
const MAX_QUERY: usize = 1024;
/// Characters of a URL.
const MAX_URL: usize = 2048;

/// What may also stand inside `request`.
const OWN: &[Field] = &[
    Field::Url,
    Field::Method,
    Field::Headers,
    Field::Query,
    Field::Cookies,
    Field::RequestBody,
    Field::Ip,
    Field::UserAgent,
    Field::Transaction,
];

pub(super) fn fill(event: &mut Event, fields: &mut Fields, kind: ItemKind, item: &RawItem, is_device: bool) {
    match fields.take(Field::Request) {
        Some(Value::Object(object)) => {
            let mut nested = Fields::read(kind, object);
            fields.fill_from(&mut nested, OWN);
        }
        Some(text) if !fields.has(Field::Url) => fields.put_value(Field::Url, text),
        _ => {}
    }
    if event.transaction.is_none() {
        event.transaction = fields.text(Field::Transaction, 200);
    }
    event.user = user(fields, item, is_device);
    let request = request(fields, item, is_device);
    event.request = (request != Request::default()).then_some(request);
    if let Some(response) = response(fields) {
        event.contexts.insert("response".to_owned(), response);
    }
}

fn request(fields: &mut Fields, item: &RawItem, is_device: bool) -> Request {
    let mut request = Request::default();
    if let Some(url) = fields.text(Field::Url, MAX_URL) {
        let (rest, fragment) = url.split_once('#').map_or((url.as_str(), None), |(rest, f)| (rest, Some(f)));
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        request.url = Some(path.to_owned());
        request.fragment = fragment.filter(|fragment| !fragment.is_empty()).map(|text| value::cut(text, 256));
        request.query = parse_query(query);
    }
    request.method = fields.text(Field::Method, 16).map(|method| method.to_ascii_uppercase());
    if let Some(query) = fields.take(Field::Query) {
        let pairs = match &query {
            Value::String(text) => parse_query(text.trim_start_matches('?')),
            other => pairs(other, MAX_QUERY),
        };
        if !pairs.is_empty() {
            request.query = pairs;
        }
    }
    request.headers =
        fields.take(Field::Headers).map(|headers| pairs(&headers, MAX_HEADERS)).unwrap_or_default();
    request.cookies = match fields.take(Field::Cookies) {
        Some(Value::String(text)) => cookies(&text),
        Some(other) => pairs(&other, 2048),
        None => Vec::new(),
    };
    request.data = fields.take(Field::RequestBody).filter(|data| !value::is_blank(data)).map(body);
    let agent = fields
        .text(Field::UserAgent, 512)
        .or_else(|| browser_as_agent(fields))
        .or_else(|| item.user_agent.clone().filter(|_| is_device));
    if let Some(agent) = agent
        && !request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("user-agent"))
    {
        request.headers.push(("User-Agent".to_owned(), agent));
    }
    request
}

/// Many clients put `navigator.userAgent` into `browser`.
fn browser_as_agent(fields: &mut Fields) -> Option<String> {
    let sent = fields.take(Field::Browser)?;
    if sent.as_str().is_some_and(|text| text.starts_with("Mozilla/")) {
        return value::text(&sent, 512);
    }
    fields.put_value(Field::Browser, sent);
    None
}

fn body(data: Value) -> Value {
    value::bounded(data, &mut { MAX_BODY })
}

fn parse_query(query: &str) -> Vec<(String, String)> {
    let query = crate::stacktrace::prefix(query, MAX_QUERY);
    form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| (name.replace('\0', ""), value.replace('\0', "")))
        .collect()
}

fn cookies(text: &str) -> Vec<(String, String)> {
    crate::stacktrace::prefix(text, 2048)
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// An object, a list of pairs, or a list of `{"name", "value"}`, within so many bytes.
fn pairs(value: &Value, limit: usize) -> Vec<(String, String)> {
    let mut budget = limit;
    let mut kept = Vec::new();
    let mut keep = |name: &str, value: &Value| {
        let text = match value {
            Value::Array(list) => {
                list.iter().filter_map(|v| value::any_text(v, limit)).collect::<Vec<_>>().join(", ")
            }
            other => value::any_text(other, limit).unwrap_or_default(),
        };
        let size = name.len() + text.len();
        if size <= budget {
            budget -= size;
            kept.push((name.to_owned(), text));
        }
    };
    match value {
        Value::Object(object) => object.iter().take(1_000).for_each(|(name, value)| keep(name, value)),
        Value::Array(list) => list.iter().take(1_000).for_each(|entry| match entry {
            Value::Array(pair) => {
                if let (Some(Value::String(name)), Some(value)) = (pair.first(), pair.get(1)) {
                    keep(name, value);
                }
            }
            Value::Object(object) => {
                let name = object.get("name").or_else(|| object.get("key")).and_then(Value::as_str);
                if let (Some(name), Some(value)) = (name, object.get("value")) {
                    keep(name, value);
                }
            }
            _ => {}
        }),
        _ => {}
    }
    kept
}

/// `contexts.response`, from an object or from single fields.
fn response(fields: &mut Fields) -> Option<Value> {
    let mut status = fields.number(Field::ResponseStatus);
    let mut text = fields.take(Field::ResponseBody);
    let mut headers = fields.take(Field::ResponseHeaders);
    match fields.take(Field::Response) {
        Some(Value::Object(mut object)) => {
            let mut first = |names: &[&str]| names.iter().find_map(|name| object.remove(*name));
            let code = first(&["status", "status_code", "statusCode", "code"]);
            status = status.or_else(|| code.and_then(|code| value::number(&code)));
            text = text.or_else(|| first(&["body", "content", "data"]));
            headers = headers.or_else(|| first(&["headers"]));
        }
        Some(other) if text.is_none() => text = Some(other),
        _ => {}
    }
    let mut response = Map::new();
    if let Some(status) = status {
        response.insert("status_code".to_owned(), json!(status));
    }
    if let Some(text) = text.filter(|text| !value::is_blank(text)) {
        response.insert("body".to_owned(), body(text));
    }
    if let Some(headers) = headers {
        let pairs =
            pairs(&headers, MAX_HEADERS).into_iter().map(|(name, value)| (name, Value::String(value)));
        response.insert("headers".to_owned(), Value::Object(pairs.collect()));
    }
    (!response.is_empty()).then_some(Value::Object(response))
}

fn user(fields: &mut Fields, item: &RawItem, is_device: bool) -> Option<User> {
    let mut user = User::default();
    match fields.take(Field::User) {
        Some(Value::Object(object)) => person(&mut user, object),
        Some(other) => user.id = value::text(&other, 128),
        None => {}
    }
    let own = |kept: &mut Option<String>, field, fields: &mut Fields| {
        let sent = fields.text(field, 256);
        if kept.is_none() {
            *kept = sent;
        }
    };
    own(&mut user.id, Field::UserId, fields);
    own(&mut user.email, Field::UserEmail, fields);
    own(&mut user.username, Field::UserName, fields);
    own(&mut user.ip_address, Field::Ip, fields);
    let is_auto = user.ip_address.as_deref().is_none_or(|address| address == "{{auto}}");
    if is_auto {
        user.ip_address = item.remote_addr.filter(|_| is_device).map(|address| address.to_string());
    }
    (user != User::default()).then_some(user)
}

fn person(user: &mut User, object: Map<String, Value>) {
    for (name, value) in object.into_iter().take(200) {
        let place = match super::fields::squash(&name).as_str() {
            "id" | "userid" | "uid" | "uuid" => &mut user.id,
            "email" | "useremail" | "mail" => &mut user.email,
            "username" | "login" => &mut user.username,
            "name" | "fullname" | "displayname" => &mut user.name,
            "ip" | "ipaddress" => &mut user.ip_address,
            _ => {
                if !value.is_null() {
                    user.data.insert(value::cut(&name, 200), value::bounded(value, &mut { 2048 }));
                }
                continue;
            }
        };
        if place.is_none() {
            *place = value::text(&value, 256);
        }
    }
}
