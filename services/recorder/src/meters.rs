//! What the recorder counts.

use bugle_runtime::{Counter, Gauge, Histogram, Metrics};

const SECONDS: [f64; 12] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0, 30.0];
const SIZES: [f64; 9] = [1.0, 5.0, 10.0, 50.0, 100.0, 200.0, 400.0, 800.0, 1600.0];

/// The recorder's metrics.
#[derive(Clone)]
pub(crate) struct Meters {
    pub recorded: Counter,
    pub duplicates: Counter,
    pub failed: Counter,
    pub stepped_aside: Counter,
    pub batch: Histogram,
    pub prepare: Histogram,
    pub persist: Histogram,
    pub age: Gauge,
}

impl Meters {
    pub fn new(metrics: &Metrics) -> Self {
        let stage = |stage| {
            metrics.histogram(
                "bugle_recorder_stage_seconds",
                "Time per batch and stage.",
                &[("stage", stage)],
                &SECONDS,
            )
        };
        Self {
            recorded: metrics.counter(
                "bugle_events_recorded_total",
                "Events that are new in the database.",
                &[],
            ),
            duplicates: metrics.counter(
                "bugle_events_duplicate_total",
                "Events that were recorded before.",
                &[],
            ),
            failed: metrics.counter(
                "bugle_items_failed_total",
                "Items that can never be recorded; their batch is a dead letter.",
                &[],
            ),
            stepped_aside: metrics.counter(
                "bugle_batches_stepped_aside_total",
                "Batches older than ten seconds that were moved from the live queue to the backlog.",
                &[],
            ),
            batch: metrics.histogram("bugle_recorder_batch_events", "Events per transaction.", &[], &SIZES),
            prepare: stage("prepare"),
            persist: stage("persist"),
            age: metrics.gauge(
                "bugle_recorder_age_seconds",
                "From acceptance to the commit, of the last batch's oldest item.",
                &[],
            ),
        }
    }
}
