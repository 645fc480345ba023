//! Takes what ingest made durable, and makes issues of it: parse, normalise, filter, scrub, group, persist.
//!
//! Three stages run at the same time. `intake` takes deliveries, fresh ones first; `prepare` turns them into
//! rows on worker threads; `persist` writes them, one transaction after the other, and acknowledges. Beside them,
//! `relay` publishes signals and `housekeeping` looks after partitions.
//!
//! While PostgreSQL is away nothing is consumed: what was taken goes back, and the consumers are opened again when
//! the database answers.

mod housekeeping;
mod intake;
mod meters;
mod persist;
mod prepare;
mod projects;
mod relay;

use bugle_bus::Bus;
use bugle_model::Clock;
use bugle_runtime::health::{self, CheckResult};
use bugle_runtime::{Config, Metrics, Shutdown};
use bugle_store::Store;
use meters::Meters;
use persist::Persister;
use projects::Projects;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// How often an absent database is asked.
const PROBE: Duration = Duration::from_millis(250);
/// Transactions whose signals wait for the relay; beyond, the sweep takes them from the outbox.
const RELAY_DEPTH: usize = 256;

/// What the recorder needs.
pub struct Deps {
    /// Where batches come from and signals go.
    pub bus: Arc<dyn Bus>,
    /// Where everything is kept.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where to count.
    pub metrics: Metrics,
    /// Where to say that all is well.
    pub health: health::Registry,
}

/// Why the recorder ends by itself: it does not. What stands in its way (database, broker) is waited for.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The bus was closed under it.
    #[error("bus: {0}")]
    Bus(#[from] bugle_bus::BusError),
}

/// Runs until the soft stop, and until what is under way is recorded.
///
/// # Errors
/// When the bus was closed.
pub async fn run(config: Arc<Config>, deps: Deps, shutdown: Shutdown) -> Result<(), ServiceError> {
    let Deps { bus, store, clock, metrics, health } = deps;
    add_check(&health, &store);
    let meters = Meters::new(&metrics);
    let (signals, relayed) = mpsc::channel(RELAY_DEPTH);
    let relay = relay::run(relayed, store.clone(), Arc::clone(&bus), Arc::clone(&clock));
    let relay = shutdown.hard.run_until_cancelled(relay);
    let keeping = housekeeping::run(
        store.clone(),
        Arc::clone(&bus),
        Arc::clone(&clock),
        metrics,
        shutdown.soft.clone(),
    );
    let recording = async {
        let projects = Projects::new(store.clone());
        let mut persister = Persister::new(store.clone(), Arc::clone(&clock), signals, meters.clone());
        let mut result = Ok(());
        while !shutdown.soft.is_cancelled() && result.is_ok() {
            wait_for_database(&store, &clock, &shutdown).await;
            let prefetch = config.recorder_prefetch;
            let stages = record(&bus, prefetch, &projects, &mut persister, &meters, &clock, &shutdown);
            // The hard stop drops what is under way: it is delivered again.
            result = shutdown.hard.run_until_cancelled(stages).await.unwrap_or(Ok(()));
        }
        result
    };
    let (result, _, ()) = tokio::join!(recording, relay, keeping);
    result
}

fn add_check(health: &health::Registry, store: &Store) {
    let store = store.clone();
    health.add_ready(health::check("recorder", move || {
        let store = store.clone();
        async move {
            match store.check().await {
                Ok(()) => CheckResult::healthy("can record"),
                Err(error) => CheckResult::unhealthy(error.to_string()),
            }
        }
    }));
}

/// Waits until the database answers and has partitions for what is to come.
async fn wait_for_database(store: &Store, clock: &Arc<dyn Clock>, shutdown: &Shutdown) {
    let mut was_away = false;
    loop {
        match housekeeping::ready(store, clock.now()).await {
            Ok(()) => {
                if was_away {
                    tracing::info!("the database answers again");
                }
                return;
            }
            Err(error) if !was_away => {
                tracing::warn!(%error, "waiting for the database");
                was_away = true;
            }
            Err(_) => {}
        }
        if shutdown.soft.run_until_cancelled(tokio::time::sleep(PROBE)).await.is_none() {
            return;
        }
    }
}

/// Runs the stages until the soft stop, or until the database is away.
async fn record(
    bus: &Arc<dyn Bus>,
    prefetch: usize,
    projects: &Projects,
    persister: &mut Persister,
    meters: &Meters,
    clock: &Arc<dyn Clock>,
    shutdown: &Shutdown,
) -> Result<(), ServiceError> {
    let stop = shutdown.soft.child_token();
    let (taken, to_prepare) = mpsc::channel(1);
    let (prepared, to_persist) = mpsc::channel(1);
    let taking =
        intake::run(Arc::clone(bus), prefetch, Arc::clone(clock), taken, stop.clone(), meters.clone());
    let preparing = prepare::run(to_prepare, projects, Arc::clone(clock), prepared, meters.clone());
    let persisting = async {
        let away = persister.run(to_persist).await;
        // Whatever else is under way goes back to its queue.
        stop.cancel();
        away
    };
    let (taking, (), ()) = tokio::join!(taking, preparing, persisting);
    Ok(taking?)
}
