//! Why an item can never become an event.

use thiserror::Error;

/// An item that cannot be read. Names the field and what is wrong with it, the limit included; holds no
/// client data beyond a field's name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{field}: {reason}")]
pub struct Invalid {
    /// The field, as in `exception.values`; `body` for the whole.
    pub field: String,
    /// What is wrong.
    pub reason: String,
}

impl Invalid {
    /// A field and what is wrong with it.
    pub fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into() }
    }
}
