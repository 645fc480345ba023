//! Incidents: does what is due of them, until somebody answers.
//!
//! All waiting is in the rows, as for notifications: any number of these may run, and a crash loses nothing. What is decided is in
//! [`decide`], which is pure; [`Escalator`] claims incidents, and writes what was decided in the same transaction. The pages
//! are rows of `notifications`, which the [`crate::Sender`] sends at their time.

pub mod decide;

use crate::watch::{Part, Pulse};
use bugle_model::{Clock, IncidentEvent};
use bugle_runtime::{Counter, Metrics, Shutdown};
use bugle_store::oncall::{self, Decision, Due};
use bugle_store::{Store, StoreError};
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// How often it looks for what has become due. New incidents wake it at once.
const POLL: Duration = Duration::from_secs(1);
/// Incidents of one transaction.
const BATCH: i64 = 250;
/// A step that comes later than this is told in the log: a notifier was away, or cannot keep up.
const LATE: TimeDelta = TimeDelta::minutes(1);

/// Made once: a handle costs nothing to use.
#[derive(Clone)]
struct Counts {
    pages: Counter,
    no_recipient: Counter,
    exhausted: Counter,
    late: Counter,
}

/// The engine of incidents.
pub struct Escalator {
    store: Store,
    clock: Arc<dyn Clock>,
    sender: Arc<Notify>,
    counts: Counts,
}

impl Escalator {
    /// `sender` is told that pages are due.
    #[must_use]
    pub fn new(store: Store, clock: Arc<dyn Clock>, sender: Arc<Notify>, metrics: &Metrics) -> Self {
        let counts = Counts {
            pages: metrics.counter("bugle_pages_made_total", "Pages made by incidents.", &[]),
            no_recipient: metrics.counter(
                "bugle_incidents_without_recipient_total",
                "Times at which an incident had nobody to page.",
                &[],
            ),
            exhausted: metrics.counter(
                "bugle_incidents_exhausted_total",
                "Incidents whose policy ended without an answer.",
                &[],
            ),
            late: metrics.counter(
                "bugle_escalation_late_total",
                "Steps of incidents that came more than a minute late.",
                &[],
            ),
        };
        Self { store, clock, sender, counts }
    }

    /// Does everything that is due. How many incidents.
    ///
    /// # Errors
    /// When the database fails; what was done before stays done.
    pub async fn run_once(&self) -> Result<usize, StoreError> {
        let mut done = 0;
        loop {
            let now = self.clock.now();
            let mut conn = self.store.conn().await?;
            let counts = self.counts.clone();
            let worked = oncall::work(&mut conn, now, BATCH, move |due, directory| {
                let decision = decide::decide(due, directory, now);
                tell(&counts, due, &decision, now);
                decision
            })
            .await?;
            if worked == 0 {
                return Ok(done);
            }
            self.sender.notify_one();
            done += worked;
        }
    }

    /// Works until the soft stop.
    pub async fn run(self, wake: Arc<Notify>, pulse: Pulse, shutdown: Shutdown) {
        while !shutdown.soft.is_cancelled() {
            match self.run_once().await {
                Ok(_) => pulse.beat(Part::Escalator, self.clock.now()),
                Err(error) => tracing::warn!(%error, "cannot look for due incidents"),
            }
            tokio::select! {
                () = wake.notified() => {}
                () = tokio::time::sleep(POLL) => {}
                () = shutdown.soft.cancelled() => {}
            }
        }
    }
}

/// Once, here, and whether or not the transaction succeeds: what fails is done again and told again.
fn tell(counts: &Counts, due: &Due, decision: &Decision, now: DateTime<Utc>) {
    let incident = due.id;
    counts.pages.add(decision.pages.len() as u64);
    if let Some(late) = due.next_at.map(|at| now - at).filter(|late| *late > LATE) {
        counts.late.inc();
        tracing::warn!(%incident, seconds = late.num_seconds(), "a step of an incident comes late");
    }
    for entry in &decision.log {
        match entry.event {
            IncidentEvent::NoRecipient => {
                counts.no_recipient.inc();
                tracing::error!(%incident, "an incident has nobody to page: nobody is on call, and the team has no manager who can be reached");
            }
            IncidentEvent::Exhausted => {
                counts.exhausted.inc();
                tracing::warn!(%incident, "the policy of an incident has ended, and nobody has answered");
            }
            IncidentEvent::Fallback => {
                tracing::warn!(%incident, "no step of an incident's policy has anybody: the fallback is paged");
            }
            _ => {}
        }
    }
}
