//! The HTTP request during which it happened.

use super::Notes;
use super::bag::{trim, trim_value};
use super::pairs::{Pairs, from_cookies, from_query, pairs};
use crate::json;
use bugle_model::Request;
use serde_json::Value;

const MAX_URL_CHARS: usize = 2048;
const MAX_METHOD_CHARS: usize = 32;
const MAX_FRAGMENT_CHARS: usize = 1024;
const MAX_QUERY_BYTES: usize = 4096;
const MAX_HEADERS_BYTES: usize = 8192;
const MAX_COOKIES_BYTES: usize = 2048;
const MAX_DATA_BYTES: usize = 8192;
const MAX_ENV_BYTES: usize = 8192;
const MAX_DEPTH: u8 = 6;
const MAX_OTHER_BYTES: usize = 2048;

/// Reads the request.
pub(crate) fn request(value: Value, notes: &mut Notes) -> Option<Request> {
    let map = notes.object("request", value)?;
    let mut request = Request::default();
    let mut url_query = Pairs::new();
    for (key, value) in map {
        match key.as_str() {
            "url" => url_query = url(value, &mut request, notes),
            "method" => request.method = method(value, notes),
            "data" | "body" => request.data = data(value),
            "query_string" | "query" => request.query = query(value, notes),
            "fragment" => {
                let fragment = notes.text("request.fragment", value, MAX_FRAGMENT_CHARS);
                request.fragment = fragment.or(request.fragment.take());
            }
            "cookies" => request.cookies = cookies(value, notes),
            "headers" => request.headers = pairs("request.headers", value, MAX_HEADERS_BYTES, notes),
            "env" => request.env = notes.map("request.env", value).unwrap_or_default(),
            _ if value.is_null() => {}
            _ => drop(request.other.insert(key, value)),
        }
    }
    if request.query.is_empty() {
        request.query = url_query;
    }
    move_cookie_header(&mut request);
    request.env.retain(|_, value| !value.is_null());
    trim(&mut request.env, MAX_DEPTH, MAX_ENV_BYTES);
    trim(&mut request.other, MAX_DEPTH, MAX_OTHER_BYTES);
    (request != Request::default()).then_some(request)
}

/// Splits a URL; gives back its query.
fn url(value: Value, request: &mut Request, notes: &mut Notes) -> Pairs {
    let Some(mut url) = notes.word("request.url", value, MAX_URL_CHARS * 4) else { return Pairs::new() };
    if let Some((before, fragment)) = url.split_once('#') {
        if request.fragment.is_none() && !fragment.is_empty() {
            request.fragment = notes.text("request.fragment", fragment.into(), MAX_FRAGMENT_CHARS);
        }
        url = before.to_owned();
    }
    let mut query = Pairs::new();
    if let Some((before, text)) = url.split_once('?') {
        query = from_query(text, MAX_QUERY_BYTES);
        url = before.to_owned();
    }
    super::truncate(&mut url, MAX_URL_CHARS);
    request.url = (!url.is_empty()).then_some(url);
    query
}

fn method(value: Value, notes: &mut Notes) -> Option<String> {
    let method = notes.word("request.method", value, MAX_METHOD_CHARS)?.to_ascii_uppercase();
    if method.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_')) {
        return Some(method);
    }
    notes.note("request.method", "not a method's name: dropped");
    None
}

fn query(value: Value, notes: &mut Notes) -> Pairs {
    match value {
        Value::String(text) => from_query(&text, MAX_QUERY_BYTES),
        other => pairs("request.query_string", other, MAX_QUERY_BYTES, notes),
    }
}

fn cookies(value: Value, notes: &mut Notes) -> Pairs {
    match value {
        Value::String(text) => from_cookies(&text, MAX_COOKIES_BYTES),
        other => pairs("request.cookies", other, MAX_COOKIES_BYTES, notes),
    }
}

/// Text that is whole JSON is kept as the structure that it is, so that its fields can be told apart.
fn data(value: Value) -> Option<Value> {
    let mut data = match value {
        Value::Null => return None,
        Value::String(text) if text.is_empty() => return None,
        Value::String(text) if text.trim_start().starts_with(['{', '[']) => {
            json::parse(text.as_bytes()).map_or(Value::String(text), |parsed| parsed.value)
        }
        other => other,
    };
    trim_value(&mut data, MAX_DEPTH, MAX_DATA_BYTES);
    Some(data)
}

/// Cookies have a field of their own.
fn move_cookie_header(request: &mut Request) {
    let is_cookie = |name: &str| name.eq_ignore_ascii_case("cookie");
    if !request.headers.iter().any(|(name, _)| is_cookie(name)) {
        return;
    }
    let (cookie, rest): (Pairs, Pairs) =
        std::mem::take(&mut request.headers).into_iter().partition(|(name, _)| is_cookie(name));
    request.headers = rest;
    if request.cookies.is_empty() {
        let text: Vec<&str> = cookie.iter().map(|(_, value)| value.as_str()).collect();
        request.cookies = from_cookies(&text.join("; "), MAX_COOKIES_BYTES);
    }
}
