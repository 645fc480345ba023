//! What a recorder remembers between batches: never needed for correctness, bounded, and filled only with what is
//! committed.

use super::encode::Encoded;
use super::resolve::Groups;
use bugle_model::{IssueId, ProjectId, RetentionClass};
use chrono::NaiveDate;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::Arc;

/// Anchors' documents are kept up to this many bytes.
const ANCHOR_BYTES: usize = 24 * 1024 * 1024;
const MAX_HASHES: usize = 100_000;
const MAX_NAMES: usize = 20_000;
/// Tags and users that are known to be there; eight bytes each, and the set's overhead.
const MAX_KNOWN: usize = 400_000;

/// An anchor and how well it serves.
#[derive(Debug, Clone)]
pub(super) struct Anchor {
    pub id: i64,
    pub document: Arc<Vec<u8>>,
    pub sealed_on: NaiveDate,
    /// The smallest payload so far that was made against it.
    pub best: Option<usize>,
    pub used: u64,
}

/// A recorder's memory.
#[derive(Debug, Default)]
pub struct Cache {
    pub(super) hashes: HashMap<(ProjectId, [u8; 16]), IssueId>,
    pub(super) anchors: HashMap<(IssueId, RetentionClass), Anchor>,
    pub(super) releases: HashMap<(ProjectId, String), i32>,
    pub(super) environments: HashMap<(ProjectId, String), i32>,
    anchor_bytes: usize,
    tags: HashSet<u64>,
    users: HashSet<u64>,
    hasher: RandomState,
    clock: u64,
    /// Ids from the sequence of anchors, fetched ahead.
    pub(super) anchor_ids: Vec<i64>,
    /// Numbers of issues to come, fetched ahead, by project.
    pub(super) numbers: HashMap<ProjectId, Vec<i32>>,
}

/// What a committed transaction has taught.
pub(super) struct Learnt {
    /// The anchors that were written.
    pub anchors: HashSet<i64>,
    pub tags: Vec<u64>,
    pub users: Vec<u64>,
}

impl Cache {
    /// A fingerprint of a fact, for [`Cache::knows_tag`] and [`Cache::knows_user`]; it holds within one process.
    pub(super) fn fingerprint(&self, fact: impl Hash) -> u64 {
        self.hasher.hash_one(fact)
    }

    pub(super) fn knows_tag(&self, fingerprint: u64) -> bool {
        self.tags.contains(&fingerprint)
    }

    pub(super) fn knows_user(&self, fingerprint: u64) -> bool {
        self.users.contains(&fingerprint)
    }

    /// Forgets everything about issues: one of them is not there any more.
    pub(super) fn forget_issues(&mut self) {
        self.hashes.clear();
        self.anchors.clear();
        self.anchor_bytes = 0;
        self.tags.clear();
        self.users.clear();
    }

    pub(super) fn keep_anchor(&mut self, key: (IssueId, RetentionClass), anchor: Anchor) {
        self.clock += 1;
        self.anchor_bytes += anchor.document.len();
        if let Some(old) = self.anchors.insert(key, Anchor { used: self.clock, ..anchor }) {
            self.anchor_bytes = self.anchor_bytes.saturating_sub(old.document.len());
        }
        if self.anchor_bytes > ANCHOR_BYTES {
            self.drop_idle_anchors();
        }
    }

    /// Drops the half that was not used for the longest time.
    fn drop_idle_anchors(&mut self) {
        let mut times: Vec<u64> = self.anchors.values().map(|anchor| anchor.used).collect();
        times.sort_unstable();
        let middle = times.get(times.len() / 2).copied().unwrap_or_default();
        self.anchors.retain(|_, anchor| anchor.used > middle);
        self.anchor_bytes = self.anchors.values().map(|anchor| anchor.document.len()).sum();
    }

    /// Takes over what a committed batch has shown.
    pub(super) fn learn(&mut self, groups: &Groups, encoded: &Encoded, learnt: Learnt) {
        if self.hashes.len() > MAX_HASHES {
            self.hashes.clear();
        }
        self.hashes.extend(groups.owners());
        for made in encoded.anchors.iter().filter(|made| learnt.anchors.contains(&made.anchor.id)) {
            if let Some(issue) = groups.issue(made.event) {
                self.keep_anchor((issue, made.retention), made.anchor.clone());
            }
        }
        self.clock += 1;
        for (key, best) in &encoded.best {
            if let Some(anchor) = self.anchors.get_mut(key) {
                anchor.best = Some(anchor.best.map_or(*best, |before| before.min(*best)));
                anchor.used = self.clock;
            }
        }
        for (known, new) in [(&mut self.tags, learnt.tags), (&mut self.users, learnt.users)] {
            if known.len() + new.len() > MAX_KNOWN {
                known.clear();
            }
            known.extend(new);
        }
        for names in [&mut self.releases, &mut self.environments] {
            if names.len() > MAX_NAMES {
                names.clear();
            }
        }
    }
}
