//! What clients send, turned into the model: Sentry envelopes and stores, security reports, webhooks, frontend
//! logs; and what other tools tell of alerts. Pure: bytes in, values out.
//!
//! The road of a request: [`encoding`] undoes the content encoding, [`auth`] finds the key, [`envelope`] or
//! [`store`] finds the items. Later, away from the client: [`normalise()`] makes an event of an item,
//! [`scrub`] removes secrets from it, [`filter`] says whether the project wants it.
//!
//! Invariant: no input can panic, recurse without a bound or allocate without a bound. What is wrong with one
//! field costs that field, not the event.

pub mod alerts;
pub mod auth;
mod category;
pub mod client_report;
mod dsn;
pub mod encoding;
pub mod envelope;
mod event_id;
pub mod feedback;
pub mod filter;
pub mod frontend;
mod invalid;
mod json;
mod normalise;
pub mod scrub;
pub mod security;
pub mod stacktrace;
pub mod store;
pub mod user_report;
pub mod webhook;

pub use category::item_category;
pub use event_id::event_id;
pub use invalid::Invalid;
pub use normalise::normalise;
