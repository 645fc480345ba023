//! Production's clocks.

use bugle_model::Clock;
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

#[expect(clippy::disallowed_methods, reason = "the one place where the machine's time enters")]
fn machine_time() -> DateTime<Utc> {
    Utc::now()
}

/// The machine's time. For the command line and for the moment before the database was asked.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        machine_time()
    }
}

/// The database's time: the machine's at the start, carried on by the monotonic clock, plus an offset that
/// whoever has a connection feeds every few seconds. Until the first feeding it shows the machine's time, so
/// that ingest starts without a database. Clones share the offset.
#[derive(Debug, Clone)]
pub struct DatabaseClock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    started: Instant,
    machine_at_start: DateTime<Utc>,
    offset_micros: AtomicI64,
    fed: AtomicBool,
}

impl Default for DatabaseClock {
    fn default() -> Self {
        Self::new()
    }
}

impl DatabaseClock {
    /// A clock that shows the machine's time until it is fed.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Inner {
            started: Instant::now(),
            machine_at_start: machine_time(),
            offset_micros: AtomicI64::new(0),
            fed: AtomicBool::new(false),
        }))
    }

    /// Takes over the database's time. `round_trip` is how long asking took; half of it is the answer's age.
    pub fn observe(&self, database_now: DateTime<Utc>, round_trip: Duration) {
        let age = TimeDelta::from_std(round_trip / 2).unwrap_or_default();
        self.set_offset(database_now + age - self.carried());
    }

    /// Sets the difference between the database's time and the machine's, as taken at the start.
    pub fn set_offset(&self, offset: TimeDelta) {
        let micros = offset.num_microseconds().unwrap_or_default();
        self.0.offset_micros.store(micros, Ordering::Relaxed);
        self.0.fed.store(true, Ordering::Relaxed);
    }

    /// The offset, once the database was asked.
    #[must_use]
    pub fn offset(&self) -> Option<TimeDelta> {
        let offset = TimeDelta::microseconds(self.0.offset_micros.load(Ordering::Relaxed));
        self.0.fed.load(Ordering::Relaxed).then_some(offset)
    }

    fn carried(&self) -> DateTime<Utc> {
        self.0.machine_at_start + TimeDelta::from_std(self.0.started.elapsed()).unwrap_or_default()
    }
}

impl Clock for DatabaseClock {
    fn now(&self) -> DateTime<Utc> {
        self.carried() + TimeDelta::microseconds(self.0.offset_micros.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_the_databases_time_once_fed_and_shares_it_with_its_clones() {
        let clock = DatabaseClock::new();
        let other = clock.clone();
        assert_eq!(clock.offset(), None);
        let database = clock.now() + TimeDelta::hours(3);
        clock.observe(database, Duration::from_millis(20));
        let ahead = other.now() - database;
        // Half the round trip; the offset is kept in whole microseconds.
        assert!(ahead >= TimeDelta::microseconds(9_999) && ahead < TimeDelta::seconds(5), "{ahead}");
    }

    #[test]
    fn does_not_go_backwards_between_feedings() {
        let clock = DatabaseClock::new();
        let first = clock.now();
        assert!(clock.now() >= first);
    }
}
