//! From raw items to rows, on worker threads.

mod item;

use crate::intake::Taken;
use crate::meters::Meters;
use crate::projects::{Projects, Snapshot};
use bugle_bus::Delivery;
use bugle_model::{Clock, IntakeBatch, KeyId, Outcome, OutcomeCount, ProjectId, RawItem};
use bugle_store::StoreError;
use bugle_store::record::{Batch, Ended};
use chrono::{DateTime, Utc};
use item::Part;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{Receiver, Sender};
use tokio::time::Instant;
use uuid::Uuid;

/// Items on one worker thread at least; below this, a second thread costs more than it brings.
const ITEMS_PER_THREAD: usize = 64;
const MOST_THREADS: usize = 4;

/// Rows that are ready to be written, and the deliveries that they came in.
pub(crate) struct Prepared {
    pub batch: Batch,
    pub deliveries: Vec<Delivery>,
    /// For each event of the batch, the delivery that it came in.
    pub sources: Vec<usize>,
    /// Deliveries that go to the dead letters once the rest of them is recorded, and why.
    pub dead: HashMap<usize, String>,
    /// When the oldest item was accepted.
    pub oldest: Option<DateTime<Utc>>,
    /// Held until they are written.
    pub turn: OwnedSemaphorePermit,
}

/// A raw item, and where it came from.
struct Taking {
    /// Which of the deliveries.
    source: usize,
    /// Its message.
    message: Uuid,
    raw: RawItem,
}

impl Taking {
    fn ended(&self, outcome: Outcome, reason: &str) -> Ended {
        Ended { message: self.message, count: item::outcome(&self.raw, outcome, reason) }
    }
}

/// Prepares what is taken. Ends when either side does.
pub(crate) async fn run(
    mut taken: Receiver<Taken>,
    projects: &Projects,
    clock: Arc<dyn Clock>,
    prepared: Sender<Prepared>,
    meters: Meters,
) {
    while let Some(taken) = taken.recv().await {
        let start = Instant::now();
        match prepare(taken, projects, clock.now()).await {
            Ok(next) => {
                meters.prepare.observe(start.elapsed().as_secs_f64());
                if prepared.send(next).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                // The deliveries were dropped, and come back.
                tracing::warn!(%error, "cannot read projects or keys");
                tokio::time::sleep(Duration::from_millis(200)).await;
                if error.is_away() {
                    return;
                }
            }
        }
    }
}

async fn prepare(taken: Taken, projects: &Projects, now: DateTime<Utc>) -> Result<Prepared, StoreError> {
    let Taken { deliveries, turn } = taken;
    let (deliveries, mut items, mut outcomes) = decode(deliveries).await;
    verify_keys(&mut items, projects, &mut outcomes).await?;
    let wanted: HashSet<ProjectId> = items.iter().map(|item| item.raw.project).collect();
    let snapshot = projects.snapshot(wanted.into_iter()).await?;
    let oldest = items.iter().map(|item| item.raw.received_at).min();
    let mut prepared = Prepared {
        batch: Batch { outcomes, ..Batch::default() },
        deliveries,
        sources: Vec::new(),
        dead: HashMap::new(),
        oldest,
        turn,
    };
    for Part { batch, sources, dead } in in_parallel(items, &snapshot, now).await? {
        prepared.batch.events.extend(batch.events);
        prepared.batch.attachments.extend(batch.attachments);
        prepared.batch.feedback.extend(batch.feedback);
        prepared.batch.outcomes.extend(batch.outcomes);
        prepared.sources.extend(sources);
        prepared
            .dead
            .extend(dead.into_iter().map(|delivery| (delivery, "an item cannot be prepared".to_owned())));
    }
    Ok(prepared)
}

/// Undoes the batches. One that cannot be read goes to the dead letters.
async fn decode(deliveries: Vec<Delivery>) -> (Vec<Delivery>, Vec<Taking>, Vec<Ended>) {
    let bodies: Vec<_> = deliveries.iter().map(|delivery| delivery.body().clone()).collect();
    let decoded = tokio::task::spawn_blocking(move || {
        bodies.iter().map(|body| IntakeBatch::decode(body)).collect::<Vec<_>>()
    });
    // A panic while decoding drops the deliveries, which come back.
    let decoded = decoded.await.unwrap_or_default();
    let (mut good, mut items, mut outcomes) = (Vec::new(), Vec::new(), Vec::new());
    for (delivery, result) in deliveries.into_iter().zip(decoded) {
        match result {
            Ok(batch) => {
                let (source, message) = (good.len(), delivery.id());
                items.extend(batch.into_iter().map(|raw| Taking { source, message, raw }));
                good.push(delivery);
            }
            Err(error) => {
                tracing::error!(id = %delivery.id(), %error, "an intake batch cannot be read; it is a dead letter");
                let (outcome, reason, category) = (Outcome::Failed, "batch".to_owned(), "default".to_owned());
                let count = OutcomeCount { project: None, key: None, outcome, reason, category, quantity: 1 };
                outcomes.push(Ended { message: delivery.id(), count });
                drop(delivery.reject(&error.to_string()).await);
            }
        }
    }
    (good, items, outcomes)
}

/// Decides about items that the door took without knowing their key. One that named no project (0) belongs to the
/// key's.
async fn verify_keys(
    items: &mut Vec<Taking>,
    projects: &Projects,
    outcomes: &mut Vec<Ended>,
) -> Result<(), StoreError> {
    let mut checked: HashMap<String, Option<(ProjectId, KeyId)>> = HashMap::new();
    for item in items.iter() {
        if let Some(public_key) = &item.raw.unverified_key
            && !checked.contains_key(public_key)
        {
            checked.insert(public_key.clone(), projects.check_key(public_key).await?);
        }
    }
    items.retain_mut(|taking| {
        let item = &mut taking.raw;
        let Some(public_key) = item.unverified_key.take() else { return true };
        if let Some((project, key)) = checked.get(&public_key).copied().flatten()
            && (item.project == ProjectId(0) || item.project == project)
        {
            (item.project, item.key) = (project, Some(key));
        }
        let known = item.key.is_some();
        if !known {
            outcomes.push(taking.ended(Outcome::Unauthorized, "unknown_key"));
        }
        known
    });
    Ok(())
}

async fn in_parallel(
    items: Vec<Taking>,
    snapshot: &Snapshot,
    now: DateTime<Utc>,
) -> Result<Vec<Part>, StoreError> {
    let threads = (items.len() / ITEMS_PER_THREAD).clamp(1, MOST_THREADS);
    let share = items.len().div_ceil(threads).max(1);
    let mut items = items.into_iter();
    let mut workers = Vec::new();
    loop {
        let part: Vec<_> = items.by_ref().take(share).collect();
        if part.is_empty() {
            break;
        }
        let snapshot = Arc::clone(snapshot);
        workers.push(tokio::task::spawn_blocking(move || item::prepare(part, &snapshot, now)));
    }
    let mut done = Vec::new();
    for worker in workers {
        // Nothing may be acknowledged that no worker has brought back.
        done.push(worker.await.map_err(|error| StoreError::Damaged(format!("a worker: {error}")))?);
    }
    Ok(done)
}
