//! Plain webhooks: errors of apps without an SDK, as one flat JSON object in the words of their framework.
//!
//! All kinds share one reader (see `fields` for the names) and differ in a few names of their own, in the
//! platform that is assumed, and in whether the sender is the user's own device. `docs/webhooks.md` and
//! `docs/schemas/` describe them for clients.

mod chain;
mod context;
mod event;
mod fields;
mod frames;
mod frontend;
mod generic;
mod java;
mod laravel;
mod mobile;
mod records;
mod request;
mod severity;
mod time;
mod value;

use crate::{Invalid, json};
use bugle_model::{Event, EventSource, ItemKind, RawItem};
use fields::{Field, Fields};
use serde_json::{Map, Value};

pub use fields::{FieldError, is_known_field};

/// Bytes of one webhook's body.
pub const MAX_BODY: usize = 1024 * 1024;
/// Errors that one answer names.
const MAX_ERRORS: usize = 50;

/// Makes an event of a webhook's body. Fields of the wrong type are dropped and named in the event's `errors`.
///
/// # Errors
/// When the body is no JSON object within [`MAX_BODY`], or holds neither a message nor an exception.
pub fn normalise(kind: ItemKind, body: &[u8], item: &RawItem) -> Result<Event, Invalid> {
    let source = if kind == ItemKind::Frontend { EventSource::Frontend } else { EventSource::Webhook };
    let (object, notes) = object(body).map_err(invalid)?;
    let mut fields = Fields::read(kind, object);
    fields.errors.extend(notes);
    if let Some(missing) = missing(&fields) {
        return Err(invalid(missing));
    }
    Ok(event::build(kind, source, fields, item))
}

/// Checks a body at the door: it is a JSON object, has a message or an exception, and every known field is
/// of its type. What is only too long is cut later, not refused.
///
/// # Errors
/// Every field that is wrong, at most 50.
pub fn validate(kind: ItemKind, body: &[u8]) -> Result<(), Vec<FieldError>> {
    let (object, _) = object(body).map_err(|error| vec![error])?;
    let fields = Fields::read(kind, object);
    let missing = missing(&fields);
    let mut errors = fields.errors;
    errors.truncate(MAX_ERRORS);
    errors.extend(missing);
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// The body's object and what had to be changed to read it.
fn object(body: &[u8]) -> Result<(Map<String, Value>, Vec<FieldError>), FieldError> {
    if body.len() > MAX_BODY {
        return Err(FieldError::new("body", format!("{} bytes, at most {MAX_BODY} are allowed", body.len())));
    }
    let parsed =
        json::parse(body).map_err(|reason| FieldError::new("body", format!("not JSON: {reason}")))?;
    let Value::Object(mut object) = parsed.value else {
        return Err(FieldError::new("body", "expected a JSON object"));
    };
    records::unfold(&mut object);
    let mut notes = Vec::new();
    if parsed.was_too_deep {
        notes.push(FieldError::new(
            "body",
            format!("nested deeper than {} levels: cut there", json::MAX_DEPTH),
        ));
    }
    if parsed.was_repaired {
        notes.push(FieldError::new("body", "not valid JSON: repaired"));
    }
    Ok((object, notes))
}

fn missing(fields: &Fields) -> Option<FieldError> {
    let enough = [Field::Message, Field::Exception, Field::ExceptionType, Field::Trace];
    if enough.iter().any(|field| fields.has(*field)) {
        return None;
    }
    Some(FieldError::new("message", "a message or an exception is required"))
}

fn invalid(error: FieldError) -> Invalid {
    Invalid::new(error.field, error.message)
}
