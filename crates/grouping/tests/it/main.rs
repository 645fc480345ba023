//! Behaviour of grouping from outside.
#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "tests")]

mod build;
mod examples;
mod explain;
mod properties;
mod rules;
