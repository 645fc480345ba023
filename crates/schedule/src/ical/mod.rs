//! Calendars as others read and write them (RFC 5545).

mod feed;
mod import;
mod moment;
mod people;
mod plan;
mod read;
mod repeat;
mod text;
mod zones;

pub use feed::Feed;
pub use import::{ImportError, ImportRange, Imported, Occurrence, Problem, import};
pub use people::People;
pub use plan::{ImportPlan, Taken, UnknownPerson};
