//! The running services: the first that ends by itself stops all.

use super::role::Role;
use super::{LAST_MOMENT, Parts, local_token, schema};
use crate::output::line;
use anyhow::{Context, anyhow};
use bugle_runtime::Shutdown;
use bugle_runtime::health::{CheckResult, check};
use bugle_store::Store;
use std::future::Future;
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// Tasks that each must live until the soft stop.
pub(super) struct Services {
    tasks: JoinSet<(&'static str, anyhow::Result<()>)>,
    shutdown: Shutdown,
}

impl Services {
    pub(super) fn new(shutdown: Shutdown) -> Self {
        Self { tasks: JoinSet::new(), shutdown }
    }

    pub(super) fn spawn<E>(
        &mut self,
        name: &'static str,
        service: impl Future<Output = Result<(), E>> + Send + 'static,
    ) where
        E: Into<anyhow::Error>,
    {
        self.tasks.spawn(async move { (name, service.await.map_err(Into::into)) });
    }

    /// Waits until all have ended. An error or a panic of one, or an end that nobody asked for, stops the others and
    /// is returned.
    pub(super) async fn finish(mut self) -> anyhow::Result<()> {
        let mut failed = None;
        loop {
            let ended = tokio::select! {
                ended = self.tasks.join_next() => ended,
                () = after(self.shutdown.hard.cancelled()) => {
                    failed.get_or_insert_with(|| anyhow!("stopped before everything was done"));
                    break;
                }
            };
            let problem = match ended {
                None => break,
                Some(Ok((name, Err(error)))) => Some(error.context(format!("{name} failed"))),
                Some(Ok((name, Ok(())))) if !self.shutdown.soft.is_cancelled() => {
                    Some(anyhow!("{name} ended by itself"))
                }
                Some(Ok(_)) => None,
                Some(Err(error)) => Some(anyhow!("a service crashed: {error}")),
            };
            if let Some(problem) = problem {
                tracing::error!(error = format!("{problem:#}"), "stopping everything");
                failed.get_or_insert(problem);
                self.shutdown.stop();
            }
        }
        failed.map_or(Ok(()), Err)
    }
}

/// A moment after the hard stop, whoever is not done is given up.
async fn after(hard_stop: impl Future<Output = ()>) {
    hard_stop.await;
    tokio::time::sleep(LAST_MOMENT).await;
}

fn store(parts: &Parts) -> anyhow::Result<Store> {
    parts.store.clone().context("BUGLE_DATABASE_URL is not set")
}

/// What the API gets; also writes the token for the command line.
pub(super) fn api_deps(parts: &Parts) -> anyhow::Result<bugle_api::Deps> {
    let local_token = local_token::write(&parts.config)
        .with_context(|| format!("cannot write {}", local_token::path(&parts.config).display()))?;
    Ok(bugle_api::Deps {
        bus: Arc::clone(&parts.bus),
        store: store(parts)?,
        clock: Arc::clone(&parts.clock),
        metrics: parts.metrics.clone(),
        health: parts.health.clone(),
        local_token: Some(local_token),
    })
}

/// Tells whoever starts Bugle how to make the first account. On standard output, not in the log: it lets in.
pub(super) fn show_setup_link(link: &str) {
    line(format_args!("nobody has an account yet; make the first one at {link}"));
}

/// Everything that works with the schema, once it is there. Says so when it has begun, with the link for the first
/// account when there is none.
pub(super) async fn after_schema(
    parts: Parts,
    api: Option<bugle_api::Deps>,
    started: oneshot::Sender<Option<String>>,
) -> anyhow::Result<()> {
    let store = store(&parts)?;
    parts.health.add_ready(check("schema", || async { CheckResult::unhealthy("waiting for the database") }));
    if !schema::ready(&parts.config, &parts.roles, &store, &parts.shutdown).await? {
        return Ok(());
    }
    parts.health.add_ready(check("schema", || async { CheckResult::healthy("up to date") }));
    let mut services = Services::new(parts.shutdown.clone());
    let setup_link = if api.is_some() { setup_link(&parts, &store).await } else { None };
    start(&parts, &store, api, &mut services);
    // Nobody may be waiting any more.
    if let Err(Some(link)) = started.send(setup_link) {
        show_setup_link(&link);
    }
    services.finish().await
}

async fn setup_link(parts: &Parts, store: &Store) -> Option<String> {
    let link = async {
        let mut connection = store.conn().await?;
        bugle_api::accounts::links::setup(&mut connection, &parts.config.public_url, parts.clock.now()).await
    };
    match link.await {
        Ok(link) => link,
        Err(error) => {
            tracing::warn!(%error, "no link for the first account could be made; `bugle user setup-link` makes one");
            None
        }
    }
}

fn start(parts: &Parts, store: &Store, api: Option<bugle_api::Deps>, services: &mut Services) {
    if parts.roles.has(Role::Recorder) {
        let deps = bugle_recorder::Deps {
            bus: Arc::clone(&parts.bus),
            store: store.clone(),
            clock: Arc::clone(&parts.clock),
            metrics: parts.metrics.clone(),
            health: parts.health.clone(),
        };
        let (config, shutdown) = (Arc::clone(&parts.config), parts.shutdown.clone());
        services.spawn("recorder", bugle_recorder::run(config, deps, shutdown));
    }
    if parts.roles.has(Role::Notifier) {
        let deps = bugle_notifier::Deps {
            bus: Arc::clone(&parts.bus),
            store: store.clone(),
            clock: Arc::clone(&parts.clock),
            metrics: parts.metrics.clone(),
            health: parts.health.clone(),
        };
        let (config, shutdown) = (Arc::clone(&parts.config), parts.shutdown.clone());
        services.spawn("notifier", bugle_notifier::run(config, deps, shutdown));
    }
    if let Some(deps) = api {
        services.spawn("api", bugle_api::run(Arc::clone(&parts.config), deps, parts.shutdown.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn until_stopped(shutdown: &Shutdown) -> impl Future<Output = anyhow::Result<()>> + Send + 'static {
        let soft = shutdown.soft.clone();
        async move {
            soft.cancelled().await;
            Ok(())
        }
    }

    #[tokio::test]
    async fn an_asked_for_end_is_no_failure() {
        let shutdown = Shutdown::new();
        let mut services = Services::new(shutdown.clone());
        services.spawn("a", until_stopped(&shutdown));
        services.spawn("b", until_stopped(&shutdown));
        shutdown.stop();
        services.finish().await.unwrap();
    }

    #[tokio::test]
    async fn whatever_ends_by_itself_stops_the_others_and_is_named() {
        type Ending = Box<dyn FnOnce() -> anyhow::Result<()> + Send>;
        let endings: [(Ending, &str); 3] = [
            (Box::new(|| Ok(())), "broken ended by itself"),
            (Box::new(|| Err(anyhow!("no disk"))), "broken failed: no disk"),
            (Box::new(|| panic!("a bug")), "a service crashed"),
        ];
        for (ending, expected) in endings {
            let shutdown = Shutdown::new();
            let mut services = Services::new(shutdown.clone());
            services.spawn("other", until_stopped(&shutdown));
            services.spawn("broken", async move { ending() });
            let error = format!("{:#}", services.finish().await.unwrap_err());
            assert!(error.starts_with(expected), "{error}");
            assert!(shutdown.soft.is_cancelled());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn after_the_hard_stop_nobody_is_waited_for_long() {
        let shutdown = Shutdown::new();
        let mut services = Services::new(shutdown.clone());
        services.spawn("stuck", std::future::pending::<anyhow::Result<()>>());
        shutdown.stop_now();
        assert!(services.finish().await.is_err());
    }
}
