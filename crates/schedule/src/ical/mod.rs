//! Calendars as others read and write them (RFC 5545).

mod feed;
mod import;
mod moment;
mod read;
mod repeat;
mod text;
mod zones;

pub use feed::Feed;
pub use import::{ImportError, ImportRange, Imported, Occurrence, Problem, import};
