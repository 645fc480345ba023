//! Sends what is due. Several of these in several processes share the rows and never send one at the same time.

mod attempt;
mod ledger;

use crate::channels::Channels;
use crate::plan::{Capacity, plan};
use crate::policy::{Policy, room};
use crate::watch::{Part, Pulse};
use attempt::Attempt;
use bugle_model::{Channel, Clock, DestinationId, Priority};
use bugle_runtime::metrics::LATENCY_BUCKETS;
use bugle_runtime::{Counter, Histogram, Metrics, Shutdown};
use bugle_store::notifications::{self, Claim, Due};
use bugle_store::{Store, StoreError};
use ledger::Ledger;
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use uuid::Uuid;

/// How often it looks for what has become due. New notifications wake it at once.
const POLL: Duration = Duration::from_secs(1);
/// The pause when another process held a destination.
const BUSY: Duration = Duration::from_millis(20);
/// Destinations that are known to have something due, until the next look.
const MAX_DESTINATIONS: i64 = 1_024;
/// For how long what was seen to be due is gone through before it is looked at anew, …
const FRESH: Duration = Duration::from_millis(250);
/// … and for how long when something new is known to be due.
const FRESH_WHEN_WOKEN: Duration = Duration::from_millis(25);
/// Looking takes one part in so many of the time at most, as far as [`POLL`] allows: the more waits, the longer it takes.
const LOOKING_SHARE: u32 = 10;
/// Destinations of one claim.
const CLAIMED: usize = 64;

/// What a sender is made of.
pub struct Parts {
    /// The database.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The channels.
    pub channels: Channels,
    /// The numbers.
    pub policy: Policy,
    /// Where jitter starts from.
    pub seed: u64,
    /// Where to count.
    pub metrics: Metrics,
}

/// What tasks share.
struct Inner {
    store: Store,
    clock: Arc<dyn Clock>,
    channels: Channels,
    policy: Policy,
    rng: Mutex<StdRng>,
    counts: Counts,
    ledger: Ledger,
}

/// Made once: a handle costs nothing to use.
struct Counts {
    latency: HashMap<Channel, Histogram>,
    attempts: HashMap<(Channel, &'static str), Counter>,
}

impl Counts {
    fn new(metrics: &Metrics) -> Self {
        let mut counts = Self { latency: HashMap::new(), attempts: HashMap::new() };
        for channel in Channel::ALL {
            let labels = [("channel", channel.as_str())];
            let help = "From the event's arrival to the provider's acceptance.";
            let latency =
                metrics.histogram("bugle_notification_latency_seconds", help, &labels, LATENCY_BUCKETS);
            counts.latency.insert(*channel, latency);
            for result in ["delivered", "retry", "failed", "cancelled"] {
                let labels = [("channel", channel.as_str()), ("result", result)];
                let help = "Attempts to send a notification.";
                let attempts = metrics.counter("bugle_notification_attempts_total", help, &labels);
                counts.attempts.insert((*channel, result), attempts);
            }
        }
        counts
    }
}

type InFlight = Arc<Mutex<HashMap<DestinationId, usize>>>;

/// A message on its way to a destination, counted until it is dropped.
struct Slot(InFlight, DestinationId);

impl Slot {
    fn new(in_flight: &InFlight, destination: DestinationId) -> Self {
        let mut counts = in_flight.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(destination).or_default() += 1;
        Self(Arc::clone(in_flight), destination)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.1) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.remove(&self.1);
            }
        }
    }
}

/// What a step did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Step {
    /// Something changed, so that another step may find more.
    progress: bool,
    /// Another process held a destination.
    busy: bool,
}

/// The sender.
pub struct Sender {
    inner: Arc<Inner>,
    in_flight: InFlight,
    tasks: JoinSet<()>,
    /// What was seen to be due and has not had its turn, the weightiest first, and when that was.
    queue: VecDeque<Due>,
    seen: Option<Instant>,
    /// How long that took.
    looking: Duration,
    woken: bool,
}

impl Sender {
    /// A sender that has not looked yet.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let counts = Counts::new(&parts.metrics);
        let rng = Mutex::new(StdRng::seed_from_u64(parts.seed));
        let Parts { store, clock, channels, policy, .. } = parts;
        let ledger = Ledger::default();
        let inner = Arc::new(Inner { store, clock, channels, policy, rng, counts, ledger });
        Self {
            inner,
            in_flight: InFlight::default(),
            tasks: JoinSet::new(),
            queue: VecDeque::new(),
            seen: None,
            looking: Duration::ZERO,
            woken: false,
        }
    }

    /// Sends everything that is due and waits until it is recorded.
    ///
    /// # Errors
    /// When the database fails while looking.
    pub async fn run_once(&mut self) -> Result<(), StoreError> {
        loop {
            self.seen = None;
            let step = self.step().await?;
            if step.progress {
                continue;
            }
            match self.tasks.join_next().await {
                Some(ended) => complain(ended),
                None if step.busy => tokio::time::sleep(BUSY).await,
                None => return Ok(()),
            }
        }
    }

    /// Claims what is due and there is room for, and lets it go. For tests that stop in the middle; see [`Sender::run_once`].
    ///
    /// # Errors
    /// When the database fails.
    pub async fn start(&mut self) -> Result<(), StoreError> {
        self.seen = None;
        self.step().await.map(drop)
    }

    /// Sends until the soft stop, then waits for what is under way; until the hard stop, then drops it.
    pub async fn run(mut self, wake: Arc<Notify>, pulse: Pulse, shutdown: Shutdown) {
        while !shutdown.soft.is_cancelled() {
            let step = self.step().await;
            if step.is_ok() {
                pulse.beat(Part::Sender, self.inner.clock.now());
            }
            let pause = match step {
                Ok(Step { progress: true, .. }) => continue,
                Ok(Step { busy: true, .. }) => BUSY,
                Ok(_) => POLL,
                Err(error) => {
                    tracing::warn!(%error, "cannot look for due notifications");
                    POLL
                }
            };
            tokio::select! {
                () = wake.notified() => self.woken = true,
                () = tokio::time::sleep(pause) => self.seen = None,
                Some(ended) = self.tasks.join_next() => complain(ended),
                () = shutdown.soft.cancelled() => {}
            }
        }
        loop {
            tokio::select! {
                ended = self.tasks.join_next() => match ended {
                    Some(ended) => complain(ended),
                    None => return,
                },
                () = shutdown.hard.cancelled() => return,
            }
        }
    }

    /// Goes through what is due as long as there is room.
    async fn step(&mut self) -> Result<Step, StoreError> {
        while let Some(ended) = self.tasks.try_join_next() {
            complain(ended);
        }
        let mut conn = self.inner.store.conn().await?;
        let least = if self.woken { FRESH_WHEN_WOKEN } else { FRESH };
        let fresh = least.max(self.looking * LOOKING_SHARE).min(POLL);
        if self.queue.is_empty() || self.seen.is_none_or(|seen| seen.elapsed() > fresh) {
            let start = Instant::now();
            let due = notifications::due(&mut conn, self.inner.clock.now(), MAX_DESTINATIONS).await?;
            self.queue = due.into();
            self.seen = Some(Instant::now());
            self.looking = start.elapsed();
            self.woken = false;
        }
        let mut step = Step::default();
        while let Some(first) = self.queue.front() {
            let policy = &self.inner.policy;
            let critical = first.priority == Priority::Critical;
            let room = room(self.tasks.len(), policy.concurrency, policy.reserved, critical);
            if room == 0 {
                break;
            }
            let next = self.queue.drain(..room.min(CLAIMED).min(self.queue.len()));
            let destinations: Vec<DestinationId> = next.map(|one| one.destination).collect();
            let found = self.claim(&mut conn, &destinations).await?;
            step.progress |= found.progress;
            step.busy |= found.busy;
        }
        Ok(step)
    }

    async fn claim(
        &mut self,
        conn: &mut bugle_store::Connection,
        destinations: &[DestinationId],
    ) -> Result<Step, StoreError> {
        let inner = &self.inner;
        let now = inner.clock.now();
        let to_each = self.in_flight.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let leased_by = Uuid::now_v7();
        let lease_until = now + inner.policy.lease;
        let (mut progress, mut in_flight) = (false, self.tasks.len());
        let claim = Claim { now, lease_until, leased_by };
        let claims = notifications::claim(conn, destinations, claim, |destination, candidates| {
            let to_destination = to_each.get(&destination.id).copied().unwrap_or_default();
            let capacity = Capacity { in_flight, to_destination };
            let plan = plan(&inner.policy, destination, candidates, capacity, now, Uuid::now_v7());
            progress |= plan != notifications::Plan::default();
            in_flight += plan.send.len();
            for (notification, error) in &plan.fail {
                tracing::warn!(%notification, destination = %destination.id, error, "notification failed");
            }
            plan
        })
        .await?;
        for (destination, error) in claims.damaged {
            tracing::error!(%destination, %error, "what waits for a destination cannot be read");
        }
        for (destination, claimed) in claims.taken {
            let destination = Arc::new(destination);
            for claimed in claimed {
                let slot = Slot::new(&self.in_flight, destination.id);
                let attempt =
                    Attempt { destination: Arc::clone(&destination), claimed, leased_by, lease_until };
                let inner = Arc::clone(&self.inner);
                self.tasks.spawn(async move {
                    attempt.make(&inner).await;
                    drop(slot);
                });
            }
        }
        Ok(Step { progress, busy: claims.busy > 0 })
    }
}

fn complain(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        // The lease runs out, and the notification is claimed again.
        tracing::error!(%error, "an attempt ended unexpectedly");
    }
}
