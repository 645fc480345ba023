//! By what the first users of an issue can be found: hashes of ids, addresses and names.

use super::batch::NewEvent;
use super::cache::Cache;
use super::counts::{Tallies, Total};
use crate::{Connection, StoreError, statement};
use diesel::sql_types::{Array, BigInt};
use diesel_async::RunQueryDsl;
use std::collections::{BTreeMap, BTreeSet};

/// An issue with more users than this is not found by the later ones. A user has four keys at most.
const MOST_USERS: i32 = 200;

/// Adds the keys of users that are not known to be there. The issues are locked; `totals` are those of before the
/// batch's users.
pub(super) async fn add(
    connection: &mut Connection,
    cache: &Cache,
    events: &[NewEvent],
    tallies: &Tallies<'_>,
    totals: &BTreeMap<i64, Total>,
) -> Result<(), StoreError> {
    let mut keys: BTreeSet<(i64, i64)> = BTreeSet::new();
    for (issue, tally) in tallies {
        let there = totals.get(issue).map_or(0, |total| total.users);
        let room = usize::try_from(MOST_USERS - there).unwrap_or_default();
        let mut met = BTreeSet::new();
        for event in tally.events.iter().filter_map(|index| events.get(*index)) {
            let Some(user) = event.user else { continue };
            if met.len() < room && !cache.knows_user(cache.fingerprint((issue, &user))) && met.insert(user) {
                keys.extend(event.user_keys.iter().map(|key| (*issue, *key)));
            }
        }
    }
    if keys.is_empty() {
        return Ok(());
    }
    statement("INSERT INTO issue_user_keys (issue_id, key_hash) SELECT * FROM UNNEST($1, $2) ON CONFLICT DO NOTHING")
        .bind::<Array<BigInt>, _>(keys.iter().map(|(issue, _)| *issue).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(keys.iter().map(|(_, key)| *key).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}
