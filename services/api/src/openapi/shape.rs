//! What the types of a handler say of its request and its answer.

use super::answer::{Answer, Bare, Media, Raw, Shown};
use super::raw_json::RawJson;
use crate::access::{Principal, Proof};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path, Payload};
use bugle_web::{FormBody, JsonBody};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use std::any::TypeId;

const JSON: &str = "application/json";

/// What a handler takes: one extractor, or all of them as a tuple.
///
/// actix's own `Query` and `Json` are not here: a query is declared in the table and read by [`bugle_web::Params`], a
/// body is a [`JsonBody`], so that mistakes are told in the same way everywhere.
pub(crate) trait Takes {
    /// The schema of the request's body, when it has one.
    fn body(_: &mut SchemaGenerator) -> Option<Schema> {
        None
    }
}

impl Takes for Principal {}
impl Takes for Proof {}
impl Takes for HttpRequest {}
impl Takes for Payload {}
// Forms are what browsers and providers post: their fields are said in the endpoint's sentence.
impl Takes for FormBody {}
impl<T> Takes for Data<T> {}
impl<T> Takes for Path<T> {}

impl<T: JsonSchema> Takes for RawJson<T> {
    fn body(generator: &mut SchemaGenerator) -> Option<Schema> {
        Some(T::json_schema(generator))
    }
}

impl<T: JsonSchema> Takes for JsonBody<T> {
    fn body(generator: &mut SchemaGenerator) -> Option<Schema> {
        // Not by its name: bodies are named after their operations.
        Some(T::json_schema(generator))
    }
}

macro_rules! tuples {
    ($(($($name:ident)*))+) => { $(
        impl<$($name: Takes),*> Takes for ($($name,)*) {
            fn body(_generator: &mut SchemaGenerator) -> Option<Schema> {
                None$(.or_else(|| $name::body(_generator)))*
            }
        }
    )+ };
}
tuples!(() (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F));

/// The answer of a handler when all goes well.
#[derive(Debug)]
pub(crate) struct Gift {
    /// Its status.
    pub(crate) status: u16,
    /// The media types that its body may have; none: no body.
    pub(crate) types: &'static [&'static str],
    /// What the body is, where that can be said.
    pub(crate) schema: Option<Schema>,
    /// Further statuses with a body of these types: pages that say for people what is wrong, errors in another's form.
    pub(crate) pages: &'static [u16],
}

/// What a handler gives back. An answer type of one's own implements it next to its `Responder`.
pub(crate) trait Gives {
    /// The answer when all goes well.
    fn gift(generator: &mut SchemaGenerator) -> Gift;
}

impl<T: Gives, E> Gives for Result<T, E> {
    fn gift(generator: &mut SchemaGenerator) -> Gift {
        T::gift(generator)
    }
}

impl<T: JsonSchema> Gives for Json<T> {
    fn gift(generator: &mut SchemaGenerator) -> Gift {
        Gift { status: 200, types: &[JSON], schema: Some(generator.subschema_for::<T>()), pages: &[] }
    }
}

impl<T: JsonSchema + 'static, const STATUS: u16> Gives for Answer<T, STATUS> {
    fn gift(generator: &mut SchemaGenerator) -> Gift {
        if TypeId::of::<T>() == TypeId::of::<()>() {
            return Gift { status: STATUS, types: &[], schema: None, pages: &[] };
        }
        Gift { status: STATUS, types: &[JSON], schema: Some(generator.subschema_for::<T>()), pages: &[] }
    }
}

impl<const STATUS: u16> Gives for Bare<STATUS> {
    fn gift(_: &mut SchemaGenerator) -> Gift {
        Gift { status: STATUS, types: &[], schema: None, pages: &[] }
    }
}

impl<M: Media> Gives for Raw<M> {
    fn gift(_: &mut SchemaGenerator) -> Gift {
        Gift { status: 200, types: M::TYPES, schema: None, pages: &[] }
    }
}

impl Gives for Shown {
    fn gift(_: &mut SchemaGenerator) -> Gift {
        Gift { status: 200, types: &["text/html"], schema: None, pages: Self::STATUSES }
    }
}
