//! The frontend log: `POST /api/v1/logs/frontend/` takes one error, or `{"errors":[…]}` with up to
//! [`MAX_ITEMS`]. Each is checked and kept on its own, so a bad one never costs its neighbours.

use crate::webhook::{self, FieldError};
use crate::{Invalid, json};
use bugle_model::{Event, ItemKind, RawItem};
use serde_json::Value;

/// Errors of one request that are kept; each after them is answered with an error of its own.
pub const MAX_ITEMS: usize = 100;
/// A request with more is refused as a whole.
pub const MAX_LISTED: usize = 1_000;

/// What is wrong with one error of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemError {
    /// Its place in `errors`, from 0.
    pub index: usize,
    /// What is wrong.
    pub errors: Vec<FieldError>,
}

/// The errors of a request in their order, each as JSON for [`normalise`] or with what is wrong with it.
///
/// # Errors
/// When the body is no JSON object of at most [`webhook::MAX_BODY`] bytes, when `errors` is no list, is
/// empty, or holds more than [`MAX_LISTED`].
pub fn split(body: &[u8]) -> Result<Vec<Result<Vec<u8>, ItemError>>, Vec<FieldError>> {
    let list = match read(body).map_err(|error| vec![error])? {
        Body::One => return Ok(vec![check(0, body.to_vec())]),
        Body::Many(list) => list,
    };
    if list.is_empty() {
        return Err(vec![FieldError::new("errors", "at least one is required")]);
    }
    if list.len() > MAX_LISTED {
        let message = format!("{} errors, at most {MAX_ITEMS} are taken from a request", list.len());
        return Err(vec![FieldError::new("errors", message)]);
    }
    Ok(list
        .into_iter()
        .enumerate()
        .map(|(index, item)| {
            if index >= MAX_ITEMS {
                let message = format!("at most {MAX_ITEMS} are taken from a request");
                return Err(ItemError { index, errors: vec![FieldError::new("errors", message)] });
            }
            check(index, item.to_string().into_bytes())
        })
        .collect())
}

enum Body {
    One,
    Many(Vec<Value>),
}

fn read(body: &[u8]) -> Result<Body, FieldError> {
    if body.len() > webhook::MAX_BODY {
        let message = format!("{} bytes, at most {} are allowed", body.len(), webhook::MAX_BODY);
        return Err(FieldError::new("body", message));
    }
    match json::parse(body).map(|parsed| parsed.value) {
        Ok(Value::Array(list)) => Ok(Body::Many(list)),
        Ok(Value::Object(mut object)) => match object.remove("errors") {
            Some(Value::Array(list)) => Ok(Body::Many(list)),
            Some(_) => Err(FieldError::new("errors", "expected a list")),
            None => Ok(Body::One),
        },
        Ok(_) => Err(FieldError::new("body", "expected a JSON object")),
        Err(reason) => Err(FieldError::new("body", format!("not JSON: {reason}"))),
    }
}

fn check(index: usize, item: Vec<u8>) -> Result<Vec<u8>, ItemError> {
    match webhook::validate(ItemKind::Frontend, &item) {
        Ok(()) => Ok(item),
        Err(errors) => Err(ItemError { index, errors }),
    }
}

/// Makes an event of one error, as [`split`] gave it.
///
/// # Errors
/// As [`webhook::normalise`].
pub fn normalise(body: &[u8], item: &RawItem) -> Result<Event, Invalid> {
    webhook::normalise(ItemKind::Frontend, body, item)
}
