//! From names to numbers: releases, environments, and the issue of each event.

use super::batch::NewEvent;
use super::cache::Cache;
use crate::{Connection, StoreError, statement};
use bugle_model::{IssueId, Priority, ProjectId};
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Binary, Bool, Integer, Nullable, SmallInt, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// How many numbers of issues are taken from a project at once. Those that are not used are gaps.
const NUMBERS_AHEAD: usize = 10;

pub(super) type HashKey = (ProjectId, [u8; 16]);

/// A group of the batch: events that share a hash.
pub(super) type Slot = usize;

/// Numbers of releases and environments.
#[derive(Debug, Default)]
pub(super) struct Names {
    releases: HashMap<(ProjectId, String), i32>,
    environments: HashMap<(ProjectId, String), i32>,
}

impl Names {
    pub fn release(&self, event: &NewEvent) -> Option<i32> {
        self.releases.get(&(event.project, event.release.clone()?)).copied()
    }

    pub fn environment(&self, event: &NewEvent) -> Option<i32> {
        self.environments.get(&(event.project, event.environment.clone()?)).copied()
    }
}

#[derive(Debug, Clone, Default)]
struct Group {
    issue: Option<IssueId>,
    /// The batch opens the issue; the index of the event that does.
    opened_by: Option<usize>,
    number: i32,
}

/// Which event belongs to which issue.
#[derive(Debug, Default)]
pub(super) struct Groups {
    of_event: Vec<Slot>,
    groups: Vec<Group>,
    /// Hashes that no issue has yet.
    unclaimed: BTreeSet<HashKey>,
    /// Whose hash is whose, as the database says.
    owners: HashMap<HashKey, IssueId>,
}

impl Groups {
    pub fn slot(&self, event: usize) -> Slot {
        self.of_event.get(event).copied().unwrap_or_default()
    }

    /// The issue of an event; `None` before [`create`] for one that is new.
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
struct NameRow {
    #[diesel(sql_type = Integer)]
    id: i32,
    #[diesel(sql_type = Integer)]
    project_id: i32,
    #[diesel(sql_type = Text)]
    name: String,
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
struct Id {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

#[derive(QueryableByName)]
struct First {
    #[diesel(sql_type = Integer)]
    first: i32,
}

/// Finds or makes the releases and environments of the batch, outside the batch's transaction: one without an
/// event does no harm, and nobody waits for the lock.
pub(super) async fn names(connection: &mut Connection, cache: &mut Cache, events: &[NewEvent], now: DateTime<Utc>) -> Result<Names, StoreError> {
    let wanted = |name: fn(&NewEvent) -> Option<&String>| -> BTreeSet<(ProjectId, String)> {
        events.iter().filter_map(|event| Some((event.project, name(event)?.clone()))).collect()
    };
    let releases = wanted(|event| event.release.as_ref());
    let environments = wanted(|event| event.environment.as_ref());
    let pick = |known: &HashMap<(ProjectId, String), i32>, wanted: &BTreeSet<(ProjectId, String)>| {
        wanted.iter().filter_map(|key| Some((key.clone(), *known.get(key)?))).collect::<HashMap<_, _>>()
    };
    let mut names = Names { releases: pick(&cache.releases, &releases), environments: pick(&cache.environments, &environments) };
    let missing: Vec<_> = releases.into_iter().filter(|key| !names.releases.contains_key(key)).collect();
    if !missing.is_empty() {
        let rows: Vec<NameRow> = statement(
            "WITH wanted AS (SELECT * FROM UNNEST($1, $2) AS t (project_id, version)),
             made AS (INSERT INTO releases (project_id, version, created_at)
                 SELECT w.project_id, w.version, $3 FROM wanted w JOIN projects p ON p.id = w.project_id
                 ORDER BY 1, 2 ON CONFLICT (project_id, version) DO UPDATE SET version = excluded.version
                 RETURNING id, project_id, version)
             SELECT id, project_id, version AS name FROM made",
        )
        .bind::<Array<Integer>, _>(missing.iter().map(|key| key.0.0).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(missing.iter().map(|key| key.1.clone()).collect::<Vec<_>>())
        .bind::<Timestamptz, _>(now)
        .load(connection)
        .await?;
        remember(&mut cache.releases, &mut names.releases, rows);
    }
    let missing: Vec<_> = environments.into_iter().filter(|key| !names.environments.contains_key(key)).collect();
    if !missing.is_empty() {
        let rows: Vec<NameRow> = statement(
            "INSERT INTO environments (project_id, name)
             SELECT w.project_id, w.name FROM UNNEST($1, $2) AS w (project_id, name) JOIN projects p ON p.id = w.project_id
             ORDER BY 1, 2 ON CONFLICT (project_id, name) DO UPDATE SET name = excluded.name
             RETURNING id, project_id, name",
        )
        .bind::<Array<Integer>, _>(missing.iter().map(|key| key.0.0).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(missing.iter().map(|key| key.1.clone()).collect::<Vec<_>>())
        .load(connection)
        .await?;
        remember(&mut cache.environments, &mut names.environments, rows);
    }
    Ok(names)
}

fn remember(cache: &mut HashMap<(ProjectId, String), i32>, names: &mut HashMap<(ProjectId, String), i32>, rows: Vec<NameRow>) {
    for row in rows {
        let key = (ProjectId(row.project_id), row.name);
        cache.insert(key.clone(), row.id);
        names.insert(key, row.id);
    }
}

/// Looks up the hashes of the batch: the first known one of an event wins. What none knows becomes a group of the
/// batch by its primary hash.
pub(super) async fn groups(connection: &mut Connection, cache: &mut Cache, events: &[NewEvent]) -> Result<Groups, StoreError> {
    let all: BTreeSet<HashKey> =
        events.iter().flat_map(|event| event.hashes.iter().map(|hash| (event.project, *hash))).collect();
    let mut known: HashMap<HashKey, IssueId> =
        all.iter().filter_map(|key| Some((*key, *cache.hashes.get(key)?))).collect();
    let missing: Vec<HashKey> = all.iter().filter(|key| !known.contains_key(*key)).copied().collect();
    known.extend(look_up(connection, &missing).await?);

    let mut groups = Groups::default();
    groups.unclaimed = all.into_iter().filter(|key| !known.contains_key(key)).collect();
    let mut slots: HashMap<IssueId, Slot> = HashMap::new();
    let mut new_slots: HashMap<HashKey, Slot> = HashMap::new();
    for (index, event) in events.iter().enumerate() {
        let keys = event.hashes.iter().map(|hash| (event.project, *hash));
        let slot = if let Some(issue) = keys.clone().find_map(|key| known.get(&key).copied()) {
            *slots.entry(issue).or_insert_with(|| groups.push(Group { issue: Some(issue), ..Group::default() }))
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

async fn look_up(connection: &mut Connection, keys: &[HashKey]) -> Result<HashMap<HashKey, IssueId>, StoreError> {
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
async fn reserve(connection: &mut Connection, cache: &mut Cache, events: &[NewEvent], groups: &mut Groups) -> Result<(), StoreError> {
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

/// Opens the issues of the batch that nobody knows yet. Where another recorder was first, its issue is the one;
/// this waits for its transaction. Also attaches further hashes to known issues.
pub(super) async fn create(
    connection: &mut Connection,
    groups: &mut Groups,
    events: &[NewEvent],
    names: &Names,
) -> Result<(), StoreError> {
    if groups.unclaimed.is_empty() {
        return Ok(());
    }
    let ids = insert_issues(connection, groups, events, names).await?;
    let mut claims: BTreeMap<HashKey, (IssueId, i16)> = BTreeMap::new();
    for (index, event) in events.iter().enumerate() {
        let slot = groups.slot(index);
        let issue = ids.get(&slot).copied().or_else(|| groups.issue(index));
        for hash in &event.hashes {
            if let Some(issue) = issue
                && groups.unclaimed.contains(&(event.project, *hash))
            {
                claims.entry((event.project, *hash)).or_insert((issue, event.algorithm));
            }
        }
    }
    claim(connection, &claims).await?;
    settle(connection, groups, events, &ids).await
}

async fn insert_issues(connection: &mut Connection, groups: &Groups, events: &[NewEvent], names: &Names) -> Result<BTreeMap<Slot, IssueId>, StoreError> {
    let opened: Vec<(Slot, &Group, &NewEvent)> = groups
        .groups
        .iter()
        .enumerate()
        .filter_map(|(slot, group)| Some((slot, group, events.get(group.opened_by?)?)))
        .collect();
    if opened.is_empty() {
        return Ok(BTreeMap::new());
    }
    let column = || opened.iter().map(|(_, _, event)| *event);
    let rows: Vec<Id> = statement(
        "INSERT INTO issues (id, project_id, number, title, culprit, error_type, platform, level, priority,
             priority_chosen, first_seen, active_at, first_release_id)
         SELECT nextval('issues_id_seq'), * FROM UNNEST($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING id",
    )
    .bind::<Array<Integer>, _>(column().map(|event| event.project.0).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(opened.iter().map(|(_, group, _)| group.number).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(column().map(|event| event.title.clone()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(column().map(|event| event.culprit.clone()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(column().map(|event| event.error_type.clone()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(column().map(|event| event.platform.clone()).collect::<Vec<_>>())
    .bind::<Array<SmallInt>, _>(column().map(|event| event.level.code()).collect::<Vec<_>>())
    .bind::<Array<SmallInt>, _>(column().map(|event| first_priority(event).code()).collect::<Vec<_>>())
    .bind::<Array<Bool>, _>(column().map(|event| event.priority.is_some()).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(column().map(|event| event.received_at).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(column().map(|event| minute(event.received_at)).collect::<Vec<_>>())
    .bind::<Array<Nullable<Integer>>, _>(column().map(|event| names.release(event)).collect::<Vec<_>>())
    .load(connection)
    .await?;
    Ok(opened.iter().zip(rows).map(|((slot, _, _), row)| (*slot, IssueId(row.id))).collect())
}

fn first_priority(event: &NewEvent) -> Priority {
    event.priority.unwrap_or_else(|| Priority::derive(event.level, event.handled))
}

/// The beginning of the minute.
pub(super) fn minute(time: DateTime<Utc>) -> DateTime<Utc> {
    time.duration_trunc(TimeDelta::minutes(1)).unwrap_or(time)
}

async fn claim(connection: &mut Connection, claims: &BTreeMap<HashKey, (IssueId, i16)>) -> Result<(), StoreError> {
    statement(
        "INSERT INTO issue_hashes (project_id, hash, issue_id, algorithm)
         SELECT * FROM UNNEST($1, $2, $3, $4) AS t (p, h, i, a) ORDER BY p, h
         ON CONFLICT (project_id, hash) DO NOTHING",
    )
    .bind::<Array<Integer>, _>(claims.keys().map(|key| key.0.0).collect::<Vec<_>>())
    .bind::<Array<Binary>, _>(claims.keys().map(|key| key.1.to_vec()).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(claims.values().map(|(issue, _)| issue.0).collect::<Vec<_>>())
    .bind::<Array<SmallInt>, _>(claims.values().map(|(_, algorithm)| *algorithm).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Asks who has the hashes of the issues that this batch has opened. An issue that got none of its own is removed
/// again, and the events go to the winner's.
async fn settle(connection: &mut Connection, groups: &mut Groups, events: &[NewEvent], ids: &BTreeMap<Slot, IssueId>) -> Result<(), StoreError> {
    let mut keys: BTreeMap<Slot, Vec<HashKey>> = BTreeMap::new();
    for (index, event) in events.iter().enumerate() {
        let slot = groups.slot(index);
        if ids.contains_key(&slot) {
            keys.entry(slot).or_default().extend(event.hashes.iter().map(|hash| (event.project, *hash)));
        }
    }
    let all: Vec<HashKey> = groups.unclaimed.iter().copied().collect();
    let owners = look_up(connection, &all).await?;
    groups.owners.extend(owners.iter().map(|(key, issue)| (*key, *issue)));
    let mut lost: BTreeMap<IssueId, IssueId> = BTreeMap::new();
    for (slot, id) in ids {
        // The primary hash of the event that opened it decides, as it does for every other event of the group.
        let owner = keys.get(slot).into_iter().flatten().find_map(|key| owners.get(key)).copied().unwrap_or(*id);
        let Some(group) = groups.groups.get_mut(*slot) else { continue };
        group.issue = Some(owner);
        if owner != *id {
            group.opened_by = None;
            lost.insert(*id, owner);
        }
    }
    if !lost.is_empty() {
        hand_over(connection, groups, &lost).await?;
        let lost: Vec<IssueId> = lost.into_keys().collect();
        give_up(connection, groups, &lost).await?;
    }
    Ok(())
}

/// Gives the hashes that the losers of a race did get to the winners, where their events go.
async fn hand_over(
    connection: &mut Connection,
    groups: &mut Groups,
    winners: &BTreeMap<IssueId, IssueId>,
) -> Result<(), StoreError> {
    for owner in groups.owners.values_mut() {
        *owner = winners.get(owner).copied().unwrap_or(*owner);
    }
    statement(
        "UPDATE issue_hashes h SET issue_id = t.winner FROM UNNEST($1, $2) AS t (loser, winner)
         WHERE h.issue_id = t.loser",
    )
    .bind::<Array<BigInt>, _>(winners.keys().map(|issue| issue.0).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(winners.values().map(|issue| issue.0).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes issues that this batch has opened for nothing. Hashes that they still have go with them.
async fn give_up(connection: &mut Connection, groups: &mut Groups, lost: &[IssueId]) -> Result<(), StoreError> {
    groups.owners.retain(|_, owner| !lost.contains(owner));
    statement("DELETE FROM issues WHERE id = ANY ($1)")
        .bind::<Array<BigInt>, _>(lost.iter().map(|issue| issue.0).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}

/// Removes issues that the batch has opened and none of whose events is new.
pub(super) async fn drop_empty(connection: &mut Connection, groups: &mut Groups, filled: impl Fn(i64) -> bool) -> Result<(), StoreError> {
    let empty: Vec<IssueId> = groups
        .groups
        .iter()
        .filter(|group| group.opened_by.is_some())
        .filter_map(|group| group.issue.filter(|issue| !filled(issue.0)))
        .collect();
    if empty.is_empty() {
        return Ok(());
    }
    give_up(connection, groups, &empty).await
}
