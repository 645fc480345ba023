//! What ingest counts and measures of itself.

use bugle_model::Outcome;
use bugle_runtime::metrics::LATENCY_BUCKETS;
use bugle_runtime::{Counter, Gauge, Histogram, Metrics};
use std::collections::BTreeMap;
use std::time::Duration;

/// Handles, made once.
#[derive(Debug)]
pub(crate) struct IngestMetrics {
    classes: [Counter; 5],
    latency: Histogram,
    outcomes: BTreeMap<Outcome, Counter>,
    /// Items that were made durable.
    pub(crate) accepted: Counter,
    /// Items per batch.
    pub(crate) batch_items: Histogram,
    /// From a batch's closing to its confirm.
    pub(crate) confirm: Histogram,
    /// Batches that went to the spool.
    pub(crate) spooled: Counter,
    /// Batches that were drained from it.
    pub(crate) drained: Counter,
    /// Batches in the spool.
    pub(crate) spool_batches: Gauge,
    /// Bytes in the spool.
    pub(crate) spool_bytes: Gauge,
    /// Free bytes where the data folder is.
    pub(crate) free_disk: Gauge,
}

impl IngestMetrics {
    pub(crate) fn new(registry: &Metrics) -> Self {
        let class = |class| {
            registry.counter(
                "bugle_ingest_requests_total",
                "Requests by class of answer.",
                &[("class", class)],
            )
        };
        let count = |name, help| registry.counter(name, help, &[]);
        let gauge = |name, help| registry.gauge(name, help, &[]);
        let outcome = |outcome: &Outcome| {
            let labels = [("outcome", outcome.as_str())];
            (
                *outcome,
                registry.counter("bugle_ingest_outcomes_total", "Items that ended at the door.", &labels),
            )
        };
        let seconds = |name, help| registry.histogram(name, help, &[], LATENCY_BUCKETS);
        Self {
            classes: ["1xx", "2xx", "3xx", "4xx", "5xx"].map(class),
            latency: seconds("bugle_ingest_accept_seconds", "From a request's head to its answer."),
            outcomes: Outcome::ALL.iter().map(outcome).collect(),
            accepted: count("bugle_ingest_items_total", "Items made durable."),
            batch_items: registry.histogram(
                "bugle_ingest_batch_items",
                "Items that shared a confirm.",
                &[],
                &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0],
            ),
            confirm: seconds("bugle_ingest_confirm_seconds", "From closing a batch until it was durable."),
            spooled: count("bugle_ingest_spooled_total", "Batches that went to the spool."),
            drained: count("bugle_ingest_drained_total", "Batches drained from the spool."),
            spool_batches: gauge("bugle_ingest_spool_batches", "Batches in the spool."),
            spool_bytes: gauge("bugle_ingest_spool_bytes", "Bytes in the spool."),
            free_disk: gauge("bugle_ingest_free_disk_bytes", "Free bytes in the data folder."),
        }
    }

    pub(crate) fn answered(&self, status: u16, took: Duration) {
        if let Some(counter) = self.classes.get(usize::from(status / 100).saturating_sub(1)) {
            counter.inc();
        }
        self.latency.observe(took.as_secs_f64());
    }

    pub(crate) fn ended(&self, outcome: Outcome) {
        if let Some(counter) = self.outcomes.get(&outcome) {
            counter.inc();
        }
    }
}
