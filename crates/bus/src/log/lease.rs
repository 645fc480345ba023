//! A record that is lent out.

use super::Shared;
use super::index::{Place, Stored};
use bytes::Bytes;
use std::sync::Arc;
use uuid::Uuid;

/// A record that is lent out. Dropped without [`Lease::ack`], it is lent again.
#[derive(Debug)]
pub(crate) struct Lease {
    shared: Arc<Shared>,
    place: Place,
    /// The message's id.
    pub(crate) id: Uuid,
    /// Milliseconds since 1970 when it was appended, or what the appender took for a stamp.
    pub(crate) stamp: i64,
    /// How often it was handed out before, as far as the journal knows.
    pub(crate) delivered: u32,
    /// The message.
    pub(crate) body: Bytes,
}

impl Lease {
    pub(super) fn new(shared: Arc<Shared>, stored: Stored) -> Self {
        let Stored { place, id, stamp, delivered, body } = stored;
        Self { shared, place, id, stamp, delivered, body }
    }

    /// Counts a delivery: the next lease of this record has `delivered` one higher, also after a restart.
    pub(crate) fn count_delivery(&self) {
        let entry = self.shared.index().delivered(self.place);
        self.shared.inbox.journal(entry);
    }

    /// The record is done with.
    pub(crate) fn ack(self) {
        let entry = self.shared.index().ack(self.place);
        self.shared.inbox.journal(entry);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // After an ack the place is not lent any more, and this changes nothing.
        self.shared.index().give_back(self.place);
        self.shared.readable.notify_waiters();
    }
}
