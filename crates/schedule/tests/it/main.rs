//! Behaviour of schedules from outside.
#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "tests")]

mod all_zones;
mod build;
mod checks;
mod dst_table;
mod editing;
mod feed_in;
mod feed_out;
mod giving;
mod hostile;
mod issues;
mod layers;
mod load;
mod missing;
mod oracle;
mod overriding;
mod planning;
mod properties;
mod questions;
mod quiet;
