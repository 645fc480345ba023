//! The door: accepts what clients send and answers 2xx once it is durable.
//!
//! The road of a request: [`routes()`] → an endpoint → the body, bounded in time and size → the sender's key, from memory
//! (`door`) → items (`bugle_protocol`) → filters and quotas → attachments to the object store → one batch with others
//! that came at the same time (`batch`) → the bus, or the spool → 2xx.
//!
//! Invariants: 2xx means durable. Accepting needs neither database nor broker. Event JSON is not parsed here. Memory is
//! bounded by [`Settings::max_in_flight`] and one large body.

mod addresses;
mod answer;
mod batch;
mod body;
mod cleaning;
mod disk;
mod door;
mod endpoints;
mod files;
mod intake;
mod memory;
mod metrics;
mod objects;
mod outcomes;
mod quota;
mod request;
mod routes;
mod service;
mod settings;
mod state;

pub use objects::ObjectError;
pub use routes::{declared, routes};
pub use service::{Deps, Service, ServiceError};
pub use settings::Settings;
pub use state::Ingest;
