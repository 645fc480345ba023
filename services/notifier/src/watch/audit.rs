//! Looks for what is overdue.

use bugle_model::Clock;
use bugle_runtime::{Counter, Gauge, Metrics, Shutdown};
use bugle_store::oncall::{self, OVERDUE_AFTER, Overdue};
use bugle_store::{Store, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// How often it looks.
const PERIOD: Duration = Duration::from_secs(60);

/// The auditor.
pub struct Auditor {
    store: Store,
    clock: Arc<dyn Clock>,
    escalator: Arc<Notify>,
    overdue: Vec<Gauge>,
    rearmed: Counter,
}

impl Auditor {
    /// `escalator` is told when incidents are armed again.
    #[must_use]
    pub fn new(store: Store, clock: Arc<dyn Clock>, escalator: Arc<Notify>, metrics: &Metrics) -> Self {
        let overdue = Overdue::default().gauges();
        let overdue = overdue.map(|one| metrics.gauge(one.name, one.help, &one.labels)).into();
        let rearmed = metrics.counter(
            "bugle_incidents_rearmed_total",
            "Incidents without a next step that nobody was paged for, and whose policy was begun.",
            &[],
        );
        Self { store, clock, escalator, overdue, rearmed }
    }

    /// What is overdue now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn look(&self) -> Result<Overdue, StoreError> {
        let mut conn = self.store.conn().await?;
        let found = oncall::overdue(&mut conn, self.clock.now()).await?;
        for (gauge, one) in self.overdue.iter().zip(found.gauges()) {
            gauge.set(one.value as f64);
        }
        Ok(found)
    }

    /// Looks, tells what is overdue, and arms again what nothing would come of.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn run_once(&self) -> Result<Overdue, StoreError> {
        let found = self.look().await?;
        if found.is_nothing() {
            return Ok(found);
        }
        let Overdue { steps, messages, claims, unpaged } = found;
        let minutes = OVERDUE_AFTER.num_minutes();
        tracing::error!(steps, messages, claims, unpaged, minutes, "on-call is overdue");
        if unpaged > 0 {
            let mut conn = self.store.conn().await?;
            for incident in oncall::rearm(&mut conn, self.clock.now()).await? {
                tracing::error!(%incident, "an incident had no next step and nobody was paged: its policy begins");
                self.rearmed.inc();
            }
            self.escalator.notify_one();
        }
        Ok(found)
    }

    /// Looks until the soft stop. Not at once: what became due while no notifier ran gets its time.
    pub async fn run(&self, shutdown: Shutdown) {
        loop {
            tokio::select! {
                () = shutdown.soft.cancelled() => return,
                () = tokio::time::sleep(PERIOD) => {}
            }
            if let Err(error) = self.run_once().await {
                tracing::error!(%error, "cannot look for what is overdue");
            }
        }
    }
}
