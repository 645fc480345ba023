//! What a recorder with a memory of its own makes of batch after batch.

mod anchors;
mod concurrent;
mod counts;
mod ignored;
mod locks;
mod merged;
mod once;
mod outbox;
mod partitions;
mod releases;
mod searching;
mod status;
mod support;
mod tag_bits;
mod tags;
mod thresholds;
