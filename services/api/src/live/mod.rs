//! Live updates: one task per process looks at the store once a second, while anybody listens, and tells all sockets.
//!
//! The store and not the bus, because it is the same for one process and for many, whoever made the change, and costs the
//! recorder nothing: a message per batch and process would be paid for by the road of every event. What is told in a
//! second is one message, so that an issue is in it once however many events it has.

mod feed;
mod item;
mod rights;
mod socket;
mod watch;

use bugle_model::Clock;
use bugle_runtime::metrics::{Counter, Gauge};
use bugle_runtime::{Metrics, Shutdown};
use bugle_store::{Store, StoreError};
use chrono::{DateTime, TimeDelta, Utc};
use feed::Feed;
use rights::Rights;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch as channel;
use watch::Watch;

const PERIOD: Duration = Duration::from_secs(1);
/// With nobody there the watch goes on this long: whoever comes back within it is told what they missed.
const ALONE: TimeDelta = TimeDelta::hours(1);
/// At most this many changes are told one by one per look; of more, readers are told to read again.
const MOST_ITEMS: usize = 300;
/// Readers are told to read everything again at most this often.
const RELOADS: TimeDelta = TimeDelta::seconds(10);

/// What is shown of it at `/metrics`.
#[derive(Debug, Clone)]
struct Numbers {
    sockets: Gauge,
    refused: Counter,
    messages: Counter,
    reloads: Counter,
    cut_off: Counter,
}

/// The live updates of a process. Clones share them.
#[derive(Clone)]
pub(crate) struct Live(Arc<Inner>);

struct Inner {
    store: Store,
    clock: Arc<dyn Clock>,
    most_sockets: usize,
    feed: Mutex<Feed>,
    rights: Mutex<Rights>,
    watching: Mutex<bool>,
    /// Whether changes are being seen.
    ready: channel::Sender<bool>,
    numbers: Numbers,
}

impl Live {
    pub(crate) fn new(store: Store, clock: Arc<dyn Clock>, most_sockets: usize, metrics: &Metrics) -> Self {
        let counter = |name, help| metrics.counter(name, help, &[]);
        let numbers = Numbers {
            sockets: metrics.gauge("bugle_live_sockets", "Open live sockets.", &[]),
            refused: counter("bugle_live_refused_total", "Live sockets refused because there were too many."),
            messages: counter("bugle_live_messages_total", "Messages sent over live sockets."),
            reloads: counter(
                "bugle_live_reloads_total",
                "Times that a reader was told to read everything again.",
            ),
            cut_off: counter(
                "bugle_live_cut_off_total",
                "Live sockets closed because nobody took what was sent.",
            ),
        };
        Self(Arc::new(Inner {
            store,
            clock,
            most_sockets,
            feed: Mutex::new(Feed::new()),
            rights: Mutex::default(),
            watching: Mutex::new(false),
            ready: channel::Sender::new(false),
            numbers,
        }))
    }

    /// Sees to it that changes are seen, and waits until they are.
    async fn watched(&self, shutdown: &Shutdown) {
        let mut ready = self.0.ready.subscribe();
        {
            let mut watching = lock(&self.0.watching);
            if !*watching {
                *watching = true;
                let (watch, rights) =
                    (self.clone().watch(shutdown.clone()), self.clone().keep_rights(shutdown.clone()));
                // One task: neither goes on when the other has ended.
                tokio::spawn(async move {
                    tokio::select! {
                        () = watch => {}
                        () = rights => {}
                    }
                });
            }
        }
        // The sender is in `self`.
        let _ = ready.wait_for(|ready| *ready).await;
    }

    /// Looks until the stop, or until nobody was there for an hour.
    async fn watch(self, shutdown: Shutdown) {
        let mut watch = None;
        let mut told = Told::default();
        let mut listened_at = self.0.clock.now();
        let mut timer = tokio::time::interval(PERIOD);
        timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.soft.cancelled() => return,
                _ = timer.tick() => {}
            }
            let now = self.0.clock.now();
            if let Err(error) = self.look(&mut watch, &mut told, now).await {
                tracing::debug!(%error, "live updates: the store could not be looked at");
            }
            if !lock(&self.0.rights).is_empty() {
                listened_at = now;
            } else if now - listened_at > ALONE && self.ends() {
                return;
            }
        }
    }

    async fn look(
        &self,
        watch: &mut Option<Watch>,
        told: &mut Told,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut connection = self.0.store.conn().await?;
        let Some(watching) = watch.as_mut().filter(|watch| !watch.is_stale(now)) else {
            let begun = Watch::begin(&mut connection, now).await?;
            if watch.replace(begun).is_some() {
                told.owes_reload = true;
            }
            self.tell(told, Vec::new(), now);
            self.0.ready.send_replace(true);
            return Ok(());
        };
        let changes = watching.look(&mut connection, now).await?;
        told.owes_reload |= changes.is_partial || changes.items.len() > MOST_ITEMS;
        self.tell(told, changes.items, now);
        Ok(())
    }

    fn tell(&self, told: &mut Told, mut items: Vec<item::Item>, now: DateTime<Utc>) {
        let mut feed = lock(&self.0.feed);
        if told.owes_reload && told.reload_at.is_none_or(|at| now - at >= RELOADS) {
            *told = Told { owes_reload: false, reload_at: Some(now) };
            feed.push(None, now);
            return;
        }
        items.truncate(MOST_ITEMS);
        if !items.is_empty() {
            feed.push(Some(items), now);
        }
    }

    /// Ends the watch, unless somebody has come meanwhile.
    fn ends(&self) -> bool {
        let mut watching = lock(&self.0.watching);
        if !lock(&self.0.rights).is_empty() {
            return false;
        }
        lock(&self.0.feed).interrupt();
        self.0.ready.send_replace(false);
        *watching = false;
        true
    }
}

/// What readers still have to be told.
#[derive(Debug, Default)]
struct Told {
    owes_reload: bool,
    reload_at: Option<DateTime<Utc>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
