//! Writing what is prepared, one transaction after the other, and acknowledging it.

use crate::meters::Meters;
use crate::prepare::Prepared;
use bugle_bus::Delivery;
use bugle_model::{Clock, Outcome, OutcomeCount};
use bugle_store::outbox::OutboxRow;
use bugle_store::record::{Batch, Cache, Recorded, record};
use bugle_store::{Store, StoreError, partitions};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender};
use tokio::time::Instant;

/// The pause after an error that is neither the data's fault nor an absent database: a full disk, a time-out.
const PAUSE: Duration = Duration::from_secs(1);

/// Writes batches. Its memory outlives the database's absences.
pub(crate) struct Persister {
    store: Store,
    clock: Arc<dyn Clock>,
    cache: Cache,
    signals: Sender<Vec<OutboxRow>>,
    meters: Meters,
}

/// What a batch came to.
#[derive(Default)]
struct Written {
    recorded: Recorded,
    /// Events that can never be stored: index in the batch, and why.
    refused: Vec<(usize, String)>,
}

impl Persister {
    pub fn new(store: Store, clock: Arc<dyn Clock>, signals: Sender<Vec<OutboxRow>>, meters: Meters) -> Self {
        Self { store, clock, cache: Cache::default(), signals, meters }
    }

    /// Writes until there is nothing more to come, or until the database is away.
    pub async fn run(&mut self, mut prepared: Receiver<Prepared>) {
        while let Some(next) = prepared.recv().await {
            if let Err(error) = self.persist(next).await {
                tracing::warn!(%error, "cannot record; what was taken goes back");
                if !error.is_away() {
                    tokio::time::sleep(PAUSE).await;
                }
                return;
            }
        }
    }

    async fn persist(&mut self, prepared: Prepared) -> Result<(), StoreError> {
        let Prepared { batch, deliveries, sources, mut dead, oldest } = prepared;
        let start = Instant::now();
        let written = self.write(&batch).await?;
        self.meters.persist.observe(start.elapsed().as_secs_f64());
        self.meters.batch.observe(batch.events.len() as f64);
        self.meters.recorded.add(written.recorded.events as u64);
        self.meters.duplicates.add(written.recorded.duplicates as u64);
        if let Some(oldest) = oldest {
            self.meters.age.set((self.clock.now() - oldest).as_seconds_f64());
        }
        if !written.recorded.signals.is_empty() {
            // A relay that is behind finds them in the outbox.
            let _ = self.signals.try_send(written.recorded.signals);
        }
        for (index, reason) in written.refused {
            self.meters.failed.inc();
            if let Some(source) = sources.get(index) {
                dead.insert(*source, reason);
            }
        }
        settle(deliveries, &dead).await;
        Ok(())
    }

    /// Records the batch. When the data is refused, halves it until the one event that is to blame stands alone, so
    /// that its neighbours are recorded.
    async fn write(&mut self, batch: &Batch) -> Result<Written, StoreError> {
        let now = self.clock.now();
        let error = match record(&self.store, &mut self.cache, batch, now).await {
            Ok(recorded) => return Ok(Written { recorded, refused: Vec::new() }),
            Err(error) if error.is_refused() => error,
            Err(error) => return Err(error),
        };
        // A missing partition is refused too, and is nobody's fault.
        if partitions::make(&mut *self.store.conn().await?, now).await? > 0
            && let Ok(recorded) = record(&self.store, &mut self.cache, batch, now).await
        {
            return Ok(Written { recorded, refused: Vec::new() });
        }
        tracing::warn!(%error, events = batch.events.len(), "a batch was refused; looking for the cause");
        self.write_halves(batch, 0).await
    }

    async fn write_halves(&mut self, batch: &Batch, offset: usize) -> Result<Written, StoreError> {
        let mut written = Written::default();
        let middle = batch.events.len().div_ceil(2);
        let (left, right) = batch.events.split_at(middle);
        // What is no event goes with the first half, or fails with it.
        let first = Batch { events: left.to_vec(), ..batch.clone() };
        let second = Batch { events: right.to_vec(), ..Batch::default() };
        for (half, offset) in [(first, offset), (second, offset + middle)] {
            let part = match record(&self.store, &mut self.cache, &half, self.clock.now()).await {
                Ok(recorded) => Written { recorded, refused: Vec::new() },
                Err(error) if error.is_refused() && half.events.len() > 1 => Box::pin(self.write_halves(&half, offset)).await?,
                Err(error) if error.is_refused() => self.give_up(&half, offset, &error).await?,
                Err(error) => return Err(error),
            };
            written.recorded.events += part.recorded.events;
            written.recorded.duplicates += part.recorded.duplicates;
            written.recorded.signals.extend(part.recorded.signals);
            written.refused.extend(part.refused);
        }
        Ok(written)
    }

    /// One event, or none, that is refused. The outcome says so; the rest of the batch is still written.
    async fn give_up(&mut self, batch: &Batch, offset: usize, error: &StoreError) -> Result<Written, StoreError> {
        let mut rest = Batch { events: Vec::new(), ..batch.clone() };
        let mut written = Written::default();
        if let Some(event) = batch.events.first() {
            tracing::error!(event_id = %event.event_id, project = %event.project, %error, "an event can never be recorded; its batch is a dead letter");
            rest.outcomes.push(OutcomeCount {
                project: Some(event.project),
                key: event.key,
                outcome: Outcome::Failed,
                reason: "database".to_owned(),
                category: "error".to_owned(),
                quantity: 1,
            });
            written.refused.push((offset, format!("refused by the database: {error}")));
        }
        match record(&self.store, &mut self.cache, &rest, self.clock.now()).await {
            Ok(recorded) => written.recorded = recorded,
            Err(error) if error.is_refused() => {
                // An attachment or a feedback: without them, the outcomes.
                tracing::error!(%error, "attachments or feedback can never be recorded");
                let rest = Batch { outcomes: rest.outcomes, ..Batch::default() };
                written.recorded = record(&self.store, &mut self.cache, &rest, self.clock.now()).await?;
            }
            Err(error) => return Err(error),
        }
        Ok(written)
    }
}

/// Acknowledges what is recorded. A delivery with an event that was refused goes to the dead letters whole: sent again,
/// its other events are duplicates.
async fn settle(deliveries: Vec<Delivery>, dead: &HashMap<usize, String>) {
    let settling = deliveries.into_iter().enumerate().map(|(index, delivery)| async move {
        let result = match dead.get(&index) {
            Some(reason) => delivery.reject(reason).await,
            None => delivery.ack().await,
        };
        if let Err(error) = result {
            tracing::debug!(%error, "cannot settle; it is delivered again and found to be recorded");
        }
    });
    futures_util::future::join_all(settling).await;
}
