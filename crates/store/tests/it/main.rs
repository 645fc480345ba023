//! The store against a real PostgreSQL, a private database for each test.

mod migrations;
mod recording;
