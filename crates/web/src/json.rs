//! JSON bodies whose errors name the field.

use crate::{Code, FieldError, Problem, read_body};
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::fmt;
use std::marker::PhantomData;

/// How JSON spells a NUL.
const NUL: &[u8] = br"\u0000";

/// A request's JSON body.
#[derive(Debug, Clone)]
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for JsonBody<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_json = declares_json(request);
        let mut payload = payload.take();
        Box::pin(async move {
            if !is_json {
                return Err(Problem::with_detail(
                    Code::UnsupportedMediaType,
                    "send `Content-Type: application/json`",
                ));
            }
            parse(&read_body(&mut payload).await?).map(Self)
        })
    }
}

/// For `deserialize_with` of a field that holds a struct: an object and nothing else. serde would take a list as well, with
/// the fields by their order.
///
/// # Errors
/// When it is no object, or not one of these.
pub fn object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    struct Object<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map))
        }
    }

    deserializer.deserialize_map(Object(PhantomData))
}

/// A missing type is taken for JSON, and so is the one that curl claims of any body. A strict type would guard cookies
/// against forgeries; here the CSRF token does.
fn declares_json(request: &HttpRequest) -> bool {
    let Some(value) = request.headers().get(header::CONTENT_TYPE) else { return true };
    let essence =
        value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json"
        || essence == "application/x-www-form-urlencoded"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    if let Some(field) = field_with_nul(body) {
        return Err(Problem::invalid_field(field, "has a NUL character"));
    }
    // serde would take the fields of a struct from a list as well, by their order.
    if body.trim_ascii_start().first() == Some(&b'[') {
        return Err(Problem::invalid_field("body", "is a list; expected an object"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        if inner.is_data() {
            let message = without_place(&inner.to_string());
            Problem::invalid(vec![FieldError::new(field(&path, &message), message)])
        } else {
            not_json(&inner)
        }
    })?;
    deserializer.end().map_err(|error| not_json(&error))?;
    Ok(value)
}

/// The first field, or name of a field, that holds a NUL: PostgreSQL can keep none in a text.
fn field_with_nul(body: &[u8]) -> Option<String> {
    // Inside of JSON it can only be spelled so. Looking for it costs less than reading every body twice.
    if !body.windows(NUL.len()).any(|window| window == NUL) {
        return None;
    }
    nul_in(&serde_json::from_slice(body).ok()?, "")
}

fn nul_in(value: &Value, path: &str) -> Option<String> {
    match value {
        Value::String(text) => {
            let shown = if path.is_empty() { "body" } else { path };
            text.contains('\0').then(|| shown.to_owned())
        }
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(index, item)| nul_in(item, &format!("{path}[{index}]")))
        }
        Value::Object(fields) => fields.iter().find_map(|(name, field)| {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            if name.contains('\0') { Some(path) } else { nul_in(field, &path) }
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

fn not_json(error: &serde_json::Error) -> Problem {
    Problem::with_detail(Code::BadRequest, format!("the body is not JSON: {error}"))
}

/// serde's text ends in the place within the body, which says little about a field.
fn without_place(message: &str) -> String {
    message.split(" at line ").next().unwrap_or(message).to_owned()
}

/// A missing or unknown field is named in the message only; the path stops at its parent.
fn field(path: &str, message: &str) -> String {
    let named = ["missing field `", "unknown field `"]
        .iter()
        .find_map(|start| message.strip_prefix(start))
        .and_then(|rest| rest.split('`').next());
    match (path, named) {
        (".", Some(name)) => name.to_owned(),
        (".", None) => "body".to_owned(),
        (path, Some(name)) if path != name && !path.ends_with(&format!(".{name}")) => {
            format!("{path}.{name}")
        }
        (path, _) => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its shape matters")]
    struct Outer {
        name: String,
        #[serde(default)]
        inner: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its shape matters")]
    struct Inner {
        count: u8,
    }

    fn error_of(body: &str) -> (Code, String) {
        let problem = parse::<Outer>(body.as_bytes()).unwrap_err();
        let text = problem.errors.first().map(|error| format!("{}: {}", error.field, error.message));
        (problem.code, text.or(problem.detail).unwrap())
    }

    #[test]
    fn the_field_is_named() {
        let cases = [
            ("{}", "name: missing field `name`"),
            (r#"{"name": 7}"#, "name: invalid type: integer `7`, expected a string"),
            (r#"{"name": "x", "nmae": 1}"#, "nmae: unknown field `nmae`, expected `name` or `inner`"),
            (r#"{"name": "x", "inner": [{"count": 1}, {}]}"#, "inner[1].count: missing field `count`"),
            (
                r#"{"name": "x", "inner": [{"count": 300}]}"#,
                "inner[0].count: invalid value: integer `300`, expected u8",
            ),
            ("[1]", "body: is a list; expected an object"),
            (r#" ["x", []]"#, "body: is a list; expected an object"),
            ("7", "body: invalid type: integer `7`, expected struct Outer"),
        ];
        for (body, expected) in cases {
            assert_eq!(error_of(body), (Code::Invalid, expected.to_owned()), "{body}");
        }
    }

    #[test]
    fn a_nul_is_refused_where_it_is() {
        let cases = [
            (r#"{"name": "a\u0000"}"#, "name: has a NUL character"),
            (r#"{"name": "a", "inner": [{"count": 1, "x": "\u0000"}]}"#, "inner[0].x: has a NUL character"),
            (r#""\u0000""#, "body: has a NUL character"),
        ];
        for (body, expected) in cases {
            assert_eq!(error_of(body), (Code::Invalid, expected.to_owned()), "{body}");
        }
        // A backslash and six other characters.
        assert_eq!(parse::<Outer>(br#"{"name": "\\u0000"}"#).unwrap().name, r"\u0000");
    }

    #[test]
    fn what_is_not_json_is_a_bad_request() {
        let deep = "[".repeat(100_000);
        for body in ["", "{", r#"{"name": "x"} trailing"#, deep.as_str()] {
            let (code, _) = error_of(body);
            assert!(matches!(code, Code::BadRequest | Code::Invalid), "{body:.20}");
        }
        assert_eq!(error_of("{").0, Code::BadRequest);
    }
}
