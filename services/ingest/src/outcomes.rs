//! How items end at the door: counted in memory, written to the database when it is there.

use crate::metrics::IngestMetrics;
use bugle_model::{Clock, KeyId, Outcome, OutcomeCount, ProjectId};
use bugle_store::outcomes::{self, HourlyOutcome};
use bugle_store::{Store, StoreError};
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const FLUSH: Duration = Duration::from_secs(2);
/// At the stop, somebody waits.
const LAST_FLUSH: Duration = Duration::from_secs(3);
/// Distinct counts that are kept while the database is away; further ones go without project and key.
const MAX_COUNTS: usize = 10_000;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Line {
    hour: DateTime<Utc>,
    project: Option<ProjectId>,
    key: Option<KeyId>,
    outcome: Outcome,
    reason: &'static str,
    category: &'static str,
}

/// What is not written yet.
pub(crate) struct Outcomes {
    lines: Mutex<HashMap<Line, i64>>,
    clock: Arc<dyn Clock>,
    metrics: Arc<IngestMetrics>,
}

impl Outcomes {
    pub(crate) fn new(clock: Arc<dyn Clock>, metrics: Arc<IngestMetrics>) -> Self {
        Self { lines: Mutex::default(), clock, metrics }
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<Line, i64>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one item. `reason` and `category` come from closed sets.
    pub(crate) fn count(
        &self,
        whose: (Option<ProjectId>, Option<KeyId>),
        (outcome, reason): (Outcome, &'static str),
        category: &'static str,
    ) {
        self.metrics.ended(outcome);
        let hour = outcomes::hour_of(self.clock.now());
        self.add(Line { hour, project: whose.0, key: whose.1, outcome, reason, category }, 1);
    }

    fn add(&self, mut line: Line, quantity: i64) {
        let mut lines = self.lines();
        if lines.len() >= MAX_COUNTS && !lines.contains_key(&line) {
            (line.project, line.key) = (None, None);
        }
        *lines.entry(line).or_default() += quantity;
    }

    /// Writes what has gathered; keeps it when that fails.
    async fn flush(&self, store: &Store) -> Result<(), StoreError> {
        if self.lines().is_empty() {
            return Ok(());
        }
        let mut connection = store.conn().await?;
        let taken = std::mem::take(&mut *self.lines());
        let rows: Vec<_> = taken.iter().map(|(line, quantity)| row(line, *quantity)).collect();
        let written = outcomes::add_hourly(&mut connection, &rows).await;
        if written.is_err() {
            taken.into_iter().for_each(|(line, quantity)| self.add(line, quantity));
        }
        written
    }

    /// Flushes every two seconds until the stop, and once more then.
    pub(crate) async fn run(self: Arc<Self>, store: Store, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(FLUSH)).await.is_some() {
            if let Err(error) = self.flush(&store).await {
                tracing::debug!(%error, "outcomes wait for the database");
            }
        }
        match tokio::time::timeout(LAST_FLUSH, self.flush(&store)).await {
            Ok(Ok(())) => {}
            _ => tracing::warn!(counts = self.lines().len(), "outcomes were not written before the stop"),
        }
    }
}

fn row(line: &Line, quantity: i64) -> HourlyOutcome {
    let count = OutcomeCount {
        project: line.project,
        key: line.key,
        outcome: line.outcome,
        reason: line.reason.to_owned(),
        category: line.category.to_owned(),
        quantity,
    };
    HourlyOutcome { hour: line.hour, count }
}
