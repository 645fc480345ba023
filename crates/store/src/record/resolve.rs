//! The issue of each event.

use super::batch::NewEvent;
use super::cache::Cache;
use crate::{Connection, StoreError, statement};
use bugle_model::{IssueId, ProjectId};
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Binary, Bool, Integer};
use diesel_async::RunQueryDsl;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// How many numbers of issues are taken from a project at once. Those that are not used are gaps.
const NUMBERS_AHEAD: usize = 10;

pub(super) type HashKey = (ProjectId, [u8; 16]);

/// Whose hash it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Owner {
    pub issue: IssueId,
    /// How often hashes had been taken away from the issue when this was read. A higher number says: look again.
    pub splits: i32,
}

/// A group of the batch: events that share a hash.
pub(super) type Slot = usize;

#[derive(Debug, Clone, Default)]
pub(super) struct Group {
    pub issue: Option<IssueId>,
    /// The batch opens the issue; the index of the event that does.
    pub opened_by: Option<usize>,
    pub number: i32,
}

/// Which event belongs to which issue.
#[derive(Debug, Default)]
pub(super) struct Groups {
    of_event: Vec<Slot>,
    pub groups: Vec<Group>,
    /// Hashes that no issue has yet.
    pub unclaimed: BTreeSet<HashKey>,
    /// Whose hash is whose, as the database says.
    pub owners: HashMap<HashKey, Owner>,
    /// Indexes of events that are to be dropped; when there are any, nothing else is worked out.
    pub discarded: Vec<usize>,
}

impl Groups {
    pub fn slot(&self, event: usize) -> Slot {
        self.of_event.get(event).copied().unwrap_or_default()
    }

    /// The issue of an event; `None` before [`super::create::create`] for one that is new.
    pub fn issue(&self, event: usize) -> Option<IssueId> {
        self.groups.get(self.slot(event))?.issue
    }

    /// Whose hash is whose, to be remembered once the transaction is committed.
    pub fn owners(&self) -> impl Iterator<Item = (HashKey, Owner)> {
        self.owners.iter().map(|(key, owner)| (*key, *owner))
    }

    /// Every issue of the batch, sorted.
    pub fn issues(&self) -> Vec<i64> {
        let issues: BTreeSet<i64> = self.groups.iter().filter_map(|group| Some(group.issue?.0)).collect();
        issues.into_iter().collect()
    }

    /// The event that opened an issue in this batch.
    pub fn opened_by(&self, issue: IssueId) -> Option<usize> {
        self.groups.iter().find(|group| group.issue == Some(issue))?.opened_by
    }
}

#[derive(QueryableByName)]
struct HashRow {
    #[diesel(sql_type = Integer)]
    project_id: i32,
    #[diesel(sql_type = Binary)]
    hash: Vec<u8>,
    #[diesel(sql_type = BigInt)]
    issue_id: i64,
    #[diesel(sql_type = Integer)]
    splits: i32,
    #[diesel(sql_type = Bool)]
    discarded: bool,
}

impl HashRow {
    fn key(&self) -> Option<HashKey> {
        Some((ProjectId(self.project_id), self.hash.as_slice().try_into().ok()?))
    }
}

#[derive(QueryableByName)]
struct First {
    #[diesel(sql_type = Integer)]
    first: i32,
}

/// Looks up the hashes of the batch: the first known one of an event wins. What none knows becomes a group of the
/// batch by its primary hash.
pub(super) async fn groups(
    connection: &mut Connection,
    cache: &mut Cache,
    events: &[NewEvent],
) -> Result<Groups, StoreError> {
    let all: BTreeSet<HashKey> =
        events.iter().flat_map(|event| event.hashes.iter().map(|hash| (event.project, *hash))).collect();
    let mut known: HashMap<HashKey, Owner> =
        all.iter().filter_map(|key| Some((*key, *cache.hashes.get(key)?))).collect();
    let missing: Vec<HashKey> = all.iter().filter(|key| !known.contains_key(*key)).copied().collect();
    let found = look_up(connection, &missing).await?;
    known.extend(found.owners);
    let discarded = discarded(events, &known, &found.discarded);
    if !discarded.is_empty() {
        return Ok(Groups { discarded, ..Groups::default() });
    }

    let unclaimed = all.into_iter().filter(|key| !known.contains_key(key)).collect();
    let mut groups = Groups { unclaimed, ..Groups::default() };
    let mut slots: HashMap<IssueId, Slot> = HashMap::new();
    let mut new_slots: HashMap<HashKey, Slot> = HashMap::new();
    for (index, event) in events.iter().enumerate() {
        let keys = event.hashes.iter().map(|hash| (event.project, *hash));
        let slot = if let Some(Owner { issue, .. }) = keys.clone().find_map(|key| known.get(&key).copied()) {
            *slots
                .entry(issue)
                .or_insert_with(|| groups.push(Group { issue: Some(issue), ..Group::default() }))
        } else {
            match keys.clone().find_map(|key| new_slots.get(&key).copied()) {
                Some(slot) => slot,
                None => groups.push(Group { opened_by: Some(index), ..Group::default() }),
            }
        };
        if groups.groups.get(slot).is_some_and(|group| group.issue.is_none()) {
            for key in keys {
                new_slots.entry(key).or_insert(slot);
            }
        }
        groups.of_event.push(slot);
    }
    groups.owners = known;
    reserve(connection, cache, events, &mut groups).await?;
    Ok(groups)
}

impl Groups {
    fn push(&mut self, group: Group) -> Slot {
        self.groups.push(group);
        self.groups.len() - 1
    }
}

/// The events whose first known hash is discarded.
fn discarded(
    events: &[NewEvent],
    known: &HashMap<HashKey, Owner>,
    discarded: &HashSet<HashKey>,
) -> Vec<usize> {
    if discarded.is_empty() {
        return Vec::new();
    }
    let is_discarded = |event: &NewEvent| {
        let mut keys = event.hashes.iter().map(|hash| (event.project, *hash));
        let first = keys.find(|key| discarded.contains(key) || known.contains_key(key));
        first.is_some_and(|key| discarded.contains(&key))
    };
    events.iter().enumerate().filter(|(_, event)| is_discarded(event)).map(|(index, _)| index).collect()
}

/// What the database knows of hashes.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub owners: HashMap<HashKey, Owner>,
    /// Nobody wants to hear of these.
    pub discarded: HashSet<HashKey>,
}

pub(super) async fn look_up(connection: &mut Connection, keys: &[HashKey]) -> Result<Found, StoreError> {
    if keys.is_empty() {
        return Ok(Found::default());
    }
    let rows: Vec<HashRow> = statement(
        "SELECT w.project_id, w.hash, coalesce(i.id, 0) AS issue_id, coalesce(i.splits, 0) AS splits,
             d.hash IS NOT NULL AS discarded
         FROM UNNEST($1, $2) AS w (project_id, hash)
         LEFT JOIN issue_hashes h ON h.project_id = w.project_id AND h.hash = w.hash
         LEFT JOIN issues i ON i.id = h.issue_id
         LEFT JOIN discard_hashes d ON d.project_id = w.project_id AND d.hash = w.hash
         WHERE i.id IS NOT NULL OR d.hash IS NOT NULL",
    )
    .bind::<Array<Integer>, _>(keys.iter().map(|key| key.0.0).collect::<Vec<_>>())
    .bind::<Array<Binary>, _>(keys.iter().map(|key| key.1.to_vec()).collect::<Vec<_>>())
    .load(connection)
    .await?;
    let mut found = Found::default();
    for row in &rows {
        let Some(key) = row.key() else { continue };
        if row.discarded {
            found.discarded.insert(key);
        } else {
            found.owners.insert(key, Owner { issue: IssueId(row.issue_id), splits: row.splits });
        }
    }
    Ok(found)
}

/// Takes numbers for the issues to come, in blocks and outside the batch's transaction: the row lock on the
/// project is held for a moment, and a batch that fails leaves gaps.
async fn reserve(
    connection: &mut Connection,
    cache: &mut Cache,
    events: &[NewEvent],
    groups: &mut Groups,
) -> Result<(), StoreError> {
    let mut wanted: BTreeMap<ProjectId, usize> = BTreeMap::new();
    for group in &groups.groups {
        if let Some(event) = group.opened_by.and_then(|index| events.get(index)) {
            *wanted.entry(event.project).or_default() += 1;
        }
    }
    for (project, count) in wanted {
        let numbers = cache.numbers.entry(project).or_default();
        if numbers.len() < count {
            let block = i32::try_from((count - numbers.len()).max(NUMBERS_AHEAD)).unwrap_or(i32::MAX);
            let rows: Vec<First> = statement(
                "UPDATE projects SET next_issue_number = next_issue_number + $2 WHERE id = $1
                 RETURNING next_issue_number - $2 AS first",
            )
            .bind::<Integer, _>(project.0)
            .bind::<Integer, _>(block)
            .load(connection)
            .await?;
            // The lowest comes off the end first. A deleted project has no row: the foreign key says so later.
            let first = rows.as_slice().first().map_or(1, |row| row.first);
            let mut fresh: Vec<i32> = (first..first.saturating_add(block)).rev().collect();
            fresh.append(numbers);
            *numbers = fresh;
        }
    }
    for group in &mut groups.groups {
        if let Some(event) = group.opened_by.and_then(|index| events.get(index)) {
            group.number = cache.numbers.get_mut(&event.project).and_then(Vec::pop).unwrap_or_default();
        }
    }
    Ok(())
}

/// The beginning of the minute.
pub(super) fn minute(time: DateTime<Utc>) -> DateTime<Utc> {
    time.duration_trunc(TimeDelta::minutes(1)).unwrap_or(time)
}
