//! Starting, running in the background, stopping.

use crate::addresses::AddressLimits;
use crate::batch::{Batcher, Outlet};
use crate::cleaning;
use crate::disk::Disk;
use crate::door::{self, Door};
use crate::files;
use crate::memory::Memory;
use crate::metrics::IngestMetrics;
use crate::objects::{ObjectError, Objects};
use crate::outcomes::Outcomes;
use crate::quota::Quotas;
use crate::settings::Settings;
use crate::state::Ingest;
use actix_web::web::Data;
use bugle_bus::spool::Spool;
use bugle_bus::{Bus, LogError, LogLimits};
use bugle_model::Clock;
use bugle_runtime::health::{self, CheckResult, Registry};
use bugle_runtime::{Metrics, Shutdown};
use bugle_store::Store;
use bugle_store::heartbeats::{self, Heartbeat};
use chrono::{DateTime, Utc};
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use thiserror::Error;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const SAVE_QUOTAS: Duration = Duration::from_secs(3);
const LOOK_AT_DISK: Duration = Duration::from_secs(1);
const HEARTBEAT: Duration = Duration::from_secs(4);
/// After the soft stop: how long the door must be quiet before it closes, and how long it waits for that.
const QUIET: Duration = Duration::from_millis(300);
const LONGEST_STOP: Duration = Duration::from_secs(15);

/// What ingest needs of others.
#[derive(Clone)]
pub struct Deps {
    /// Where items go.
    pub bus: Arc<dyn Bus>,
    /// Keys, outcomes, heartbeats. Without it ingest goes by the snapshot that it saved last.
    pub store: Option<Store>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// Where metrics are registered.
    pub metrics: Metrics,
    /// Where checks are registered.
    pub health: Registry,
}

/// Why ingest cannot start.
#[derive(Debug, Error)]
pub enum ServiceError {
    /// The data folder.
    #[error("data folder {0}: {1}")]
    Folder(PathBuf, std::io::Error),
    /// The spool.
    #[error("spool: {0}")]
    Spool(#[from] LogError),
    /// The attachments.
    #[error(transparent)]
    Objects(#[from] ObjectError),
}

/// Ingest, started. [`Service::state`] goes to [`crate::routes()`]; [`Service::run`] keeps it going until the stop.
pub struct Service {
    state: Data<Ingest>,
    tasks: JoinSet<()>,
    delivery: JoinSet<()>,
    /// Ends everything but delivery.
    stop: CancellationToken,
    /// Ends delivery, when all else has.
    last: CancellationToken,
}

impl Service {
    /// Opens files and spool, and starts what goes on in the background. Neither database nor broker need to be there.
    ///
    /// # Errors
    /// When the data folder, the spool or the place for attachments cannot be used.
    pub async fn start(settings: Settings, deps: Deps) -> Result<Self, ServiceError> {
        let dir = settings.own_dir();
        files::make_private_dir(&dir).map_err(|error| ServiceError::Folder(dir.clone(), error))?;
        let state = Arc::new(build(settings, &deps).await?);
        let (stop, last) = (CancellationToken::new(), CancellationToken::new());
        let (mut tasks, mut delivery) = (JoinSet::new(), JoinSet::new());
        delivery.spawn(Arc::clone(&state.batcher).run(last.clone()));
        tasks.spawn(Arc::clone(&state.outlet).drain(stop.clone()));
        tasks.spawn(save_quotas(Arc::clone(&state), stop.clone()));
        tasks.spawn(look_around(Arc::clone(&state), stop.clone()));
        if let Some(store) = deps.store {
            tasks.spawn(door::run(
                Arc::clone(&state.door),
                store.clone(),
                Arc::clone(&state.clock),
                stop.clone(),
            ));
            delivery.spawn(Arc::clone(&state.outcomes).run(store.clone(), last.clone()));
            tasks.spawn(cleaning::run(Arc::clone(&state), store.clone(), stop.clone()));
            tasks.spawn(beat(Arc::clone(&state), store, stop.clone()));
        }
        add_checks(&deps.health, &state);
        Ok(Self { state: Data::from(state), tasks, delivery, stop, last })
    }

    /// What [`crate::routes()`] needs.
    #[must_use]
    pub fn state(&self) -> Data<Ingest> {
        self.state.clone()
    }

    /// Runs until the soft stop, then until the requests under way are answered and everything is written down. The hard
    /// stop cuts the waiting short.
    pub async fn run(self, shutdown: Shutdown) {
        let Self { state, mut tasks, mut delivery, stop, last } = self;
        shutdown.soft.cancelled().await;
        let quiet = timeout(LONGEST_STOP, wait_until_quiet(&state));
        let _ = shutdown.hard.run_until_cancelled(quiet).await;
        stop.cancel();
        last.cancel();
        let ending = async {
            while delivery.join_next().await.is_some() {}
            while tasks.join_next().await.is_some() {}
            if let Some(spool) = &state.outlet.spool {
                spool.close().await;
            }
        };
        let _ = shutdown.hard.run_until_cancelled(timeout(LONGEST_STOP, ending)).await;
    }
}

async fn build(settings: Settings, deps: &Deps) -> Result<Ingest, ServiceError> {
    let dir = settings.own_dir();
    let spool = if settings.spool {
        let limits = LogLimits { max_bytes: settings.spool_max, ..LogLimits::default() };
        Some(Spool::open(&settings.data_dir.join("spool"), limits).await?)
    } else {
        None
    };
    let metrics = Arc::new(IngestMetrics::new(&deps.metrics));
    let disk = Arc::new(Disk::new(&settings.data_dir, settings.min_free_disk));
    let outlet = Arc::new(Outlet {
        bus: Arc::clone(&deps.bus),
        spool,
        disk: Arc::clone(&disk),
        clock: Arc::clone(&deps.clock),
        metrics: Arc::clone(&metrics),
        confirm_timeout: settings.confirm_timeout,
        drain_rate: settings.drain_rate,
    });
    Ok(Ingest {
        memory: Memory::new(settings.max_in_flight, settings.memory_wait),
        door: Arc::new(Door::load(&dir, deps.store.is_some())),
        quotas: Arc::new(Quotas::load(files::load(&dir.join("quotas.json")).unwrap_or_default())),
        outcomes: Arc::new(Outcomes::new(Arc::clone(&deps.clock), Arc::clone(&metrics))),
        objects: Objects::open(&settings.object_store, &settings.data_dir)?,
        batcher: Arc::new(Batcher::new(Arc::clone(&outlet))),
        frontend: AddressLimits::new(settings.frontend_per_minute),
        under_way: Arc::new(AtomicUsize::new(0)),
        clock: Arc::clone(&deps.clock),
        outlet,
        metrics,
        disk,
        settings,
    })
}

/// Waits until no request has been under way for a moment: the server may still hand over what it had accepted.
async fn wait_until_quiet(state: &Ingest) {
    let mut since = Instant::now();
    while since.elapsed() < QUIET {
        if state.under_way.load(Ordering::Acquire) > 0 {
            since = Instant::now();
        }
        sleep(Duration::from_millis(10)).await;
    }
}

async fn save_quotas(state: Arc<Ingest>, stop: CancellationToken) {
    let file = state.settings.own_dir().join("quotas.json");
    loop {
        let stopping = stop.run_until_cancelled(sleep(SAVE_QUOTAS)).await.is_none();
        if let Some(saved) = state.quotas.changed() {
            let file = file.clone();
            if let Ok(Err(error)) = tokio::task::spawn_blocking(move || files::save(&file, &saved)).await {
                tracing::warn!(%error, "cannot save the quotas");
            }
        }
        if stopping {
            return;
        }
    }
}

/// Looks at disk and spool.
async fn look_around(state: Arc<Ingest>, stop: CancellationToken) {
    let mut had_room = true;
    while stop.run_until_cancelled(sleep(LOOK_AT_DISK)).await.is_some() {
        let disk = Arc::clone(&state.disk);
        if let Ok(free) = tokio::task::spawn_blocking(move || disk.look()).await {
            state.metrics.free_disk.set(free as f64);
        }
        let has_room = state.disk.has_room();
        if had_room != has_room {
            tracing::warn!(has_room, "free space of the data folder crossed the minimum");
            had_room = has_room;
        }
        if let Some(spool) = &state.outlet.spool {
            let stats = spool.stats();
            state.metrics.spool_batches.set(stats.records as f64);
            state.metrics.spool_bytes.set(stats.bytes as f64);
        }
    }
}

async fn beat(state: Arc<Ingest>, store: Store, stop: CancellationToken) {
    let instance = Uuid::new_v4();
    let started_at = state.clock.now();
    loop {
        let beating = write_beat(&state, &store, instance, started_at);
        if let Some(Err(error)) = stop.run_until_cancelled(beating).await {
            tracing::debug!(%error, "the heartbeat waits for the database");
        }
        if stop.run_until_cancelled(sleep(HEARTBEAT)).await.is_none() {
            break;
        }
    }
    let leaving = async {
        let mut connection = store.conn().await?;
        heartbeats::leave(&mut connection, "ingest", instance).await
    };
    // Otherwise the others notice within seconds.
    let _ = timeout(Duration::from_secs(2), leaving).await;
}

async fn write_beat(
    state: &Ingest,
    store: &Store,
    instance: Uuid,
    started_at: DateTime<Utc>,
) -> Result<(), bugle_store::StoreError> {
    let spool = state.outlet.spool.as_ref().map(Spool::stats).unwrap_or_default();
    let beat = Heartbeat {
        service: "ingest".to_owned(),
        instance,
        started_at,
        seen_at: state.clock.now(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        state: json!({
            "spool_batches": spool.records,
            "spool_bytes": spool.bytes,
            "accepted_items": state.metrics.accepted.get(),
            "can_accept": state.outlet.is_open(),
        }),
    };
    let mut connection = store.conn().await?;
    heartbeats::beat(&mut connection, &beat).await
}

fn add_checks(registry: &Registry, state: &Arc<Ingest>) {
    let outlet = Arc::clone(&state.outlet);
    registry.add_ready(health::check("ingest", move || {
        let is_open = outlet.is_open();
        async move {
            if is_open {
                CheckResult::healthy("items can be made durable")
            } else {
                CheckResult::unhealthy("items cannot be made durable: broker away and disk full")
            }
        }
    }));
    let disk = Arc::clone(&state.disk);
    registry.add_overall(health::check("disk", move || {
        let has_room = disk.has_room();
        async move {
            if has_room {
                CheckResult::healthy("enough space is free")
            } else {
                CheckResult::unhealthy("less space is free than min_free_disk")
            }
        }
    }));
    let outlet = Arc::clone(&state.outlet);
    registry.add_overall(health::check("spool", move || {
        let stats = outlet.spool.as_ref().map(Spool::stats);
        async move {
            match stats {
                None => CheckResult::healthy("the embedded bus needs none"),
                Some(stats) if stats.records == 0 => CheckResult::healthy("empty"),
                Some(stats) => CheckResult::healthy(format!("{} batches wait for the broker", stats.records)),
            }
        }
    }));
}
