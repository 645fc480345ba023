//! The recorder between a real bus and a real PostgreSQL.

#![expect(
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]

mod bulk;
mod ends;
mod road;
mod trouble;
mod world;
