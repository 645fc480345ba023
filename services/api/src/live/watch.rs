//! Finds what has changed in the store since the last look.
//!
//! A look sees what has been committed, by whichever process and over whichever bus. Ids are given out before they can be
//! seen, so a later one may show first: a look goes back to where one of [`OVERLAP`] looks ago ended, and leaves out what
//! it has seen.

use super::item::Item;
use bugle_store::live::{self, Issue, Newest};
use bugle_store::{Connection, StoreError};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{HashMap, HashSet, VecDeque};

/// How many looks ago ids may have been given out that show only now: longer than a transaction of ours takes.
const OVERLAP: usize = 10;
/// Issues with an event within this time are compared. `active_at` is to the minute.
const RECENT: TimeDelta = TimeDelta::minutes(3);
/// How many rows of each kind a look reads at most.
const MOST_ROWS: usize = 2_000;
/// How many notifications that are not ended are followed.
const MOST_OPEN: usize = 1_000;

/// What a look found.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) items: Vec<Item>,
    /// There was more than a look reads.
    pub(super) is_partial: bool,
}

/// What the last look saw.
#[derive(Debug)]
pub(super) struct Watch {
    /// Where the last looks ended, the oldest first. Never empty.
    ends: VecDeque<Newest>,
    /// The counts of the recent issues.
    counts: HashMap<i64, (i64, i32)>,
    happened: HashSet<i64>,
    /// Numbers of the audit log.
    audited: HashSet<i64>,
    /// The state of notifications that are new or not ended.
    told: HashMap<i64, i16>,
    looked_at: DateTime<Utc>,
}

impl Watch {
    /// Begins with what is there.
    pub(super) async fn begin(connection: &mut Connection, now: DateTime<Utc>) -> Result<Self, StoreError> {
        let newest = live::newest(connection).await?;
        let issues = live::issues(connection, now - RECENT, newest.issue, MOST_ROWS).await?;
        Ok(Self {
            ends: VecDeque::from([newest]),
            counts: counts(&issues),
            happened: HashSet::new(),
            audited: HashSet::new(),
            told: HashMap::new(),
            looked_at: now,
        })
    }

    /// Whether the last look is too long ago for the next to see everything in between.
    pub(super) fn is_stale(&self, now: DateTime<Utc>) -> bool {
        now - self.looked_at > RECENT - TimeDelta::minutes(1)
    }

    /// What has changed.
    pub(super) async fn look(
        &mut self,
        connection: &mut Connection,
        now: DateTime<Utc>,
    ) -> Result<Changes, StoreError> {
        let from = self.ends.front().copied().unwrap_or_default();
        let mut end = self.ends.back().copied().unwrap_or_default();
        let issues = live::issues(connection, now - RECENT, from.issue, MOST_ROWS).await?;
        let happened = live::happened(connection, from.activity, MOST_ROWS).await?;
        let open: Vec<i64> = self.told.keys().copied().collect();
        let told = live::told(connection, from.notification, &open, MOST_ROWS).await?;
        let removed = live::removed(connection, from.audit, MOST_ROWS).await?;
        let commented = live::commented(connection, from.audit, MOST_ROWS).await?;

        let read = [issues.len(), happened.len(), told.len(), removed.len(), commented.len()];
        let is_partial = read.iter().any(|rows| *rows >= MOST_ROWS);
        let mut items = Vec::new();
        for issue in &issues {
            end.issue = end.issue.max(issue.id.0);
            match self.counts.get(&issue.id.0) {
                Some(counts) if *counts == (issue.count, issue.users) => {}
                None if issue.id.0 > from.issue => items.push(Item::opened(issue)),
                _ => items.push(Item::seen(issue)),
            }
        }
        self.counts = counts(&issues);
        for one in &happened {
            end.activity = end.activity.max(one.id);
            if self.happened.insert(one.id) {
                items.push(Item::changed(one));
            }
        }
        for one in &commented {
            end.audit = end.audit.max(one.id);
            if self.audited.insert(one.id) {
                items.push(Item::changed(one));
            }
        }
        for one in &removed {
            end.audit = end.audit.max(one.id);
            if self.audited.insert(one.id) && !one.short_ids.is_empty() {
                items.push(Item::deleted(one));
            }
        }
        for one in &told {
            end.notification = end.notification.max(one.id.0);
            if self.told.insert(one.id.0, one.state) != Some(one.state) {
                items.push(Item::notification(one));
            }
        }
        self.remember(end, now);
        Ok(Changes { items, is_partial })
    }

    fn remember(&mut self, end: Newest, now: DateTime<Utc>) {
        self.looked_at = now;
        self.ends.push_back(end);
        if self.ends.len() > OVERLAP {
            self.ends.pop_front();
        }
        let from = self.ends.front().copied().unwrap_or_default();
        self.happened.retain(|id| *id > from.activity);
        self.audited.retain(|id| *id > from.audit);
        // Codes below 2 are pending and sending.
        self.told.retain(|id, state| *id > from.notification || *state < 2);
        if self.told.len() > MOST_OPEN {
            let mut ids: Vec<i64> = self.told.keys().copied().collect();
            ids.sort_unstable_by(|left, right| right.cmp(left));
            let oldest = ids.get(MOST_OPEN - 1).copied().unwrap_or_default();
            self.told.retain(|id, _| *id >= oldest);
        }
    }
}

fn counts(issues: &[Issue]) -> HashMap<i64, (i64, i32)> {
    issues.iter().map(|issue| (issue.id.0, (issue.count, issue.users))).collect()
}
