//! Users affected: exact up to 1,000 for an issue, a HyperLogLog sketch above, and one number everywhere
//! (`issue_counts.users`).

use super::cache::Cache;
use super::counts::{Tallies, Total};
use crate::hyperloglog::Sketch;
use crate::{Connection, StoreError, statement};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Binary, Integer, Nullable};
use diesel_async::RunQueryDsl;
use std::collections::BTreeMap;

const EXACT: i32 = 1_000;

#[derive(QueryableByName)]
struct NewUser {
    #[diesel(sql_type = BigInt)]
    issue_id: i64,
}

#[derive(QueryableByName)]
struct SketchRow {
    #[diesel(sql_type = BigInt)]
    issue_id: i64,
    #[diesel(sql_type = Nullable<Binary>)]
    users_sketch: Option<Vec<u8>>,
}

#[derive(QueryableByName)]
struct UserRow {
    #[diesel(sql_type = BigInt)]
    issue_id: i64,
    #[diesel(sql_type = BigInt)]
    user_hash: i64,
}

type Fresh = BTreeMap<i64, Vec<i64>>;

/// Adds the users of the batch; returns the number of users of each issue that has new ones, and the fingerprints
/// of what is there now. The issues are locked.
pub(super) async fn add(
    connection: &mut Connection,
    cache: &Cache,
    tallies: &Tallies<'_>,
    totals: &BTreeMap<i64, Total>,
) -> Result<(BTreeMap<i64, i32>, Vec<u64>), StoreError> {
    let (mut exact, mut sketched, mut fingerprints) = (Fresh::new(), Fresh::new(), Vec::new());
    for (issue, tally) in tallies {
        let over = totals.get(issue).is_some_and(|total| total.users > EXACT);
        for user in &tally.users {
            let fingerprint = cache.fingerprint((issue, user));
            if !cache.knows_user(fingerprint) {
                let kind = if over { &mut sketched } else { &mut exact };
                kind.entry(*issue).or_default().push(*user);
                fingerprints.push(fingerprint);
            }
        }
    }
    let mut users = add_exact(connection, &exact, totals).await?;
    let crossed: Vec<i64> =
        users.iter().filter(|(_, users)| **users > EXACT).map(|(issue, _)| *issue).collect();
    users.extend(start_sketches(connection, &crossed).await?);
    users.extend(add_to_sketches(connection, &sketched).await?);
    Ok((users, fingerprints))
}

async fn add_exact(
    connection: &mut Connection,
    fresh: &Fresh,
    totals: &BTreeMap<i64, Total>,
) -> Result<BTreeMap<i64, i32>, StoreError> {
    if fresh.is_empty() {
        return Ok(BTreeMap::new());
    }
    let pairs: Vec<(i64, i64)> =
        fresh.iter().flat_map(|(issue, users)| users.iter().map(|user| (*issue, *user))).collect();
    let new: Vec<NewUser> = statement(
        "INSERT INTO issue_users (issue_id, user_hash) SELECT * FROM UNNEST($1, $2)
         ON CONFLICT DO NOTHING RETURNING issue_id",
    )
    .bind::<Array<BigInt>, _>(pairs.iter().map(|pair| pair.0).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(pairs.iter().map(|pair| pair.1).collect::<Vec<_>>())
    .load(connection)
    .await?;
    let mut users: BTreeMap<i64, i32> = BTreeMap::new();
    for row in new {
        *users
            .entry(row.issue_id)
            .or_insert_with(|| totals.get(&row.issue_id).map_or(0, |total| total.users)) += 1;
    }
    if !users.is_empty() {
        write(connection, &users).await?;
    }
    Ok(users)
}

async fn write(connection: &mut Connection, users: &BTreeMap<i64, i32>) -> Result<(), StoreError> {
    statement("UPDATE issue_counts c SET users = t.n FROM UNNEST($1, $2) AS t (i, n) WHERE c.issue_id = t.i")
        .bind::<Array<BigInt>, _>(users.keys().copied().collect::<Vec<_>>())
        .bind::<Array<Integer>, _>(users.values().copied().collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}

/// Turns the rows of issues that have more than 1,000 users into sketches.
async fn start_sketches(
    connection: &mut Connection,
    issues: &[i64],
) -> Result<BTreeMap<i64, i32>, StoreError> {
    if issues.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<UserRow> =
        statement("DELETE FROM issue_users WHERE issue_id = ANY ($1) RETURNING issue_id, user_hash")
            .bind::<Array<BigInt>, _>(issues.to_vec())
            .load(connection)
            .await?;
    let mut sketches: BTreeMap<i64, Sketch> = BTreeMap::new();
    for row in rows {
        sketches.entry(row.issue_id).or_default().insert(row.user_hash);
    }
    keep(connection, sketches).await
}

async fn add_to_sketches(
    connection: &mut Connection,
    fresh: &Fresh,
) -> Result<BTreeMap<i64, i32>, StoreError> {
    if fresh.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<SketchRow> =
        statement("SELECT issue_id, users_sketch FROM issue_counts WHERE issue_id = ANY ($1)")
            .bind::<Array<BigInt>, _>(fresh.keys().copied().collect::<Vec<_>>())
            .load(connection)
            .await?;
    let mut changed = BTreeMap::new();
    for row in rows {
        let mut sketch = row.users_sketch.map_or_else(|| Ok(Sketch::default()), Sketch::from_bytes)?;
        let users = fresh.get(&row.issue_id).map(Vec::as_slice).unwrap_or_default();
        if users.iter().filter(|user| sketch.insert(**user)).count() > 0 {
            changed.insert(row.issue_id, sketch);
        }
    }
    keep(connection, changed).await
}

/// Writes sketches and their estimates. A number that was shown never goes below 1,001 again.
async fn keep(
    connection: &mut Connection,
    sketches: BTreeMap<i64, Sketch>,
) -> Result<BTreeMap<i64, i32>, StoreError> {
    if sketches.is_empty() {
        return Ok(BTreeMap::new());
    }
    let users: BTreeMap<i64, i32> =
        sketches.iter().map(|(issue, sketch)| (*issue, sketch.estimate().max(EXACT + 1))).collect();
    statement(
        "UPDATE issue_counts c SET users = t.n, users_sketch = t.s
         FROM UNNEST($1, $2, $3) AS t (i, n, s) WHERE c.issue_id = t.i",
    )
    .bind::<Array<BigInt>, _>(users.keys().copied().collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(users.values().copied().collect::<Vec<_>>())
    .bind::<Array<Binary>, _>(sketches.into_values().map(Sketch::into_bytes).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(users)
}
