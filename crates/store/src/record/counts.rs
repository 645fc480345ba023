//! Counts of what was really inserted: exact, because they are written with the events.

use super::batch::NewEvent;
use super::resolve::{Groups, minute};
use crate::outcomes::hour_of;
use crate::{Connection, StoreError, statement};
use bugle_model::ProjectId;
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Binary, Integer, Nullable, Timestamptz};
use diesel_async::RunQueryDsl;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What [`StoreError::Damaged`] says when an issue of the batch is not there any more.
pub(super) const GONE: &str = "an issue of the batch is gone";

/// What a batch adds to one issue.
#[derive(Debug, Default)]
pub(super) struct Tally<'e> {
    pub project: Option<ProjectId>,
    /// Indexes of the inserted events.
    pub events: Vec<usize>,
    pub last_seen: DateTime<Utc>,
    pub minutes: BTreeMap<DateTime<Utc>, i32>,
    pub hashes: BTreeMap<[u8; 16], i64>,
    pub tags: BTreeSet<(&'e str, &'e str)>,
    pub users: BTreeSet<i64>,
}

pub(super) type Tallies<'e> = BTreeMap<i64, Tally<'e>>;

/// An issue's counters after the batch.
#[derive(Debug, Clone, Copy, QueryableByName)]
pub(super) struct Total {
    #[diesel(sql_type = BigInt)]
    pub issue_id: i64,
    #[diesel(sql_type = BigInt)]
    pub events: i64,
    #[diesel(sql_type = Integer)]
    pub users: i32,
    #[diesel(sql_type = Timestamptz)]
    pub last_seen: DateTime<Utc>,
}

/// Adds up the inserted events by issue.
pub(super) fn tally<'e>(events: &'e [NewEvent], groups: &Groups, inserted: &[bool]) -> Tallies<'e> {
    let mut tallies = Tallies::new();
    for (index, (event, _)) in events.iter().zip(inserted).enumerate().filter(|(_, (_, inserted))| **inserted) {
        let Some(issue) = groups.issue(index) else { continue };
        let tally = tallies.entry(issue.0).or_default();
        tally.project = Some(event.project);
        tally.events.push(index);
        tally.last_seen = tally.last_seen.max(event.received_at);
        *tally.minutes.entry(minute(event.received_at)).or_default() += 1;
        if let Some(hash) = event.hashes.as_slice().first() {
            *tally.hashes.entry(*hash).or_default() += 1;
        }
        tally.tags.extend(event.tags.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        tally.users.extend(event.user);
    }
    tallies
}

/// Adds the tallies to the counters.
pub(super) async fn add(connection: &mut Connection, tallies: &Tallies<'_>) -> Result<BTreeMap<i64, Total>, StoreError> {
    if tallies.is_empty() {
        return Ok(BTreeMap::new());
    }
    let totals: Vec<Total> = statement(
        "INSERT INTO issue_counts AS c (issue_id, events, last_seen)
         SELECT i, n, s FROM UNNEST($1, $2, $3) AS t (i, n, s) JOIN issues ON issues.id = t.i ORDER BY i
         ON CONFLICT (issue_id) DO UPDATE SET events = c.events + excluded.events,
             last_seen = greatest(c.last_seen, excluded.last_seen)
         RETURNING issue_id, events, users, last_seen",
    )
    .bind::<Array<BigInt>, _>(tallies.keys().copied().collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(
        tallies.values().map(|tally| i64::try_from(tally.events.len()).unwrap_or(i64::MAX)).collect::<Vec<_>>(),
    )
    .bind::<Array<Timestamptz>, _>(tallies.values().map(|tally| tally.last_seen).collect::<Vec<_>>())
    .load(connection)
    .await?;
    if totals.len() != tallies.len() {
        return Err(StoreError::Damaged(GONE.to_owned()));
    }
    add_minutes(connection, tallies).await?;
    add_hours(connection, tallies).await?;
    add_hashes(connection, tallies).await?;
    Ok(totals.into_iter().map(|total| (total.issue_id, total)).collect())
}

async fn add_minutes(connection: &mut Connection, tallies: &Tallies<'_>) -> Result<(), StoreError> {
    let rows: Vec<(i64, DateTime<Utc>, i32)> = tallies
        .iter()
        .flat_map(|(issue, tally)| tally.minutes.iter().map(|(minute, events)| (*issue, *minute, *events)))
        .collect();
    statement(
        "INSERT INTO issue_minutes AS m (issue_id, minute, events) SELECT * FROM UNNEST($1, $2, $3)
         ON CONFLICT (issue_id, minute) DO UPDATE SET events = m.events + excluded.events",
    )
    .bind::<Array<BigInt>, _>(rows.iter().map(|row| row.0).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(rows.iter().map(|row| row.1).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(rows.iter().map(|row| row.2).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

async fn add_hours(connection: &mut Connection, tallies: &Tallies<'_>) -> Result<(), StoreError> {
    let mut hours: BTreeMap<(i64, DateTime<Utc>), i32> = BTreeMap::new();
    for (issue, tally) in tallies {
        for (minute, events) in &tally.minutes {
            *hours.entry((*issue, hour_of(*minute))).or_default() += events;
        }
    }
    statement(
        "INSERT INTO issue_hours AS h (issue_id, hour, events) SELECT * FROM UNNEST($1, $2, $3)
         ON CONFLICT (issue_id, hour) DO UPDATE SET events = h.events + excluded.events",
    )
    .bind::<Array<BigInt>, _>(hours.keys().map(|key| key.0).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(hours.keys().map(|key| key.1).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(hours.values().copied().collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

async fn add_hashes(connection: &mut Connection, tallies: &Tallies<'_>) -> Result<(), StoreError> {
    let rows: BTreeMap<(ProjectId, [u8; 16]), i64> = tallies
        .values()
        .flat_map(|tally| tally.hashes.iter().filter_map(|(hash, events)| Some(((tally.project?, *hash), *events))))
        .collect();
    statement(
        "UPDATE issue_hashes h SET events = h.events + t.n FROM UNNEST($1, $2, $3) AS t (p, h, n)
         WHERE h.project_id = t.p AND h.hash = t.h",
    )
    .bind::<Array<Integer>, _>(rows.keys().map(|key| key.0.0).collect::<Vec<_>>())
    .bind::<Array<Binary>, _>(rows.keys().map(|key| key.1.to_vec()).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(rows.values().copied().collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// How many events an issue had lately, by whole minutes.
#[derive(Debug, Clone, Copy, Default, QueryableByName)]
pub(super) struct Window {
    #[diesel(sql_type = BigInt)]
    issue_id: i64,
    /// Since the beginning of the day's window.
    #[diesel(sql_type = BigInt)]
    pub day: i64,
    /// Since the beginning of the hour's window.
    #[diesel(sql_type = BigInt)]
    pub hour: i64,
}

/// The windows of an issue.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub issue: i64,
    /// The beginning of the day's window.
    pub day: DateTime<Utc>,
    /// Events of the day's first minute count from here on.
    pub from: Option<DateTime<Utc>>,
    /// The beginning of the hour's window.
    pub hour: DateTime<Utc>,
}

/// Counts each issue's events in its windows.
pub(super) async fn windows(connection: &mut Connection, wanted: &[Wanted]) -> Result<HashMap<i64, Window>, StoreError> {
    if wanted.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<Window> = statement(
        "SELECT w.i AS issue_id, sum(m.events)::bigint - CASE WHEN w.f IS NULL THEN 0 ELSE
                 (SELECT count(*) FROM events e WHERE e.issue_id = w.i AND e.received_at >= w.d AND e.received_at < w.f)
             END AS day,
             coalesce(sum(m.events) FILTER (WHERE m.minute > w.h), 0)::bigint AS hour
         FROM UNNEST($1, $2, $3, $4) AS w (i, d, f, h) JOIN issue_minutes m ON m.issue_id = w.i AND m.minute >= w.d
         GROUP BY w.i, w.d, w.f, w.h",
    )
    .bind::<Array<BigInt>, _>(wanted.iter().map(|row| row.issue).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(wanted.iter().map(|row| row.day).collect::<Vec<_>>())
    .bind::<Array<Nullable<Timestamptz>>, _>(wanted.iter().map(|row| row.from).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(wanted.iter().map(|row| row.hour).collect::<Vec<_>>())
    .load(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.issue_id, row)).collect())
}
