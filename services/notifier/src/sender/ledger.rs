//! How attempts ended, written down: deliveries that end while others are being written share the next statement.

use bugle_store::notifications::{Record, record, record_delivered};
use bugle_store::{Store, StoreError};
use std::sync::{Mutex, PoisonError};
use tokio::sync::oneshot;

/// Deliveries of one statement.
const TOGETHER: usize = 64;

type Waiting = (Record, oneshot::Sender<bool>);

/// Who is to be written down.
#[derive(Default)]
pub(super) struct Ledger {
    waiting: Mutex<Vec<Waiting>>,
    turn: tokio::sync::Mutex<()>,
}

impl Ledger {
    /// Writes how an attempt ended. Whether the notification was still its claim's.
    ///
    /// # Errors
    /// When the database fails. It may have been written all the same, when whoever wrote it was cut off: writing it again then says
    /// that the notification is not the claim's any more.
    pub(super) async fn write(&self, store: &Store, what: &Record) -> Result<bool, StoreError> {
        if !what.is_plain() {
            return record(&mut *store.conn().await?, what).await;
        }
        let (tell, mut told) = oneshot::channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push((what.clone(), tell));
        loop {
            let turn = self.turn.lock().await;
            match told.try_recv() {
                Ok(written) => return Ok(written),
                // Whoever wrote it has failed, and says why.
                Err(oneshot::error::TryRecvError::Closed) => {
                    drop(turn);
                    return record(&mut *store.conn().await?, what).await;
                }
                Err(oneshot::error::TryRecvError::Empty) => self.write_waiting(store).await?,
            }
        }
    }

    async fn write_waiting(&self, store: &Store) -> Result<(), StoreError> {
        let batch: Vec<Waiting> = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let count = waiting.len().min(TOGETHER);
            waiting.drain(..count).collect()
        };
        let records: Vec<&Record> = batch.iter().map(|(record, _)| record).collect();
        let written = record_delivered(&mut *store.conn().await?, &records).await?;
        for (record, tell) in batch {
            // Whoever does not listen any more was stopped.
            let _ = tell.send(written.contains(&record.notification));
        }
        Ok(())
    }
}
