//! Partitions ahead, retention behind, and the recorder's heartbeat. Removing what is past its time may take long, and
//! nothing waits for it.

use bugle_bus::{Bus, Queue};
use bugle_model::Clock;
use bugle_runtime::Metrics;
use bugle_store::heartbeats::{self, Heartbeat};
use bugle_store::issues::{ignore, moves};
use bugle_store::{Store, StoreError, outbox, partitions, statistics, stats, upkeep};
use chrono::{DateTime, Utc};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const HEARTBEAT: Duration = Duration::from_secs(4);
/// How long events follow their issue between two heartbeats.
const MOVING: Duration = Duration::from_secs(2);
const MAINTENANCE: Duration = Duration::from_secs(600);
/// The pause after a maintenance that failed.
const AGAIN: Duration = Duration::from_secs(10);
const CLEANING: Duration = Duration::from_secs(24 * 3600);

/// Whether the database answers and has partitions for today; makes them when it has not.
pub(crate) async fn ready(store: &Store, now: DateTime<Utc>) -> Result<(), StoreError> {
    let mut connection = store.conn().await?;
    if partitions::ahead(&mut connection, now.date_naive()).await? == 0 {
        partitions::make(&mut connection, now).await?;
    }
    Ok(())
}

/// Runs until the stop.
pub(crate) async fn run(
    store: Store,
    bus: Arc<dyn Bus>,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    stop: CancellationToken,
) {
    let keeping = stop.run_until_cancelled(keep(&store, &clock));
    tokio::join!(beat(&store, &bus, &clock, &metrics, &stop), keeping);
}

async fn keep(store: &Store, clock: &Arc<dyn Clock>) {
    let mut cleaned: Option<Instant> = None;
    loop {
        let maintained = maintain(store, clock.now()).await;
        if maintained && cleaned.is_none_or(|at| at.elapsed() > CLEANING) {
            clean(store, clock.now()).await;
            cleaned = Some(Instant::now());
        }
        tokio::time::sleep(if maintained { MAINTENANCE } else { AGAIN }).await;
    }
}

async fn beat(
    store: &Store,
    bus: &Arc<dyn Bus>,
    clock: &Arc<dyn Clock>,
    metrics: &Metrics,
    stop: &CancellationToken,
) {
    let instance = Uuid::now_v7();
    let started_at = clock.now();
    loop {
        refresh_statistics(store).await;
        end_ignoring(store, clock.now()).await;
        move_events(store, clock.now()).await;
        let state = gauges(store, bus, metrics).await;
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let beat = Heartbeat {
            service: "recorder".to_owned(),
            instance,
            started_at,
            seen_at: clock.now(),
            version,
            state,
        };
        if let Ok(mut connection) = store.conn().await {
            drop(heartbeats::beat(&mut connection, &beat).await);
        }
        if stop.run_until_cancelled(tokio::time::sleep(HEARTBEAT)).await.is_none() {
            break;
        }
    }
    if let Ok(mut connection) = store.conn().await {
        drop(heartbeats::leave(&mut connection, "recorder", instance).await);
    }
}

async fn refresh_statistics(store: &Store) {
    let result = async { statistics::refresh(&mut *store.conn().await?).await }.await;
    if let Err(error) = result
        && !error.is_away()
    {
        tracing::warn!(%error, "tables that have grown could not be analysed");
    }
}

/// Ends the ignoring of issues whose time has come. The relay's sweep publishes the signals.
async fn end_ignoring(store: &Store, now: DateTime<Utc>) {
    let result = async { ignore::sweep(&mut *store.conn().await?, now).await }.await;
    match result {
        Ok(0) => {}
        Ok(issues) => tracing::info!(issues, "issues are not ignored any more: their time has come"),
        Err(error) if error.is_away() => {}
        Err(error) => tracing::warn!(%error, "ignored issues could not be looked at"),
    }
}

/// Brings events of merged and deleted issues a few parts further.
async fn move_events(store: &Store, now: DateTime<Utc>) {
    let start = Instant::now();
    while start.elapsed() < MOVING {
        let result = async { moves::advance(&mut *store.conn().await?, now).await }.await;
        match result {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                if !error.is_away() && !error.is_conflict() {
                    tracing::warn!(%error, "events could not follow their issue");
                }
                return;
            }
        }
    }
}

async fn maintain(store: &Store, now: DateTime<Utc>) -> bool {
    let result = async { upkeep::maintain(&mut *store.conn().await?, now).await }.await;
    match result {
        Ok(done) => {
            if done.made + done.dropped > 0 {
                tracing::info!(made = done.made, dropped = done.dropped, "partitions maintained");
            }
            true
        }
        Err(error) => {
            if !error.is_away() {
                tracing::warn!(%error, "maintenance failed; it is tried again");
            }
            false
        }
    }
}

async fn clean(store: &Store, now: DateTime<Utc>) {
    let result = async { upkeep::clean(&mut *store.conn().await?, now).await }.await;
    if let Err(error) = result
        && !error.is_away()
    {
        tracing::warn!(%error, "the daily cleaning failed in part; it is done again tomorrow");
    }
}

/// How much waits, as metrics and for the heartbeat.
async fn gauges(store: &Store, bus: &Arc<dyn Bus>, metrics: &Metrics) -> serde_json::Value {
    let mut state = serde_json::Map::new();
    for queue in Queue::ALL {
        let Ok(depth) = bus.depth(queue).await else { continue };
        let labels = [("queue", queue.name())];
        metrics
            .gauge("bugle_bus_messages", "Messages that wait in a queue.", &labels)
            .set(depth.messages as f64);
        metrics.gauge("bugle_bus_dead_letters", "Dead letters of a queue.", &labels).set(depth.dead as f64);
        state.insert(queue.name().to_owned(), json!({ "messages": depth.messages, "dead": depth.dead }));
    }
    let counted = async {
        let mut connection = store.conn().await?;
        Ok::<_, StoreError>((
            outbox::depth(&mut connection).await?,
            stats::last_event(&mut connection).await?,
        ))
    };
    if let Ok((waiting, last_event)) = counted.await {
        metrics
            .gauge("bugle_outbox_messages", "Signals that no broker has confirmed yet.", &[])
            .set(waiting as f64);
        state.insert("last_event".to_owned(), json!(last_event));
    }
    serde_json::Value::Object(state)
}
