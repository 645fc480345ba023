//! Ownership from outside: rules, an event and people in, a choice and its reason out.
#![expect(clippy::unwrap_used, reason = "tests")]

mod deciding;
mod matching;
mod properties;
