//! Signals become rows: one notification per issue, destination, kind and generation, however often a signal comes.

use bugle_bus::{Bus, Delivery, Queue};
use bugle_model::{Clock, DestinationSettings, Priority, Signal, SignalBatch, SignalKind};
use bugle_runtime::{Counter, Metrics};
use bugle_store::destinations::{self, Destination};
use bugle_store::notifications::{self, NewNotification};
use bugle_store::{Store, StoreError};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Messages taken from the broker before the first is settled.
const PREFETCH: u16 = 64;
/// The pause before the broker is asked for another consumer.
const RESUBSCRIBE: Duration = Duration::from_secs(1);

/// The consumer of the notifier's queue.
pub struct Signals {
    store: Store,
    clock: Arc<dyn Clock>,
    wake: Arc<Notify>,
    made: Counter,
}

/// Whether a destination wants to hear of this.
#[must_use]
pub fn wants(
    destination: &Destination,
    kind: SignalKind,
    priority: Priority,
    environment: Option<&str>,
) -> bool {
    let DestinationSettings { environments, kinds, .. } = &destination.settings;
    let environment_fits = environments.is_empty()
        || environment.is_some_and(|name| environments.iter().any(|wanted| wanted == name));
    destination.enabled
        && priority >= destination.min_priority
        && (kinds.is_empty() || kinds.contains(&kind))
        && environment_fits
}

impl Signals {
    /// `wake` tells the sender that something is due.
    #[must_use]
    pub fn new(store: Store, clock: Arc<dyn Clock>, wake: Arc<Notify>, metrics: &Metrics) -> Self {
        let made = metrics.counter("bugle_notifications_made_total", "Notifications made from signals.", &[]);
        Self { store, clock, wake, made }
    }

    /// Makes the notifications of a batch. How many are new.
    ///
    /// # Errors
    /// When the database fails; then none was made.
    pub async fn take(&self, batch: &SignalBatch) -> Result<usize, StoreError> {
        let told: Vec<_> = batch.signals.iter().filter_map(Signal::notifies).collect();
        let projects: BTreeSet<i32> = told.iter().map(|(_, about)| about.project.0).collect();
        if projects.is_empty() {
            return Ok(0);
        }
        let mut conn = self.store.conn().await?;
        let projects: Vec<i32> = projects.into_iter().collect();
        let destinations = destinations::enabled(&mut conn, &projects).await?;
        let mut new = Vec::new();
        for (kind, about) in told {
            let ours = destinations.iter().filter(|destination| destination.project == about.project);
            for destination in ours.filter(|d| wants(d, kind, about.priority, about.environment.as_deref())) {
                new.push(NewNotification {
                    message_id: Uuid::now_v7(),
                    project: about.project,
                    issue: about.issue,
                    destination: destination.id,
                    kind,
                    generation: about.generation,
                    priority: about.priority,
                    event_id: about.event_id,
                    environment: about.environment.clone(),
                    received_at: about.received_at,
                });
            }
        }
        let made = notifications::insert(&mut conn, &new, self.clock.now()).await?;
        self.made.add(made as u64);
        if made > 0 {
            self.wake.notify_one();
        }
        Ok(made)
    }

    /// Consumes until `stop`. Several batches are under way at the same time.
    pub async fn run(self: Arc<Self>, bus: Arc<dyn Bus>, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let mut consumer = match bus.consume(Queue::NotifierSignals, PREFETCH).await {
                Ok(consumer) => consumer,
                Err(error) => {
                    tracing::warn!(%error, "cannot consume signals");
                    tokio::select! {
                        () = tokio::time::sleep(RESUBSCRIBE) => continue,
                        () = stop.cancelled() => return,
                    }
                }
            };
            loop {
                let delivery = tokio::select! {
                    delivery = consumer.next() => delivery,
                    () = stop.cancelled() => return,
                };
                let Some(delivery) = delivery else { break };
                if !self.settle(delivery).await {
                    break;
                }
            }
            drop(consumer);
            // The database is away: consume again when it is back, instead of spinning the queue.
            self.database_back(&stop).await;
        }
    }

    /// Whether to go on; not while the database is away.
    async fn settle(&self, delivery: Delivery) -> bool {
        let batch = match serde_json::from_slice::<SignalBatch>(delivery.body()) {
            Ok(batch) if batch.v == 1 => batch,
            Ok(batch) => {
                tracing::error!(version = batch.v, "signal of an unknown version");
                report(delivery.reject("unknown version").await);
                return true;
            }
            Err(error) => {
                tracing::error!(%error, "signal that cannot be read");
                report(delivery.reject("not a signal batch").await);
                return true;
            }
        };
        match self.take(&batch).await {
            Ok(_) => {
                report(delivery.ack().await);
                true
            }
            Err(error) if error.is_away() => {
                tracing::warn!(%error, "signals wait");
                delivery.retry();
                false
            }
            Err(error) => {
                tracing::error!(%error, "signals could not be stored, trying again");
                delivery.retry();
                true
            }
        }
    }

    async fn database_back(&self, stop: &CancellationToken) {
        while self.store.check().await.is_err() {
            tokio::select! {
                () = tokio::time::sleep(RESUBSCRIBE) => {}
                () = stop.cancelled() => return,
            }
        }
    }
}

fn report(settled: Result<(), bugle_bus::BusError>) {
    if let Err(error) = settled {
        // It comes again, and makes no second notification.
        tracing::warn!(%error, "the broker could not be told that a signal is done");
    }
}
