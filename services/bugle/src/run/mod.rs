//! `bugle run`: builds each part once, starts it, and stops it in order.

mod clock;
pub(crate) mod local_token;
mod role;
mod schema;
mod services;

use crate::commands;
use crate::output::line;
use actix_web::web::ServiceConfig;
use anyhow::{Context, bail};
use bugle_api::checks;
use bugle_bus::{Bus, BusConfig};
use bugle_ingest::Settings;
use bugle_model::Clock;
use bugle_runtime::health::Registry;
use bugle_runtime::{Config, DatabaseClock, Metrics, Shutdown, telemetry};
use bugle_store::Store;
use bugle_web::operations;
use clap::Args;
use role::{Role, Roles};
use services::Services;
use std::net::TcpListener;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// At the start the database gets this long to tell the time and which migrations are pending.
const START_PATIENCE: Duration = Duration::from_secs(3);
/// After the hard stop everything has this long to let go.
const LAST_MOMENT: Duration = Duration::from_secs(3);

/// What to run.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Only these services; may be repeated, or separated by commas. All of them when left out.
    #[arg(long = "service", value_delimiter = ',')]
    services: Vec<Role>,
}

/// What every service gets.
#[derive(Clone)]
struct Parts {
    config: Arc<Config>,
    roles: Roles,
    bus: Arc<dyn Bus>,
    /// Absent only when ingest runs alone without a database.
    store: Option<Store>,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    health: Registry,
    shutdown: Shutdown,
}

/// Runs until a signal, or until a service ends by itself, which is a failure.
pub(crate) async fn run(config: Config, arguments: Arguments) -> anyhow::Result<()> {
    telemetry::init(&config)?;
    let roles = Roles::new(&arguments.services);
    check(&config, &roles)?;
    private_folder(&config.data_dir).with_context(|| format!("data folder {}", config.data_dir.display()))?;
    let listener = TcpListener::bind(config.http_addr)
        .with_context(|| format!("cannot listen on {} (BUGLE_HTTP_ADDR)", config.http_addr))?;
    let shutdown = Shutdown::new();
    shutdown.follow_signals(config.stop_deadline)?;
    let parts = build(config, roles, shutdown).await?;
    let result = serve(&parts, listener).await;
    parts.shutdown.stop();
    let closing = tokio::time::timeout(LAST_MOMENT, parts.bus.close());
    if parts.shutdown.hard.is_cancelled() || closing.await.is_err() {
        tracing::warn!("stopped before everything was drained");
    }
    result
}

/// What would only fail later, or in silence.
fn check(config: &Config, roles: &Roles) -> anyhow::Result<()> {
    if !roles.are_all() && config.amqp_url.is_none() {
        bail!(
            "only {roles} would run here, and the embedded bus reaches no other process: \
             set BUGLE_AMQP_URL, or run all services in one process"
        );
    }
    if config.database_url.is_none() && !roles.are_only_ingest() {
        bail!("BUGLE_DATABASE_URL is not set; expected postgres://user:password@host:5432/bugle");
    }
    Ok(())
}

/// What waits in the data folder is raw: nobody else may look.
pub(crate) fn private_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

async fn build(config: Config, roles: Roles, shutdown: Shutdown) -> anyhow::Result<Parts> {
    let store = config.database_url.is_some().then(|| commands::store(&config)).transpose()?;
    let database_clock = DatabaseClock::new();
    if let Some(store) = &store {
        // A database that is away must not hold up ingest.
        let _ = tokio::time::timeout(START_PATIENCE, clock::ask(&database_clock, store)).await;
        tokio::spawn(clock::follow(database_clock.clone(), store.clone(), shutdown.clone()));
    }
    let clock: Arc<dyn Clock> = Arc::new(database_clock);
    let mut bus = BusConfig::new(config.data_dir.clone(), Arc::clone(&clock));
    bus.amqp_url = config.amqp_url.as_ref().map(|url| url.reveal().clone());
    bus.connection_name = format!("bugle {roles}");
    let bus = bugle_bus::connect(bus).await?;
    let health = Registry::new();
    if let Some(store) = &store {
        health.add_overall(checks::database("database", store.clone()));
    }
    health.add_overall(checks::broker(Arc::clone(&bus)));
    health.add_overall(checks::disk(config.data_dir.clone(), config.min_free_disk));
    health.add_overall(checks::memory());
    let metrics = Metrics::new();
    Ok(Parts { config: Arc::new(config), roles, bus, store, clock, metrics, health, shutdown })
}

/// Starts everything and waits for its end.
async fn serve(parts: &Parts, listener: TcpListener) -> anyhow::Result<()> {
    let address = listener.local_addr()?;
    let mut services = Services::new(parts.shutdown.clone());
    let ingest =
        if parts.roles.has(Role::Ingest) { Some(start_ingest(parts, &mut services).await?) } else { None };
    let api = parts.roles.has(Role::Api).then(|| services::api_deps(parts)).transpose()?;
    let api_state =
        api.as_ref().map(|deps| bugle_api::State::new(Arc::clone(&parts.config), deps)).transpose()?;
    let (health, metrics) = (parts.health.clone(), parts.metrics.clone());
    let configure = move |routes: &mut ServiceConfig| {
        operations::routes(routes, health.clone(), metrics.clone());
        // Ingest first: it takes only the methods it knows of the paths that both have.
        if let Some(ingest) = &ingest {
            bugle_ingest::routes(routes, ingest.clone());
        }
        if let Some(state) = &api_state {
            bugle_api::routes(routes, actix_web::web::Data::new(state.clone()));
        }
    };
    let workers = parts.config.http_workers;
    services.spawn("http", bugle_web::serve(listener, workers, parts.shutdown.clone(), configure));
    let mut setup_link = None;
    let started = if parts.roles.are_only_ingest() {
        look_at_schema(parts).await?;
        true
    } else {
        let (tell, started) = tokio::sync::oneshot::channel();
        services.spawn("services", services::after_schema(parts.clone(), api, tell));
        // With the database away, ingest is ready all the same. When the services failed, `finish` says how.
        match tokio::time::timeout(START_PATIENCE, started).await {
            Ok(told) => {
                let is_started = told.is_ok();
                setup_link = told.ok().flatten();
                is_started
            }
            Err(_) => parts.roles.has(Role::Ingest),
        }
    };
    if started {
        line(format_args!("bugle ({}) is ready at http://{address}", parts.roles));
    }
    if let Some(link) = setup_link {
        services::show_setup_link(&link);
    }
    services.finish().await
}

/// Ingest alone refuses an old schema only when it can see it.
async fn look_at_schema(parts: &Parts) -> anyhow::Result<()> {
    let Some(store) = &parts.store else { return Ok(()) };
    let looking = schema::ready(&parts.config, &parts.roles, store, &parts.shutdown);
    tokio::time::timeout(START_PATIENCE, looking).await.map_or(Ok(()), |looked| looked.map(drop))
}

async fn start_ingest(
    parts: &Parts,
    services: &mut Services,
) -> anyhow::Result<actix_web::web::Data<bugle_ingest::Ingest>> {
    let deps = bugle_ingest::Deps {
        bus: Arc::clone(&parts.bus),
        store: parts.store.clone(),
        clock: Arc::clone(&parts.clock),
        metrics: parts.metrics.clone(),
        health: parts.health.clone(),
    };
    let ingest = bugle_ingest::Service::start(Settings::from_config(&parts.config), deps).await?;
    let state = ingest.state();
    let shutdown = parts.shutdown.clone();
    services.spawn("ingest", async move {
        ingest.run(shutdown).await;
        Ok::<_, std::convert::Infallible>(())
    });
    Ok(state)
}
