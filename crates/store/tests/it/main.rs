//! The store against a real PostgreSQL, a private database for each test.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod language;
mod migrations;
mod recording;
mod releases;
mod statistics;
