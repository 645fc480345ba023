//! Issues that a batch opens.

use super::batch::NewEvent;
use super::names::Names;
use super::resolve::{Group, Groups, HashKey, Owner, Slot, look_up, minute};
use crate::{Connection, StoreError, statement};
use bugle_model::{IssueId, Priority};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Binary, Bool, Integer, Nullable, SmallInt, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use std::collections::BTreeMap;

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = BigInt)]
    id: i64,
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

async fn insert_issues(
    connection: &mut Connection,
    groups: &Groups,
    events: &[NewEvent],
    names: &Names,
) -> Result<BTreeMap<Slot, IssueId>, StoreError> {
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

async fn claim(
    connection: &mut Connection,
    claims: &BTreeMap<HashKey, (IssueId, i16)>,
) -> Result<(), StoreError> {
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
async fn settle(
    connection: &mut Connection,
    groups: &mut Groups,
    events: &[NewEvent],
    ids: &BTreeMap<Slot, IssueId>,
) -> Result<(), StoreError> {
    let mut keys: BTreeMap<Slot, Vec<HashKey>> = BTreeMap::new();
    for (index, event) in events.iter().enumerate() {
        let slot = groups.slot(index);
        if ids.contains_key(&slot) {
            keys.entry(slot).or_default().extend(event.hashes.iter().map(|hash| (event.project, *hash)));
        }
    }
    let all: Vec<HashKey> = groups.unclaimed.iter().copied().collect();
    let owners = look_up(connection, &all).await?.owners;
    groups.owners.extend(owners.iter().map(|(key, owner)| (*key, *owner)));
    let mut lost: BTreeMap<IssueId, Owner> = BTreeMap::new();
    for (slot, id) in ids {
        // The primary hash of the event that opened it decides, as it does for every other event of the group.
        let owner = keys.get(slot).into_iter().flatten().find_map(|key| owners.get(key)).copied();
        let owner = owner.unwrap_or(Owner { issue: *id, splits: 0 });
        let Some(group) = groups.groups.get_mut(*slot) else { continue };
        group.issue = Some(owner.issue);
        if owner.issue != *id {
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
    winners: &BTreeMap<IssueId, Owner>,
) -> Result<(), StoreError> {
    for owner in groups.owners.values_mut() {
        *owner = winners.get(&owner.issue).copied().unwrap_or(*owner);
    }
    statement(
        "UPDATE issue_hashes h SET issue_id = t.winner FROM UNNEST($1, $2) AS t (loser, winner)
         WHERE h.issue_id = t.loser",
    )
    .bind::<Array<BigInt>, _>(winners.keys().map(|issue| issue.0).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(winners.values().map(|owner| owner.issue.0).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes issues that this batch has opened for nothing. Hashes that they still have go with them.
async fn give_up(
    connection: &mut Connection,
    groups: &mut Groups,
    lost: &[IssueId],
) -> Result<(), StoreError> {
    groups.owners.retain(|_, owner| !lost.contains(&owner.issue));
    statement("DELETE FROM issues WHERE id = ANY ($1)")
        .bind::<Array<BigInt>, _>(lost.iter().map(|issue| issue.0).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}

/// Removes issues that the batch has opened and none of whose events is new.
pub(super) async fn drop_empty(
    connection: &mut Connection,
    groups: &mut Groups,
    filled: impl Fn(i64) -> bool,
) -> Result<(), StoreError> {
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
