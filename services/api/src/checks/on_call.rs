//! Whether on-call works, as far as the database tells: also when no notifier is there to say so.

use bugle_model::Clock;
use bugle_runtime::health::{Check, CheckResult, check};
use bugle_runtime::{Gauge, Metrics};
use bugle_store::oncall::{self, OVERDUE_AFTER, Overdue};
use bugle_store::{Store, StoreError};
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;
use tokio::sync::Mutex;

/// A notifier shows itself every ten seconds.
const SILENCE: TimeDelta = TimeDelta::minutes(1);
/// How long `/health/` tells again what was found: anybody may ask, and each look counts rows.
const FRESH: TimeDelta = TimeDelta::seconds(5);

/// What is overdue, and how many notifiers work.
pub struct OnCall {
    store: Store,
    clock: Arc<dyn Clock>,
    /// Notifiers that start with this process have until [`SILENCE`] later to show themselves.
    since: DateTime<Utc>,
    overdue: Vec<Gauge>,
    notifiers: Gauge,
    /// What `/health/` told last, and when it was found.
    told: Mutex<Option<(DateTime<Utc>, CheckResult)>>,
}

impl OnCall {
    /// Has not looked yet.
    #[must_use]
    pub fn new(store: Store, clock: Arc<dyn Clock>, metrics: &Metrics) -> Arc<Self> {
        let overdue = Overdue::default().gauges();
        let overdue = overdue.map(|one| metrics.gauge(one.name, one.help, &one.labels)).into();
        let notifiers = metrics.gauge(
            "bugle_notifiers_working",
            "Notifiers that have gone through what is due within the last minute.",
            &[],
        );
        let since = clock.now();
        Arc::new(Self { store, clock, since, overdue, notifiers, told: Mutex::default() })
    }

    /// The check of `/health/`: it looks every five seconds at most, and those who ask at the same time wait for one look.
    #[must_use]
    pub fn check(self: &Arc<Self>) -> Arc<dyn Check> {
        let on_call = Arc::clone(self);
        check("on_call", move || {
            let on_call = Arc::clone(&on_call);
            async move { on_call.tell().await }
        })
    }

    async fn tell(&self) -> CheckResult {
        let mut told = self.told.lock().await;
        let now = self.clock.now();
        if let Some((_, found)) = told.as_ref().filter(|(at, _)| now - *at < FRESH && *at <= now) {
            return found.clone();
        }
        let found = self.look().await;
        *told = Some((now, found.clone()));
        found
    }

    /// Looks, and sets the metrics.
    pub async fn look(&self) -> CheckResult {
        match self.counts().await {
            Ok((overdue, notifiers)) => self.judge(overdue, notifiers),
            Err(error) => {
                tracing::warn!(%error, "cannot look whether on-call works");
                CheckResult::unhealthy("cannot look: the database does not answer")
            }
        }
    }

    async fn counts(&self) -> Result<(Overdue, i64), StoreError> {
        let now = self.clock.now();
        let mut connection = self.store.conn().await?;
        let overdue = oncall::overdue(&mut connection, now).await?;
        let notifiers = oncall::working_notifiers(&mut connection, now - SILENCE).await?;
        for (gauge, found) in self.overdue.iter().zip(overdue.gauges()) {
            gauge.set(found.value as f64);
        }
        self.notifiers.set(notifiers as f64);
        Ok((overdue, notifiers))
    }

    fn judge(&self, overdue: Overdue, notifiers: i64) -> CheckResult {
        let starting = self.clock.now() - self.since < SILENCE;
        if !overdue.is_nothing() {
            let minutes = OVERDUE_AFTER.num_minutes();
            let also = if notifiers == 0 { "; no notifier works" } else { "" };
            return CheckResult::unhealthy(format!(
                "overdue by more than {minutes} minutes: {overdue}{also}"
            ));
        }
        match notifiers {
            0 if starting => CheckResult::healthy("nothing is overdue; no notifier has shown itself yet"),
            0 => CheckResult::unhealthy("no notifier works: nobody is told of anything"),
            1 => CheckResult::healthy("nothing is overdue; a notifier works"),
            several => CheckResult::healthy(format!("nothing is overdue; {several} notifiers work")),
        }
    }
}
