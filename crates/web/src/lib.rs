//! Shared actix-web pieces: problem+json errors, request ids, pagination, tokens, health, the server.
//!
//! Invariant: this crate knows neither the database nor the bus; what it needs of them is passed in.

pub mod auth;
mod client;
mod json;
pub mod objects;
pub mod operations;
mod page;
mod params;
mod problem;
mod request_id;
mod server;

pub use client::{client_address, network};
pub use json::{JsonBody, MAX_BODY, object};
pub use page::{Cursor, Page};
pub use params::{DeclaredParameters, Params};
pub use problem::{Code, FieldError, Problem};
pub use request_id::{RequestId, request_id};
pub use server::{read, resource, resource_with, serve, unknown_path};
