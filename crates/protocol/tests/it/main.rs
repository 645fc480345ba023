//! The crate from outside: captured requests, what clients are told to send, and input that nobody would.

mod arbitrary;
mod corpus;
mod documents;
mod sentry;
mod sentry_parts;
mod source;
mod stacktrace;
mod stacktrace_limits;
mod webhook_records;
mod webhooks;
