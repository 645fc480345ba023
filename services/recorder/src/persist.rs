//! Writing what is prepared, one transaction after the other, and acknowledging it.

use crate::meters::Meters;
use crate::prepare::Prepared;
use bugle_bus::Delivery;
use bugle_model::{Clock, KeyId, Outcome, OutcomeCount, ProjectId};
use bugle_store::outbox::OutboxRow;
use bugle_store::record::{Batch, Cache, Ended, NewEvent, Recorded, record};
use bugle_store::{Store, StoreError, partitions};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender};
use tokio::time::Instant;
use uuid::Uuid;

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
        let Prepared { batch, deliveries, sources, mut dead, oldest, turn } = prepared;
        let start = Instant::now();
        let written = self.write(&batch).await?;
        drop(turn);
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
        let written = self.write_events(&batch.events, 0).await?;
        let mut rest = Batch { events: Vec::new(), ..batch.clone() };
        let failed = written.refused.iter().filter_map(|(index, _)| batch.events.get(*index));
        rest.outcomes.extend(failed.map(|event| failure(event.message, event.project, event.key, "error")));
        self.write_rest(rest).await?;
        Ok(written)
    }

    /// Records events by halves. The one that is refused alone is given up.
    async fn write_events(&mut self, events: &[NewEvent], offset: usize) -> Result<Written, StoreError> {
        // What else their messages bring is part 0.
        let part = i16::try_from(offset).unwrap_or(i16::MAX).saturating_add(1);
        let batch = Batch { events: events.to_vec(), part, ..Batch::default() };
        let error = match record(&self.store, &mut self.cache, &batch, self.clock.now()).await {
            Ok(recorded) => return Ok(Written { recorded, refused: Vec::new() }),
            Err(error) if error.is_refused() => error,
            Err(error) => return Err(error),
        };
        if let [event] = events {
            tracing::error!(event_id = %event.event_id, project = %event.project, %error, "an event can never be recorded; its batch is a dead letter");
            let refused = vec![(offset, format!("refused by the database: {error}"))];
            return Ok(Written { refused, ..Written::default() });
        }
        let mut written = Written::default();
        let middle = events.len().div_ceil(2);
        let (left, right) = events.split_at_checked(middle).unwrap_or((events, &[]));
        for (half, offset) in [(left, offset), (right, offset + middle)] {
            written.add(Box::pin(self.write_events(half, offset)).await?);
        }
        Ok(written)
    }

    /// Records what is no event: together, or, when something of it is refused, one by one.
    async fn write_rest(&mut self, rest: Batch) -> Result<(), StoreError> {
        match record(&self.store, &mut self.cache, &rest, self.clock.now()).await {
            Ok(_) => return Ok(()),
            Err(error) if error.is_refused() => {}
            Err(error) => return Err(error),
        }
        let Batch { attachments, feedback, mut outcomes, .. } = rest;
        let attachments = attachments.into_iter().map(|row| {
            let failure = failure(row.item, row.project, None, "attachment");
            (Batch { attachments: vec![row], ..Batch::default() }, failure)
        });
        let feedback = feedback.into_iter().map(|row| {
            let failure = failure(row.item, row.project, None, "feedback");
            (Batch { feedback: vec![row], ..Batch::default() }, failure)
        });
        for (one, failure) in attachments.chain(feedback) {
            match record(&self.store, &mut self.cache, &one, self.clock.now()).await {
                Ok(_) => {}
                Err(error) if error.is_refused() => {
                    tracing::error!(%error, category = failure.count.category, "an item can never be recorded");
                    outcomes.push(failure);
                }
                Err(error) => return Err(error),
            }
        }
        let last = Batch { outcomes, ..Batch::default() };
        record(&self.store, &mut self.cache, &last, self.clock.now()).await?;
        Ok(())
    }
}

impl Written {
    fn add(&mut self, part: Self) {
        self.recorded.events += part.recorded.events;
        self.recorded.duplicates += part.recorded.duplicates;
        self.recorded.signals.extend(part.recorded.signals);
        self.refused.extend(part.refused);
    }
}

/// The outcome of an item that can never be recorded. An item without a known message stands for itself.
fn failure(message: Uuid, project: ProjectId, key: Option<KeyId>, category: &str) -> Ended {
    let (outcome, reason, category) = (Outcome::Failed, "database".to_owned(), category.to_owned());
    let count = OutcomeCount { project: Some(project), key, outcome, reason, category, quantity: 1 };
    Ended { message, count }
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
