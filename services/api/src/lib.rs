//! The REST API: `/api/v1/…`, and the older contract under `/api/error-logging/`.
//!
//! [`routes`] mounts the endpoints, one file each; [`run`] adds the health checks and lives until the soft stop.
//! Every other path is a page of the dashboard.
//! Errors are `application/problem+json`; lists are `{"items": […], "next": …}`; what an endpoint needs of its caller
//! is said where it is declared: see [`access`].

pub mod access;
pub mod accounts;
pub mod canary;
pub mod checks;
mod dashboard;
mod endpoints;
mod error;
mod live;
mod openapi;
pub mod projects;
mod query;
mod releases;
mod requests;
mod signatures;
mod view;

pub use endpoints::{declared, document, routes};
pub use error::ApiError;

use accounts::oidc::Oidc;
use accounts::passwords::Passwords;
use bugle_bus::Bus;
use bugle_model::Clock;
use bugle_runtime::health::Registry;
use bugle_runtime::{Config, Metrics, Shutdown};
use bugle_store::Store;
use bugle_store::heartbeats::{self, Heartbeat};
use bugle_web::auth::TokenHash;
use bugle_web::objects::{self, Place, PlaceError};
use canary::Canary;
use checks::OnCall;
use chrono::{DateTime, TimeDelta, Utc};
use live::Live;
use requests::limit::Limits;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::Semaphore;
use uuid::Uuid;

const HEARTBEAT: Duration = Duration::from_secs(10);
/// How often ended sessions and links are removed.
const PRUNE: TimeDelta = TimeDelta::hours(1);
/// How often it looks whether on-call works: a notifier that is gone cannot say so.
const LOOK: TimeDelta = TimeDelta::minutes(1);

/// What the API works with.
#[derive(Clone)]
pub struct Deps {
    /// For the dead letters and the broker's health.
    pub bus: Arc<dyn Bus>,
    /// The system of record.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where numbers go.
    pub metrics: Metrics,
    /// Where checks go.
    pub health: Registry,
    /// A token that works without the database: the hash of the one in the data folder, which the
    /// command line on the same machine uses.
    pub local_token: Option<TokenHash>,
}

/// Why the API stopped by itself.
#[derive(Debug, Error)]
pub enum ServiceError {
    /// The client of the checks or of the canary cannot be made.
    #[error("api: http client: {0}")]
    Client(#[from] reqwest::Error),
}

/// What handlers get.
#[derive(Clone)]
pub struct State {
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) config: Arc<Config>,
    pub(crate) local_token: Option<TokenHash>,
    pub(crate) passwords: Passwords,
    pub(crate) attachments: Place,
    pub(crate) live: Live,
    /// The provider that people may sign in with.
    pub(crate) oidc: Option<Arc<Oidc>>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) alerts: endpoints::AlertCounts,
    /// Of whoever waits for their turn to change something under a condition: one per process.
    pub(crate) turns: Arc<Semaphore>,
}

impl State {
    /// The state for [`routes`].
    ///
    /// # Errors
    /// When the place of the attachments cannot be used.
    pub fn new(config: Arc<Config>, deps: &Deps) -> Result<Self, PlaceError> {
        let live = Live::new(deps.store.clone(), Arc::clone(&deps.clock), config.live_sockets, &deps.metrics);
        Ok(Self {
            bus: Arc::clone(&deps.bus),
            store: deps.store.clone(),
            clock: Arc::clone(&deps.clock),
            attachments: objects::open(&config.object_store, &config.data_dir)?,
            oidc: Oidc::of(&config, Arc::clone(&deps.clock)).map(Arc::new),
            limits: Arc::new(Limits::new(config.api_rate_limit)),
            config,
            local_token: deps.local_token,
            passwords: Passwords::new(),
            live,
            alerts: endpoints::AlertCounts::new(&deps.metrics),
            turns: Arc::new(Semaphore::new(1)),
        })
    }
}

/// Adds the checks of `/health/` and `/health/ready/`; shows a sign of life, and lets the canary fly, until the soft stop.
///
/// # Errors
/// See [`ServiceError`].
pub async fn run(config: Arc<Config>, deps: Deps, shutdown: Shutdown) -> Result<(), ServiceError> {
    deps.health.add_ready(checks::database("api", deps.store.clone()));
    for probe in checks::probes(&config)? {
        deps.health.add_overall(probe);
    }
    let on_call = OnCall::new(deps.store.clone(), Arc::clone(&deps.clock), &deps.metrics);
    deps.health.add_overall(on_call.check());
    let canary = Canary::new(&config, deps.store.clone(), Arc::clone(&deps.clock), &deps.metrics)?;
    let flying = async {
        if let Some(canary) = canary {
            canary.run(shutdown.clone()).await;
        }
    };
    tokio::join!(keep(&deps, &on_call, &shutdown), flying);
    Ok(())
}

/// Shows a sign of life, looks whether on-call works, and removes what has ended, until the soft stop.
async fn keep(deps: &Deps, on_call: &OnCall, shutdown: &Shutdown) {
    let now = deps.clock.now();
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let state = serde_json::json!({});
    let mut beat = Heartbeat {
        service: "api".to_owned(),
        instance: Uuid::new_v4(),
        started_at: now,
        seen_at: now,
        version,
        state,
    };
    let (mut pruned_at, mut looked_at) = (None, now);
    while !shutdown.soft.is_cancelled() {
        beat.seen_at = deps.clock.now();
        if pruned_at.is_none_or(|at| beat.seen_at - at >= PRUNE) {
            pruned_at = Some(beat.seen_at);
            if let Err(error) = prune(&deps.store, beat.seen_at).await {
                tracing::debug!(%error, "ended sessions and links could not be removed");
            }
        }
        if beat.seen_at - looked_at >= LOOK {
            looked_at = beat.seen_at;
            let found = on_call.look().await;
            if !found.healthy {
                tracing::error!(found = found.message, "on-call does not work");
            }
        }
        if let Err(error) = show(&deps.store, &beat).await {
            tracing::debug!(%error, "no sign of life could be written");
        }
        tokio::select! {
            () = shutdown.soft.cancelled() => {}
            () = tokio::time::sleep(HEARTBEAT) => {}
        }
    }
    let leaving = async {
        let mut connection = deps.store.conn().await?;
        heartbeats::leave(&mut connection, &beat.service, beat.instance).await
    };
    // With the database away the row is pruned later.
    drop(tokio::time::timeout(Duration::from_secs(1), leaving).await);
}

async fn show(store: &Store, beat: &Heartbeat) -> Result<(), bugle_store::StoreError> {
    let mut connection = store.conn().await?;
    heartbeats::beat(&mut connection, beat).await
}

async fn prune(store: &Store, now: DateTime<Utc>) -> Result<(), bugle_store::StoreError> {
    let mut connection = store.conn().await?;
    bugle_store::attempts::prune(&mut connection, now).await?;
    bugle_store::oidc::prune(&mut connection, now).await?;
    bugle_store::comments::prune(&mut connection, now).await?;
    bugle_store::oncall::prune_answer_links(&mut connection, now).await?;
    bugle_store::oncall::prune_replies(&mut connection, now).await?;
    bugle_store::idempotency::prune(&mut connection, now).await
}
