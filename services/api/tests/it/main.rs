//! The API over HTTP, with a real PostgreSQL and an embedded bus.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod access;
mod accounts;
mod audit;
mod console;
mod dead_letters;
mod destinations;
mod events;
mod harness;
mod issues;
mod live;
mod oidc;
mod older;
mod operations;
mod people;
mod projects;
mod requests;
mod roles;
mod second_factor;
mod sessions;
mod teams;
