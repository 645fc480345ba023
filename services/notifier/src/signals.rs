//! Signals become rows: one notification per issue, destination, kind and generation, however often a signal comes.

use crate::routing;
use bugle_bus::{Bus, Delivery, Queue};
use bugle_model::{
    Clock, DestinationSettings, IssueId, IssueSignal, Priority, Signal, SignalBatch, SignalKind,
};
use bugle_runtime::{Counter, Metrics};
use bugle_store::destinations::{self, Destination};
use bugle_store::notifications::{self, NewNotification};
use bugle_store::oncall::{self, Opened, Trigger};
use bugle_store::ownership::{self, NewAssignment};
use bugle_store::{Connection, Store, StoreError, Transactions, by_keys};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Messages taken from the broker before the first is settled.
const PREFETCH: u16 = 64;
/// How often a batch is taken that stands in the way of another transaction, before it goes back to the broker.
const TRIES: usize = 3;
/// The pause before the broker is asked for another consumer.
const RESUBSCRIBE: Duration = Duration::from_secs(1);

/// The consumer of the notifier's queue.
pub struct Signals {
    store: Store,
    clock: Arc<dyn Clock>,
    wakes: Wakes,
    made: Counter,
    opened: Counter,
}

/// Who is told at once that something is due.
#[derive(Debug, Clone, Default)]
pub struct Wakes {
    /// The sender, of notifications.
    pub sender: Arc<Notify>,
    /// The escalator, of incidents.
    pub escalator: Arc<Notify>,
    /// The assigner, of issues to be given to somebody.
    pub assigner: Arc<Notify>,
}

/// What a batch came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Taken {
    notifications: usize,
    opened: usize,
    /// Issues to be given to somebody.
    unassigned: usize,
    /// Incidents have something due.
    hurry: bool,
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
    /// `wakes` are told that something is due.
    #[must_use]
    pub fn new(store: Store, clock: Arc<dyn Clock>, wakes: Wakes, metrics: &Metrics) -> Self {
        let made = metrics.counter("bugle_notifications_made_total", "Notifications made from signals.", &[]);
        let opened = metrics.counter("bugle_incidents_opened_total", "Incidents opened by signals.", &[]);
        Self { store, clock, wakes, made, opened }
    }

    /// Makes the notifications of a batch, and opens its incidents, in one transaction. How many notifications are new.
    ///
    /// # Errors
    /// When the database fails; then nothing was made.
    pub async fn take(&self, batch: &SignalBatch) -> Result<usize, StoreError> {
        let told: Vec<_> = batch.signals.iter().filter_map(Signal::notifies).collect();
        let changed: Vec<IssueId> = batch
            .signals
            .iter()
            .filter_map(|signal| match signal {
                Signal::IssueChanged { issue, .. } => Some(*issue),
                _ => None,
            })
            .collect();
        if told.is_empty() && changed.is_empty() {
            return Ok(0);
        }
        let now = self.clock.now();
        let mut conn = self.store.conn().await?;
        let mut tries = 0;
        let taken = loop {
            tries += 1;
            let attempt: Result<Taken, StoreError> =
                conn.transaction(async |conn| take(conn, &told, &changed, now).await).await;
            match attempt {
                Err(error) if error.is_conflict() && tries < TRIES => {
                    tracing::debug!(%error, tries, "transactions in each other's way");
                }
                other => break other?,
            }
        };
        self.made.add(taken.notifications as u64);
        self.opened.add(taken.opened as u64);
        if taken.notifications > 0 {
            self.wakes.sender.notify_one();
        }
        if taken.hurry {
            self.wakes.escalator.notify_one();
        }
        if taken.unassigned > 0 {
            self.wakes.assigner.notify_one();
        }
        Ok(taken.notifications)
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

async fn take(
    conn: &mut Connection,
    told: &[(SignalKind, &IssueSignal)],
    changed: &[IssueId],
    now: DateTime<Utc>,
) -> Result<Taken, StoreError> {
    by_keys(conn).await?;
    let mut taken = Taken { hurry: oncall::follow_issues(conn, changed, now).await?, ..Taken::default() };
    let projects: BTreeSet<i32> = told.iter().map(|(_, about)| about.project.0).collect();
    if projects.is_empty() {
        return Ok(taken);
    }
    let projects: Vec<i32> = projects.into_iter().collect();
    taken.notifications = notify(conn, told, &projects, now).await?;
    for trigger in triggers(conn, told, &projects).await? {
        match oncall::open(conn, &trigger, now).await? {
            Opened::New(incident) => {
                tracing::info!(%incident, issue = %trigger.issue, "an incident was opened");
                taken.opened += 1;
                taken.hurry = true;
            }
            Opened::Raised(_) => taken.hurry = true,
            Opened::Noted(_) | Opened::Nothing => {}
        }
    }
    taken.unassigned = ownership::enqueue(conn, &assignments(told), now).await?;
    Ok(taken)
}

/// Issues that are new, or have come back. The [`crate::Assigner`] gives them to somebody, in its own time.
fn assignments(told: &[(SignalKind, &IssueSignal)]) -> Vec<NewAssignment> {
    let come = told.iter().filter(|(kind, _)| matches!(kind, SignalKind::New | SignalKind::Regression));
    come.map(|(_, about)| NewAssignment {
        issue: about.issue,
        generation: about.generation,
        event_id: about.event_id,
    })
    .collect()
}

async fn notify(
    conn: &mut Connection,
    told: &[(SignalKind, &IssueSignal)],
    projects: &[i32],
    now: DateTime<Utc>,
) -> Result<usize, StoreError> {
    let destinations = destinations::enabled(conn, projects).await?;
    let mut new = Vec::new();
    for (kind, about) in told {
        let ours = destinations.iter().filter(|destination| destination.project == Some(about.project));
        for destination in ours.filter(|d| wants(d, *kind, about.priority, about.environment.as_deref())) {
            new.push(NewNotification {
                message_id: Uuid::now_v7(),
                project: about.project,
                issue: about.issue,
                destination: destination.id,
                kind: *kind,
                generation: about.generation,
                priority: about.priority,
                event_id: about.event_id,
                environment: about.environment.clone(),
                received_at: about.received_at,
            });
        }
    }
    notifications::insert(conn, &new, now).await
}

/// The signals that open an incident or belong to an open one, in the order of their issues: two that do this at once wait for each other
/// only when incidents became part of others, whose order is another one. PostgreSQL ends one of them then, and it is taken again.
async fn triggers(
    conn: &mut Connection,
    told: &[(SignalKind, &IssueSignal)],
    projects: &[i32],
) -> Result<Vec<Trigger>, StoreError> {
    let rules = routing::matching(conn, told, projects).await?;
    let issues: Vec<IssueId> = told.iter().map(|(_, about)| about.issue).collect();
    let open = oncall::open_issues(conn, &issues).await?;
    let mut triggers = Vec::new();
    for ((kind, about), rule) in told.iter().zip(rules) {
        if rule.is_some() || open.contains(&about.issue) {
            triggers.push(Trigger {
                issue: about.issue,
                kind: *kind,
                generation: about.generation,
                priority: about.priority,
                event_id: about.event_id,
                environment: about.environment.clone(),
                received_at: about.received_at,
                rule,
            });
        }
    }
    // Stable: of one issue the first signal opens, and the others are told.
    triggers.sort_by_key(|trigger| trigger.issue);
    Ok(triggers)
}

fn report(settled: Result<(), bugle_bus::BusError>) {
    if let Err(error) = settled {
        // It comes again, and makes no second notification.
        tracing::warn!(%error, "the broker could not be told that a signal is done");
    }
}
