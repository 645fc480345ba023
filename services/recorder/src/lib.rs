//! Takes what ingest made durable, and makes issues of it: parse, normalise, filter, scrub, group, persist.
//!
//! Three stages run at the same time. `intake` takes deliveries, fresh ones first; `prepare` turns them into
//! rows on worker threads; `persist` writes them, one transaction after the other, and acknowledges. Beside them,
//! `relay` publishes signals and `housekeeping` looks after partitions.
//!
//! While PostgreSQL is away nothing is consumed: what was taken goes back, and the consumers are opened again when
//! the database answers.

mod aside;
mod housekeeping;
mod intake;
mod meters;
mod persist;
mod prepare;
mod projects;
mod relay;

use aside::Aside;
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
        let most = config.recorder_prefetch;
        let stages =
            Stages { bus: &bus, clock: &clock, projects, most, meters: &meters, shutdown: &shutdown };
        let mut persister = Persister::new(store.clone(), Arc::clone(&clock), signals, meters.clone());
        let mut aside =
            Aside::new(Arc::clone(&bus), Arc::clone(&clock), intake::prefetch(most), meters.clone());
        let mut result = Ok(());
        while !shutdown.soft.is_cancelled() && result.is_ok() {
            aside.until(wait_for_database(&store, &clock, &shutdown)).await;
            let running = stages.run(&mut aside, &mut persister);
            // The hard stop drops what is under way: it is delivered again.
            result = shutdown.hard.run_until_cancelled(running).await.unwrap_or(Ok(()));
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

/// What the stages share.
struct Stages<'a> {
    bus: &'a Arc<dyn Bus>,
    clock: &'a Arc<dyn Clock>,
    projects: Projects,
    /// Deliveries of one transaction.
    most: usize,
    meters: &'a Meters,
    shutdown: &'a Shutdown,
}

impl Stages<'_> {
    /// Runs them until the soft stop, or until the database is away.
    async fn run(&self, aside: &mut Aside, persister: &mut Persister) -> Result<(), ServiceError> {
        let stop = self.shutdown.soft.child_token();
        let (taken, to_prepare) = mpsc::channel(1);
        let (prepared, to_persist) = mpsc::channel(1);
        let (bus, clock) = (Arc::clone(self.bus), Arc::clone(self.clock));
        let taking = intake::run(bus, self.most, clock, aside, taken, stop.clone());
        let clock = Arc::clone(self.clock);
        let preparing = prepare::run(to_prepare, &self.projects, clock, prepared, self.meters.clone());
        let persisting = async {
            persister.run(to_persist).await;
            // Whatever else is under way goes back to its queue.
            stop.cancel();
        };
        let (taking, (), ()) = tokio::join!(taking, preparing, persisting);
        Ok(taking?)
    }
}
