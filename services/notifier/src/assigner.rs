//! Gives issues to somebody: an owner by the project's rules, whoever is on call, whoever has least to do.
//!
//! What is to be done are rows, made with the notifications of a signal. It is done apart from them and one issue at a time, so that no page
//! waits for it, and so that what each is given counts for the next.

use bugle_model::Clock;
use bugle_runtime::{Counter, Metrics, Shutdown};
use bugle_store::ownership::{self, Waiting};
use bugle_store::{Connection, Store, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// How often it looks for what another process has left. New ones wake it at once.
const POLL: Duration = Duration::from_secs(5);

/// The worker that gives issues to people.
pub struct Assigner {
    store: Store,
    clock: Arc<dyn Clock>,
    given: Counter,
}

impl Assigner {
    /// Made once.
    #[must_use]
    pub fn new(store: Store, clock: Arc<dyn Clock>, metrics: &Metrics) -> Self {
        let given = metrics.counter(
            "bugle_issues_assigned_total",
            "Issues given to somebody by rules, schedules or workload.",
            &[],
        );
        Self { store, clock, given }
    }

    /// Decides everything that waits. How many issues were given to somebody.
    ///
    /// # Errors
    /// When the database is away; what was done before stays done.
    pub async fn run_once(&self) -> Result<usize, StoreError> {
        let mut given = 0;
        let mut conn = self.store.conn().await?;
        while let Some(waiting) = ownership::waiting(&mut conn).await? {
            given += usize::from(self.decide(&mut conn, &waiting).await?);
        }
        Ok(given)
    }

    async fn decide(&self, conn: &mut Connection, waiting: &Waiting) -> Result<bool, StoreError> {
        let now = self.clock.now();
        match ownership::assign(conn, waiting, now).await {
            Ok(Some(given)) => {
                tracing::info!(issue = %given.issue, to = given.to, reason = given.reason, "an issue was given to somebody");
                self.given.inc();
                Ok(true)
            }
            Ok(None) => Ok(false),
            Err(error) if error.is_away() || error.is_conflict() || error.is_too_slow() => Err(error),
            Err(error) => {
                // The others must not wait for it for ever.
                tracing::error!(issue = %waiting.issue(), %error, "an issue could not be given to anybody");
                ownership::give_up(conn, waiting, now).await?;
                Ok(false)
            }
        }
    }

    /// Works until the soft stop.
    pub async fn run(self, wake: Arc<Notify>, shutdown: Shutdown) {
        while !shutdown.soft.is_cancelled() {
            if let Err(error) = self.run_once().await {
                tracing::warn!(%error, "cannot give issues to anybody");
            }
            tokio::select! {
                () = wake.notified() => {}
                () = tokio::time::sleep(POLL) => {}
                () = shutdown.soft.cancelled() => {}
            }
        }
    }
}
