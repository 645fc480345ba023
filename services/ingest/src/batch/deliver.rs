//! Where batches go: the bus, or the spool while the bus does not take them.

use super::{Batch, NotDurable, seal};
use crate::disk::Disk;
use crate::metrics::IngestMetrics;
use crate::state::new_id;
use bugle_bus::spool::Spool;
use bugle_bus::{Bus, BusState, PublishError, Queue};
use bugle_model::Clock;
use bytes::Bytes;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// The embedded bus is a disk: it answers or fails, sooner or later.
const DISK_TIMEOUT: Duration = Duration::from_secs(30);

/// The way out.
pub(crate) struct Outlet {
    pub(crate) bus: Arc<dyn Bus>,
    /// Absent behind the embedded bus, which is on disk itself.
    pub(crate) spool: Option<Spool>,
    pub(crate) disk: Arc<Disk>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: Arc<IngestMetrics>,
    pub(crate) confirm_timeout: Duration,
    /// Bytes a second at most from the spool.
    pub(crate) drain_rate: u32,
}

impl Outlet {
    /// Whether an item could be made durable now.
    pub(crate) fn is_open(&self) -> bool {
        let connected = self.bus.state() == BusState::Connected;
        match self.spool {
            Some(_) => connected || self.disk.has_room(),
            None => connected && self.disk.has_room(),
        }
    }

    /// Makes a batch durable and answers all who wait for it.
    pub(super) async fn deliver(self: Arc<Self>, batch: Batch) {
        let started = Instant::now();
        let Batch { frames, ends, waiting, .. } = batch;
        let items = ends.len();
        let result = self.deliver_frames(frames, ends).await;
        if result.is_ok() {
            self.metrics.accepted.add(items as u64);
            self.metrics.batch_items.observe(items as f64);
            self.metrics.confirm.observe(started.elapsed().as_secs_f64());
        }
        for answer in waiting {
            // Who has gone away needs no answer.
            let _ = answer.send(result);
        }
    }

    async fn deliver_frames(&self, frames: Vec<u8>, ends: Vec<usize>) -> Result<(), NotDurable> {
        let messages = seal::seal(frames, ends).await.map_err(|error| {
            tracing::error!(%error, "a batch cannot be sealed");
            NotDurable::Failed
        })?;
        for message in messages {
            self.keep(Bytes::from(message)).await?;
        }
        Ok(())
    }

    async fn keep(&self, message: Bytes) -> Result<(), NotDurable> {
        let id = new_id(self.clock.now());
        let Some(spool) = &self.spool else {
            if !self.disk.has_room() {
                return Err(NotDurable::DiskFull);
            }
            let published = timeout(DISK_TIMEOUT, self.bus.publish(Queue::Intake, id, message)).await;
            return published.unwrap_or(Err(PublishError::Timeout)).map_err(|error| {
                tracing::error!(%error, "the bus did not take a batch");
                NotDurable::Failed
            });
        };
        if self.bus.state() == BusState::Connected {
            let publish = self.bus.publish(Queue::Intake, id, message.clone());
            match timeout(self.confirm_timeout, publish).await.unwrap_or(Err(PublishError::Timeout)) {
                Ok(()) => return Ok(()),
                Err(error) => tracing::debug!(%error, "a batch goes to the spool"),
            }
        }
        if !self.disk.has_room() {
            return Err(NotDurable::DiskFull);
        }
        spool.append(id, message).await.map_err(|error| {
            tracing::error!(%error, "the spool did not take a batch");
            NotDurable::Failed
        })?;
        self.metrics.spooled.inc();
        Ok(())
    }
}
