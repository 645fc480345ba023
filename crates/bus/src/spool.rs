//! The spool: where ingest keeps batches while the broker is away. The embedded bus's log, by itself.
//!
//! It gives back the newest first: what was accepted last matters most to whoever is on call. What an earlier process left
//! behind, and what is beyond the last 65,536 entries, comes after that, oldest first.

use crate::log::{Lease, Log};
use crate::{LogError, LogLimits, LogStats};
use bytes::Bytes;
use std::path::Path;
use std::sync::Arc;
use uuid::Uuid;

/// A durable store in one folder. Clones share it.
///
/// Draining twice after a crash is possible, and harmless: ids stay, and consumers are idempotent.
#[derive(Debug, Clone)]
pub struct Spool(Arc<Log>);

impl Spool {
    /// Opens the spool in `dir`, which is made when absent. Reads the backlog once, to check it (about a second a GB).
    ///
    /// # Errors
    /// When another process has the folder, or the disk fails.
    pub async fn open(dir: &Path, limits: LogLimits) -> Result<Self, LogError> {
        let dir = dir.to_path_buf();
        let opened = tokio::task::spawn_blocking(move || Log::open(&dir, limits)).await;
        Ok(Self(Arc::new(opened.map_err(|_| LogError::Closed)??)))
    }

    /// Appends an entry. `Ok`: it is on stable storage. Concurrent appends share one sync.
    ///
    /// # Errors
    /// When the body exceeds 16 MiB, the spool has reached its size, the disk is full or fails, or the spool is closed.
    pub async fn append(&self, id: Uuid, body: Bytes) -> Result<(), LogError> {
        self.0.append(id, 0, body).await
    }

    /// The next entry that is not taken, if there is one.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn try_next(&self) -> Result<Option<SpoolEntry>, LogError> {
        let log = Arc::clone(&self.0);
        let lent = tokio::task::spawn_blocking(move || log.lend_newest()).await;
        Ok(lent.map_err(|_| LogError::Closed)??.map(SpoolEntry))
    }

    /// The next entry that is not taken; waits for one. Safe to cancel.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn next(&self) -> Result<SpoolEntry, LogError> {
        loop {
            let readable = self.0.readable().notified();
            tokio::pin!(readable);
            readable.as_mut().enable();
            if let Some(entry) = self.try_next().await? {
                return Ok(entry);
            }
            readable.await;
        }
    }

    /// How much is in it, and what it has done.
    #[must_use]
    pub fn stats(&self) -> LogStats {
        self.0.stats()
    }

    /// Whether everything in it has been acked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stats().records == 0
    }

    /// Writes out what waits and makes the acks durable. Later appends are refused.
    pub async fn close(&self) {
        let log = Arc::clone(&self.0);
        // It fails only when the runtime is going down; dropping the log closes it then.
        let _ = tokio::task::spawn_blocking(move || log.close()).await;
    }
}

/// An entry that was taken. Dropped without [`SpoolEntry::ack`] it goes back to its place.
#[derive(Debug)]
#[must_use = "an entry that is dropped goes back into the spool"]
pub struct SpoolEntry(Lease);

impl SpoolEntry {
    /// The id it was appended with.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.0.id
    }

    /// What was appended.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.0.body
    }

    /// Done with it: the broker has it.
    pub fn ack(self) {
        self.0.ack();
    }
}
