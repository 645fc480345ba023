//! Shared actix-web pieces: problem+json errors, request ids, pagination, tokens, health, the server.
//!
//! Invariant: this crate knows neither the database nor the bus; what it needs of them is passed in.

pub mod auth;
mod body;
mod client;
mod form;
mod json;
pub mod objects;
pub mod operations;
mod page;
mod params;
mod problem;
mod request_id;
mod server;

pub use body::{MAX_BODY, read_body};
pub use client::{client_address, network};
pub use form::FormBody;
pub use json::{JsonBody, object};
pub use page::{Cursor, Page};
pub use params::{DeclaredParameters, Params, WithoutQuery};
pub use problem::{Code, FieldError, Problem};
pub use request_id::{RequestId, request_id};
pub use server::{read, resource, resource_with, serve, unknown_path};
