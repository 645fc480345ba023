//! What a recorder with a memory of its own makes of batch after batch.

mod anchors;
mod concurrent;
mod counts;
mod once;
mod outbox;
mod partitions;
mod searching;
mod status;
mod support;
mod thresholds;
