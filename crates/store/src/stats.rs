//! Numbers over time: of projects, and of issues.

use crate::{Connection, Scope, StoreError, statement};
use bugle_model::{IssueId, Level, ProjectId};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Integer, Interval, Nullable, SmallInt, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use std::collections::BTreeMap;

/// A number of equal stretches of time, the first of which begins at `since`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Buckets {
    /// The beginning of the first.
    pub since: DateTime<Utc>,
    /// The length of each: whole hours.
    pub step: TimeDelta,
    /// How many.
    pub count: usize,
}

impl Buckets {
    /// The beginnings of all of them.
    #[must_use]
    pub fn starts(&self) -> Vec<DateTime<Utc>> {
        let number = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
        (0..self.count).map(|n| self.since + self.step * number(n)).collect()
    }

    fn until(&self) -> DateTime<Utc> {
        self.since + self.step * i32::try_from(self.count).unwrap_or(i32::MAX)
    }

    pub(crate) fn step(&self) -> diesel::data_types::PgInterval {
        diesel::data_types::PgInterval::from_microseconds(self.step.num_microseconds().unwrap_or(i64::MAX))
    }

    /// Adds to the bucket that begins at `start`.
    pub(crate) fn add(&self, counts: &mut Vec<i64>, start: DateTime<Utc>, events: i64) {
        counts.resize(self.count, 0);
        let number = (start - self.since).num_seconds() / self.step.num_seconds().max(1);
        if let Some(count) = usize::try_from(number).ok().and_then(|number| counts.get_mut(number)) {
            *count += events;
        }
    }
}

/// Events per bucket; all lists are as long as there are buckets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trend {
    /// Of each project that had any, with its name.
    pub by_project: BTreeMap<(ProjectId, String), Vec<i64>>,
    /// Of each level that was met.
    pub by_level: BTreeMap<Level, Vec<i64>>,
}

#[derive(QueryableByName)]
struct ProjectRow {
    #[diesel(sql_type = Integer)]
    project_id: i32,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = SmallInt)]
    level: i16,
    #[diesel(sql_type = Timestamptz)]
    start: DateTime<Utc>,
    #[diesel(sql_type = BigInt)]
    events: i64,
}

/// Events of one project of a scope, or of all of them, in one query.
///
/// # Errors
/// When the database fails.
pub async fn trend(
    connection: &mut Connection,
    scope: &Scope,
    project: Option<ProjectId>,
    buckets: &Buckets,
) -> Result<Trend, StoreError> {
    let rows: Vec<ProjectRow> = statement(
        "SELECT h.project_id, p.name, h.level, date_bin($2, h.hour, $3) AS start, sum(h.events)::bigint AS events
         FROM project_hours h JOIN projects p ON p.id = h.project_id
         WHERE ($1 IS NULL OR h.project_id = $1) AND h.hour >= $3 AND h.hour < $4
           AND ($5 IS NULL OR p.team_id = ANY ($5))
         GROUP BY h.project_id, p.name, h.level, start",
    )
    .bind::<Nullable<Integer>, _>(project.map(|project| project.0))
    .bind::<Interval, _>(buckets.step())
    .bind::<Timestamptz, _>(buckets.since)
    .bind::<Timestamptz, _>(buckets.until())
    .bind::<Nullable<Array<Integer>>, _>(scope.bind())
    .load(connection)
    .await?;
    let mut trend = Trend::default();
    for row in rows {
        let project = (ProjectId(row.project_id), row.name);
        buckets.add(trend.by_project.entry(project).or_default(), row.start, row.events);
        if let Some(level) = Level::from_code(row.level) {
            buckets.add(trend.by_level.entry(level).or_default(), row.start, row.events);
        }
    }
    Ok(trend)
}

#[derive(QueryableByName)]
struct IssueRow {
    #[diesel(sql_type = BigInt)]
    issue_id: i64,
    #[diesel(sql_type = Timestamptz)]
    start: DateTime<Utc>,
    #[diesel(sql_type = BigInt)]
    events: i64,
}

/// Events of each of some issues, in one query. Issues without any are there, with zeros.
///
/// # Errors
/// When the database fails.
pub async fn of_issues(
    connection: &mut Connection,
    issues: &[IssueId],
    buckets: &Buckets,
) -> Result<BTreeMap<IssueId, Vec<i64>>, StoreError> {
    let rows: Vec<IssueRow> = statement(
        "SELECT issue_id, date_bin($2, hour, $3) AS start, sum(events)::bigint AS events
         FROM issue_hours
         WHERE issue_id = ANY ($1) AND hour >= $3 AND hour < $4
         GROUP BY issue_id, start",
    )
    .bind::<Array<BigInt>, _>(issues.iter().map(|issue| issue.0).collect::<Vec<_>>())
    .bind::<Interval, _>(buckets.step())
    .bind::<Timestamptz, _>(buckets.since)
    .bind::<Timestamptz, _>(buckets.until())
    .load(connection)
    .await?;
    let mut counts: BTreeMap<_, _> = issues.iter().map(|issue| (*issue, vec![0; buckets.count])).collect();
    for row in rows {
        if let Some(counts) = counts.get_mut(&IssueId(row.issue_id)) {
            buckets.add(counts, row.start, row.events);
        }
    }
    Ok(counts)
}

/// How issues stand, and what happened to them lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, QueryableByName)]
pub struct Summary {
    /// Open now.
    #[diesel(sql_type = BigInt)]
    pub unresolved: i64,
    /// First seen within the time.
    #[diesel(sql_type = BigInt)]
    pub new: i64,
    /// Came back within the time.
    #[diesel(sql_type = BigInt)]
    pub regressed: i64,
}

/// Counts the issues of one project of a scope, or of all of them.
///
/// # Errors
/// When the database fails.
pub async fn summary(
    connection: &mut Connection,
    scope: &Scope,
    project: Option<ProjectId>,
    since: DateTime<Utc>,
) -> Result<Summary, StoreError> {
    Ok(statement(
        "WITH own AS MATERIALIZED (SELECT p.id FROM projects p
             WHERE ($1 IS NULL OR p.id = $1) AND ($3 IS NULL OR p.team_id = ANY ($3)))
         SELECT (SELECT count(*) FROM issues WHERE status = 0 AND project_id = ANY (ARRAY(TABLE own))) AS unresolved,
                (SELECT count(*) FROM issue_ranks WHERE first_seen >= $2 AND project_id = ANY (ARRAY(TABLE own))) AS new,
                (SELECT count(*) FROM issues WHERE reopened_at >= $2 AND project_id = ANY (ARRAY(TABLE own))) AS regressed",
    )
    .bind::<Nullable<Integer>, _>(project.map(|project| project.0))
    .bind::<Timestamptz, _>(since)
    .bind::<Nullable<Array<Integer>>, _>(scope.bind())
    .get_result(connection)
    .await?)
}

#[derive(QueryableByName)]
struct LastRow {
    #[diesel(sql_type = Nullable<Timestamptz>)]
    last: Option<DateTime<Utc>>,
}

/// The minute of the last event that was recorded; none as long as there is none.
///
/// # Errors
/// When the database fails.
pub async fn last_event(connection: &mut Connection) -> Result<Option<DateTime<Utc>>, StoreError> {
    let row: LastRow = statement("SELECT max(active_at) AS last FROM issues").get_result(connection).await?;
    Ok(row.last)
}

/// Recorded events of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OfRelease {
    pub events: i64,
    pub first: DateTime<Utc>,
    pub last: DateTime<Utc>,
}

/// What [`StoreError::Damaged`] says when a release of the batch is not there any more.
pub(crate) const RELEASE_GONE: &str = "a release of the batch is gone";

#[derive(QueryableByName)]
struct Releases {
    #[diesel(sql_type = BigInt)]
    releases: i64,
}

/// Adds recorded events to their hours and releases, in one statement. Sorted, so that concurrent writers do not deadlock;
/// the rows stay locked until the caller's transaction ends, so it belongs to its end.
///
/// # Errors
/// When the database fails, or a release is gone.
pub(crate) async fn add(
    connection: &mut Connection,
    events: &BTreeMap<(ProjectId, DateTime<Utc>, i16), i64>,
    releases: &BTreeMap<i32, OfRelease>,
) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    let counted: Releases = statement(
        "WITH hours AS (
             INSERT INTO project_hours AS h (project_id, hour, level, events)
             SELECT * FROM UNNEST($1, $2, $3, $4)
             ON CONFLICT (project_id, hour, level) DO UPDATE SET events = h.events + excluded.events),
         seen AS (
             INSERT INTO release_counts AS c (release_id, events, first_event, last_event)
             SELECT i, n, f, l FROM UNNEST($5, $6, $7, $8) AS t (i, n, f, l) JOIN releases r ON r.id = t.i ORDER BY i
             ON CONFLICT (release_id) DO UPDATE SET events = c.events + excluded.events,
                 first_event = least(c.first_event, excluded.first_event),
                 last_event = greatest(c.last_event, excluded.last_event)
             RETURNING 1)
         SELECT count(*) AS releases FROM seen",
    )
    .bind::<Array<Integer>, _>(events.keys().map(|key| key.0.0).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(events.keys().map(|key| key.1).collect::<Vec<_>>())
    .bind::<Array<SmallInt>, _>(events.keys().map(|key| key.2).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(events.values().copied().collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(releases.keys().copied().collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(releases.values().map(|one| one.events).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(releases.values().map(|one| one.first).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(releases.values().map(|one| one.last).collect::<Vec<_>>())
    .get_result(connection)
    .await?;
    if usize::try_from(counted.releases).is_ok_and(|counted| counted == releases.len()) {
        Ok(())
    } else {
        Err(StoreError::Damaged(RELEASE_GONE.to_owned()))
    }
}
