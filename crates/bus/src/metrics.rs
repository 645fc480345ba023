//! What a bus counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// A snapshot of a bus's counters, for `/metrics`. All count from the start of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BusMetrics {
    /// Messages handed to [`crate::Bus::publish`] or `publish_signal`, one per queue.
    pub published: u64,
    /// Those that were accepted.
    pub confirmed: u64,
    /// Those that were not.
    pub failed: u64,
    /// Signals that no queue hears.
    pub unheard: u64,
    /// Messages handed to consumers.
    pub delivered: u64,
    /// Those that had been handed out before.
    pub redelivered: u64,
    /// Messages acked.
    pub acked: u64,
    /// Messages rejected into the dead letters.
    pub dead: u64,
    /// Connections made to the broker, the first one included.
    pub connects: u64,
}

/// The counters themselves.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) published: AtomicU64,
    pub(crate) confirmed: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) unheard: AtomicU64,
    pub(crate) delivered: AtomicU64,
    pub(crate) redelivered: AtomicU64,
    pub(crate) acked: AtomicU64,
    pub(crate) dead: AtomicU64,
    pub(crate) connects: AtomicU64,
}

impl Counters {
    pub(crate) fn snapshot(&self) -> BusMetrics {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        BusMetrics {
            published: read(&self.published),
            confirmed: read(&self.confirmed),
            failed: read(&self.failed),
            unheard: read(&self.unheard),
            delivered: read(&self.delivered),
            redelivered: read(&self.redelivered),
            acked: read(&self.acked),
            dead: read(&self.dead),
            connects: read(&self.connects),
        }
    }

    /// Counts a publish by its end.
    pub(crate) fn count_publish<T, E>(&self, outcome: &Result<T, E>) {
        add(&self.published);
        add(if outcome.is_ok() { &self.confirmed } else { &self.failed });
    }

    /// Counts a delivery.
    pub(crate) fn count_delivery(&self, redelivered: bool) {
        add(&self.delivered);
        if redelivered {
            add(&self.redelivered);
        }
    }
}

/// One more.
pub(crate) fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
