//! What a recorder remembers between batches: never needed for correctness, bounded, and filled only with what is
//! committed.

use super::encode::Encoded;
use super::resolve::{Groups, Owner};
use super::shelf::{Anchor, Shelf, ShelfKey};
use bugle_model::ProjectId;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hash, RandomState};

/// Anchors' documents are kept up to this many bytes.
const ANCHOR_BYTES: usize = 24 * 1024 * 1024;
const MAX_HASHES: usize = 100_000;
const MAX_SHELVES: usize = 50_000;
const MAX_NAMES: usize = 20_000;
/// Tags and users that are known to be there; eight bytes each, and the set's overhead.
const MAX_KNOWN: usize = 400_000;

/// A recorder's memory.
#[derive(Debug, Default)]
pub struct Cache {
    pub(super) hashes: HashMap<(ProjectId, [u8; 16]), Owner>,
    pub(super) shelves: HashMap<ShelfKey, Shelf>,
    pub(super) releases: HashMap<(ProjectId, String), i32>,
    pub(super) environments: HashMap<(ProjectId, String), i32>,
    anchor_bytes: usize,
    tags: HashSet<u64>,
    users: HashSet<u64>,
    hasher: RandomState,
    clock: u64,
    /// Ids from the sequence of anchors, fetched ahead; the lowest first.
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
        self.shelves.clear();
        self.anchor_bytes = 0;
        self.tags.clear();
        self.users.clear();
    }

    /// Takes in what was read from the database, also that there was nothing.
    pub(super) fn keep_loaded(&mut self, asked: &[ShelfKey], anchors: Vec<(ShelfKey, Anchor)>) {
        self.clock += 1;
        for key in asked {
            self.shelves.insert(*key, Shelf { used: self.clock, ..Shelf::default() });
        }
        for (key, anchor) in anchors {
            self.anchor_bytes += anchor.document.len();
            self.shelves.entry(key).or_default().anchors.push(anchor);
        }
    }

    /// Takes over what a batch has made of its anchors, as far as they are in the database.
    fn learn_anchors(&mut self, groups: &Groups, encoded: &Encoded, written: &HashSet<i64>) {
        self.clock += 1;
        for used in &encoded.used {
            let Some(issue) = groups.issue(used.event) else { continue };
            let key = (issue, used.retention);
            let old = self.shelves.remove(&key).unwrap_or_default();
            self.anchor_bytes = self.anchor_bytes.saturating_sub(old.bytes());
            let made =
                encoded.anchors.iter().map(|made| &made.anchor).filter(|anchor| written.contains(&anchor.id));
            let mut known: HashMap<i64, Anchor> = made
                .filter(|anchor| used.anchors.iter().any(|(id, _)| *id == anchor.id))
                .chain(&old.anchors)
                .map(|anchor| (anchor.id, anchor.clone()))
                .collect();
            let anchors = used
                .anchors
                .iter()
                .filter_map(|(id, best)| Some(Anchor { best: *best, ..known.remove(id)? }));
            let shelf = Shelf { anchors: anchors.collect(), misses: used.misses, used: self.clock };
            self.anchor_bytes += shelf.bytes();
            self.shelves.insert(key, shelf);
        }
        if self.anchor_bytes > ANCHOR_BYTES || self.shelves.len() > MAX_SHELVES {
            self.drop_idle_shelves();
        }
    }

    /// Drops the half that was not used for the longest time.
    fn drop_idle_shelves(&mut self) {
        let mut times: Vec<u64> = self.shelves.values().map(|shelf| shelf.used).collect();
        times.sort_unstable();
        let middle = times.get(times.len() / 2).copied().unwrap_or_default();
        self.shelves.retain(|_, shelf| shelf.used > middle);
        self.anchor_bytes = self.shelves.values().map(Shelf::bytes).sum();
    }

    /// Takes over what a committed batch has shown.
    pub(super) fn learn(&mut self, groups: &Groups, encoded: &Encoded, learnt: Learnt) {
        if self.hashes.len() > MAX_HASHES {
            self.hashes.clear();
        }
        self.hashes.extend(groups.owners());
        self.learn_anchors(groups, encoded, &learnt.anchors);
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
