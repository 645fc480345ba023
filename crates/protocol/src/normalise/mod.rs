//! From a raw item to an event in which nothing has two spellings any more.
//!
//! Every object is consumed key by key: known keys are moved into the model, whatever their form; a value of
//! a type that makes no sense is dropped and noted in [`Event::errors`]. One file per noun.

mod bag;
mod breadcrumbs;
mod contexts;
mod event;
mod exceptions;
mod fields;
mod frames;
mod message;
mod pairs;
mod request;
mod tags;
mod threads;
mod time;
mod user;

use crate::store::MAX_EVENT_BYTES;
use crate::{Invalid, frontend, json, security, webhook};
use bugle_model::{Event, ItemKind, RawItem};
use serde_json::{Map, Value};

pub(crate) use bag::trim_value;
pub(crate) use fields::{Notes, truncate};
pub(crate) use request::request;
pub(crate) use user::infer_address;

/// Makes an event of an item: a Sentry event, a security report, a webhook or a frontend error. The result is
/// bounded and complete, but holds whatever secrets the client sent: see [`crate::scrub`].
///
/// # Errors
/// When the body is no JSON object of that kind, or the item's kind is no event at all.
pub fn normalise(item: &RawItem) -> Result<Event, Invalid> {
    match item.kind {
        ItemKind::Event => {
            let (payload, notes) = parse_object(&item.body)?;
            Ok(event::normalise(payload, item, notes))
        }
        ItemKind::Security => security::normalise(item),
        ItemKind::WebhookLaravel
        | ItemKind::WebhookJava
        | ItemKind::WebhookFrontend
        | ItemKind::WebhookMobile
        | ItemKind::WebhookGeneric => webhook::normalise(item.kind, &item.body, item),
        ItemKind::Frontend => frontend::normalise(&item.body, item),
        ItemKind::UserReport | ItemKind::Feedback | ItemKind::Attachment | ItemKind::ClientReport => {
            Err(Invalid::new("type", "holds no event"))
        }
    }
}

/// Parses a body of at most [`MAX_EVENT_BYTES`] that must be one JSON object.
pub(crate) fn parse_object(body: &[u8]) -> Result<(Map<String, Value>, Notes), Invalid> {
    if body.len() > MAX_EVENT_BYTES {
        return Err(Invalid::new("body", format!("larger than {MAX_EVENT_BYTES} bytes")));
    }
    let parsed = json::parse(body).map_err(|reason| Invalid::new("body", format!("not JSON: {reason}")))?;
    let Value::Object(object) = parsed.value else { return Err(Invalid::new("body", "not a JSON object")) };
    let mut notes = Notes::default();
    if parsed.was_too_deep {
        notes.note("body", format!("nested deeper than {} levels: cut there", json::MAX_DEPTH));
    }
    if parsed.was_repaired {
        notes.note("body", "not valid JSON: repaired");
    }
    Ok((object, notes))
}

#[cfg(test)]
pub(crate) mod tests;
