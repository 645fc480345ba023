//! The notifier from outside: signals in, messages out, over real sockets and a real database.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails where its expectation does"
)]

mod account_mails;
mod bundles;
mod delivery;
mod email;
mod guard;
mod oncall;
mod retries;
mod slack;
mod sms;
mod webhook;
mod wiring;
mod world;
