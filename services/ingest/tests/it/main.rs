//! Ingest from outside: real HTTP against the real server on a free port.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]

mod auth;
mod bombs;
mod corpus;
mod database;
mod documented;
mod encodings;
mod envelope;
mod fake_bus;
mod faults;
mod frontend;
mod harness;
mod http;
mod others;
mod quotas;
mod store;
mod webhook;
