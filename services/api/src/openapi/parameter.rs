//! Parameters of a query, as endpoints declare them.

use schemars::{JsonSchema, Schema, SchemaGenerator};

/// A parameter of an endpoint's query.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parameter {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it does, in a sentence.
    pub(crate) says: &'static str,
    /// Whether it has to be given.
    pub(crate) required: bool,
    /// The schema of its value.
    pub(crate) schema: fn(&mut SchemaGenerator) -> Schema,
}

/// A parameter that may be left out.
pub(crate) const fn parameter<T: JsonSchema>(name: &'static str, says: &'static str) -> Parameter {
    Parameter { name, says, required: false, schema: SchemaGenerator::subschema_for::<T> }
}

/// A parameter that has to be there.
pub(crate) const fn required<T: JsonSchema>(name: &'static str, says: &'static str) -> Parameter {
    Parameter { required: true, ..parameter::<T>(name, says) }
}

/// How long a page is.
pub(crate) const LIMIT: Parameter = Parameter {
    schema: |_| schemars::json_schema!({ "type": "integer", "minimum": 1, "maximum": 100, "default": 25 }),
    ..parameter::<u8>("limit", "The greatest number of items.")
};

/// Where a page begins.
pub(crate) const CURSOR: Parameter = parameter::<String>("cursor", "The `next` of the page before.");
