//! Quotas: a token bucket for each key and project, minute and hour.
//!
//! A bucket holds as many items as its window allows, divided by the number of ingest processes, and refills evenly.
//! The state is saved every few seconds and at the stop, so that a restart gives nothing away.

use crate::answer::Limit;
use crate::door::Known;
use bugle_model::Quota;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Scope {
    Key(i32),
    Project(i32),
}

impl Scope {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Key(_) => "key",
            Self::Project(_) => "project",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Window {
    Minute,
    Hour,
}

impl Window {
    const fn seconds(self) -> f64 {
        match self {
            Self::Minute => 60.0,
            Self::Hour => 3600.0,
        }
    }
}

/// Items that may still come, as of a time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Bucket {
    tokens: f64,
    at: DateTime<Utc>,
}

impl Bucket {
    pub(crate) const fn full(capacity: f64, now: DateTime<Utc>) -> Self {
        Self { tokens: capacity, at: now }
    }

    /// Refills up to `now`. A clock that was set back refills nothing.
    pub(crate) fn refill(&mut self, capacity: f64, window: f64, now: DateTime<Utc>) {
        let elapsed = (now - self.at).num_milliseconds().max(0) as f64 / 1000.0;
        self.tokens = (self.tokens + elapsed * capacity / window).min(capacity);
        self.at = now;
    }

    /// Seconds until there is one; 0 when there is.
    pub(crate) fn wait(&self, capacity: f64, window: f64) -> f64 {
        ((1.0 - self.tokens) * window / capacity).max(0.0)
    }

    pub(crate) fn take(&mut self) {
        self.tokens -= 1.0;
    }
}

/// Whole seconds for `Retry-After`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 3600")]
pub(crate) fn retry_after(seconds: f64) -> u64 {
    seconds.ceil().clamp(1.0, 3600.0) as u64
}

#[derive(Debug, Default)]
struct State {
    buckets: HashMap<(Scope, Window), Bucket>,
    is_dirty: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Saved {
    scope: Scope,
    window: Window,
    bucket: Bucket,
}

/// The state of all quotas.
#[derive(Debug, Default)]
pub(crate) struct Quotas(Mutex<State>);

impl Quotas {
    /// Starts from what was saved.
    pub(crate) fn load(saved: Vec<Saved>) -> Self {
        let buckets = saved.into_iter().map(|saved| ((saved.scope, saved.window), saved.bucket)).collect();
        Self(Mutex::new(State { buckets, is_dirty: false }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes one item out of each of the sender's quotas, or out of none.
    pub(crate) fn take(&self, sender: &Known, now: DateTime<Utc>) -> Result<(), Limit> {
        let limits = limits(sender);
        if limits.iter().all(|(_, _, limit)| limit.is_none()) {
            return Ok(());
        }
        let mut state = self.state();
        state.is_dirty = true;
        let mut refused: Option<(f64, Scope)> = None;
        let limits =
            limits.map(|(scope, window, limit)| Some((scope, window, capacity(limit?, sender.processes))));
        for (scope, window, capacity) in limits.into_iter().flatten() {
            let bucket = state.buckets.entry((scope, window)).or_insert(Bucket::full(capacity, now));
            bucket.refill(capacity, window.seconds(), now);
            let wait = bucket.wait(capacity, window.seconds());
            if wait > 0.0 && refused.is_none_or(|(longest, _)| wait > longest) {
                refused = Some((wait, scope));
            }
        }
        if let Some((wait, scope)) = refused {
            return Err(Limit { retry_after: retry_after(wait), scope: scope.as_str() });
        }
        for (scope, window, _) in limits.into_iter().flatten() {
            state.buckets.entry((scope, window)).and_modify(Bucket::take);
        }
        Ok(())
    }

    /// Gives items back that were not accepted after all.
    pub(crate) fn give_back(&self, sender: &Known, items: u32) {
        let mut state = self.state();
        for (scope, window, limit) in limits(sender) {
            if limit.is_some() {
                state.buckets.entry((scope, window)).and_modify(|bucket| bucket.tokens += f64::from(items));
            }
        }
    }

    /// What is to be saved; nothing when nothing has changed since the last time.
    pub(crate) fn changed(&self) -> Option<Vec<Saved>> {
        let mut state = self.state();
        if !std::mem::take(&mut state.is_dirty) {
            return None;
        }
        let saved = |(key, bucket): (&(Scope, Window), &Bucket)| Saved {
            scope: key.0,
            window: key.1,
            bucket: *bucket,
        };
        Some(state.buckets.iter().map(saved).collect())
    }
}

fn limits(sender: &Known) -> [(Scope, Window, Option<u32>); 4] {
    let of = |scope: Scope, quota: Quota| {
        [(scope, Window::Minute, quota.per_minute), (scope, Window::Hour, quota.per_hour)]
    };
    let [key_minute, key_hour] = of(Scope::Key(sender.key.id.0), sender.key.quota);
    let [project_minute, project_hour] = of(Scope::Project(sender.project.id.0), sender.project.quota);
    [key_minute, key_hour, project_minute, project_hour]
}

fn capacity(limit: u32, processes: u32) -> f64 {
    (f64::from(limit) / f64::from(processes.max(1))).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bugle_model::{DoorKey, DoorProject, KeyId, ProjectId};
    use chrono::TimeDelta;
    use std::sync::Arc;

    fn sender(key: Quota, project: Quota, processes: u32) -> Known {
        let key = DoorKey {
            id: KeyId(1),
            project: ProjectId(2),
            public_key: String::new(),
            enabled: true,
            quota: key,
        };
        let project = DoorProject {
            id: ProjectId(2),
            quota: project,
            blocked_addresses: Vec::new(),
            filter_crawlers: false,
        };
        Known { key: Arc::new(key), project: Arc::new(project), processes }
    }

    fn per_minute(n: u32) -> Quota {
        Quota { per_minute: Some(n), per_hour: None }
    }

    fn start() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    #[test]
    fn a_bucket_empties_and_refills_evenly() {
        let quotas = Quotas::default();
        let sender = sender(per_minute(6), Quota::default(), 1);
        let accepted = (0..10).filter(|_| quotas.take(&sender, start()).is_ok()).count();
        assert_eq!(accepted, 6);
        assert_eq!(quotas.take(&sender, start()), Err(Limit { retry_after: 10, scope: "key" }));
        let later = start() + TimeDelta::seconds(20);
        assert_eq!((0..10).filter(|_| quotas.take(&sender, later).is_ok()).count(), 2);
    }

    #[test]
    fn the_tightest_quota_decides_and_the_others_lose_nothing() {
        let quotas = Quotas::default();
        let both = sender(per_minute(100), per_minute(2), 1);
        assert_eq!((0..10).filter(|_| quotas.take(&both, start()).is_ok()).count(), 2);
        assert_eq!(quotas.take(&both, start()).unwrap_err().scope, "project");
        let key_only = sender(per_minute(100), Quota::default(), 1);
        assert_eq!((0..200).filter(|_| quotas.take(&key_only, start()).is_ok()).count(), 98);
    }

    #[test]
    fn processes_share_evenly() {
        let quotas = Quotas::default();
        let sender = sender(per_minute(9), Quota::default(), 3);
        assert_eq!((0..10).filter(|_| quotas.take(&sender, start()).is_ok()).count(), 3);
    }

    #[test]
    fn the_state_is_kept_over_a_restart_and_what_was_not_accepted_is_given_back() {
        let quotas = Quotas::default();
        let hour = Quota { per_minute: None, per_hour: Some(3) };
        let sender = sender(hour, Quota::default(), 1);
        assert!(quotas.changed().is_none());
        for _ in 0..3 {
            quotas.take(&sender, start()).unwrap();
        }
        quotas.give_back(&sender, 1);
        let text = serde_json::to_string(&quotas.changed().unwrap()).unwrap();
        let quotas = Quotas::load(serde_json::from_str(&text).unwrap());
        quotas.take(&sender, start()).unwrap();
        assert_eq!(quotas.take(&sender, start()).unwrap_err().retry_after, 1200);
    }
}
