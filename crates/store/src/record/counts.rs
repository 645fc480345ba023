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
    for (index, (event, _)) in events.iter().zip(inserted).enumerate().filter(|(_, (_, inserted))| **inserted)
    {
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

/// Adds the tallies to the counters, all in one statement.
pub(super) async fn add(
    connection: &mut Connection,
    tallies: &Tallies<'_>,
) -> Result<BTreeMap<i64, Total>, StoreError> {
    if tallies.is_empty() {
        return Ok(BTreeMap::new());
    }
    let (minutes, hours, hashes) = (by_minute(tallies), by_hour(tallies), by_hash(tallies));
    let events = |tally: &Tally<'_>| i64::try_from(tally.events.len()).unwrap_or(i64::MAX);
    let totals: Vec<Total> = statement(
        "WITH counts AS (
             INSERT INTO issue_counts AS c (issue_id, events, last_seen)
             SELECT i, n, s FROM UNNEST($1, $2, $3) AS t (i, n, s) JOIN issues ON issues.id = t.i ORDER BY i
             ON CONFLICT (issue_id) DO UPDATE SET events = c.events + excluded.events,
                 last_seen = greatest(c.last_seen, excluded.last_seen)
             RETURNING issue_id, events, users, last_seen),
         minutes AS (
             INSERT INTO issue_minutes AS m (issue_id, minute, events) SELECT * FROM UNNEST($4, $5, $6)
             ON CONFLICT (issue_id, minute) DO UPDATE SET events = m.events + excluded.events),
         hours AS (
             INSERT INTO issue_hours AS h (issue_id, hour, events) SELECT * FROM UNNEST($7, $8, $9)
             ON CONFLICT (issue_id, hour) DO UPDATE SET events = h.events + excluded.events),
         hashes AS (
             UPDATE issue_hashes h SET events = h.events + t.n FROM UNNEST($10, $11, $12) AS t (p, h, n)
             WHERE h.project_id = t.p AND h.hash = t.h)
         SELECT issue_id, events, users, last_seen FROM counts",
    )
    .bind::<Array<BigInt>, _>(tallies.keys().copied().collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(tallies.values().map(events).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(tallies.values().map(|tally| tally.last_seen).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(minutes.keys().map(|key| key.0).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(minutes.keys().map(|key| key.1).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(minutes.values().copied().collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(hours.keys().map(|key| key.0).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(hours.keys().map(|key| key.1).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(hours.values().copied().collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(hashes.keys().map(|key| key.0.0).collect::<Vec<_>>())
    .bind::<Array<Binary>, _>(hashes.keys().map(|key| key.1.to_vec()).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(hashes.values().copied().collect::<Vec<_>>())
    .load(connection)
    .await?;
    if totals.len() != tallies.len() {
        return Err(StoreError::Damaged(GONE.to_owned()));
    }
    Ok(totals.into_iter().map(|total| (total.issue_id, total)).collect())
}

type ByTime = BTreeMap<(i64, DateTime<Utc>), i32>;

fn by_minute(tallies: &Tallies<'_>) -> ByTime {
    let all =
        tallies.iter().flat_map(|(issue, tally)| tally.minutes.iter().map(|(time, n)| ((*issue, *time), *n)));
    all.collect()
}

fn by_hour(tallies: &Tallies<'_>) -> ByTime {
    let mut hours = ByTime::new();
    for ((issue, time), events) in by_minute(tallies) {
        *hours.entry((issue, hour_of(time))).or_default() += events;
    }
    hours
}

/// By primary hash. A hash may be met in two issues: when another of the event's was known first.
fn by_hash(tallies: &Tallies<'_>) -> BTreeMap<(ProjectId, [u8; 16]), i64> {
    let mut hashes = BTreeMap::new();
    for tally in tallies.values() {
        let Some(project) = tally.project else { continue };
        for (hash, events) in &tally.hashes {
            *hashes.entry((project, *hash)).or_default() += *events;
        }
    }
    hashes
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
pub(super) async fn windows(
    connection: &mut Connection,
    wanted: &[Wanted],
) -> Result<HashMap<i64, Window>, StoreError> {
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
