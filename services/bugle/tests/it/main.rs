//! The binary, from outside.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod commands;
mod docs;
mod gateway;
mod harness;
mod run;
mod several;
