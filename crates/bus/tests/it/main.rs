//! The bus from outside: the contract on both backends, then what only one of them can show.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

mod contract;
mod crash;
mod embedded;
mod log_disk;
mod log_model;
mod rabbit;
mod rabbit_faults;
mod spool;
mod support;
