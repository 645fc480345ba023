//! The issue of each event.

use super::batch::NewEvent;
use super::cache::Cache;
use crate::{Connection, StoreError, statement};
use bugle_model::{IssueId, ProjectId};
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Binary, Integer};
use diesel_async::RunQueryDsl;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// How many numbers of issues are taken from a project at once. Those that are not used are gaps.
const NUMBERS_AHEAD: usize = 10;

pub(super) type HashKey = (ProjectId, [u8; 16]);

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
    pub owners: HashMap<HashKey, IssueId>,
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
    pub fn owners(&self) -> impl Iterator<Item = (HashKey, IssueId)> {
        self.owners.iter().map(|(key, issue)| (*key, *issue))
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
    let mut known: HashMap<HashKey, IssueId> =
        all.iter().filter_map(|key| Some((*key, *cache.hashes.get(key)?))).collect();
    let missing: Vec<HashKey> = all.iter().filter(|key| !known.contains_key(*key)).copied().collect();
    known.extend(look_up(connection, &missing).await?);

    let unclaimed = all.into_iter().filter(|key| !known.contains_key(key)).collect();
    let mut groups = Groups { unclaimed, ..Groups::default() };
    let mut slots: HashMap<IssueId, Slot> = HashMap::new();
    let mut new_slots: HashMap<HashKey, Slot> = HashMap::new();
    for (index, event) in events.iter().enumerate() {
        let keys = event.hashes.iter().map(|hash| (event.project, *hash));
        let slot = if let Some(issue) = keys.clone().find_map(|key| known.get(&key).copied()) {
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

pub(super) async fn look_up(
    connection: &mut Connection,
    keys: &[HashKey],
) -> Result<HashMap<HashKey, IssueId>, StoreError> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<HashRow> = statement(
        "SELECT h.project_id, h.hash, h.issue_id FROM UNNEST($1, $2) AS w (project_id, hash)
         JOIN issue_hashes h ON h.project_id = w.project_id AND h.hash = w.hash",
    )
    .bind::<Array<Integer>, _>(keys.iter().map(|key| key.0.0).collect::<Vec<_>>())
    .bind::<Array<Binary>, _>(keys.iter().map(|key| key.1.to_vec()).collect::<Vec<_>>())
    .load(connection)
    .await?;
    Ok(rows.iter().filter_map(|row| Some((row.key()?, IssueId(row.issue_id)))).collect())
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
