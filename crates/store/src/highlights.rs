//! Issues worth a look: which are new, which came back, and which get worse.

use crate::{Connection, Scope, StoreError, projects, statement};
use bugle_model::{IssueId, ProjectId};
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Integer, Timestamptz};
use diesel_async::RunQueryDsl;

/// How many of each are told.
const MOST: i64 = 5;
/// Which get worse is looked for among so many, the most recently active ones: to add up the hours of all that were active within a
/// month could take longer than anybody waits for an overview.
const LOOKED_AT: i64 = 2_000;
/// Fewer events than this within a period are no trend.
const LEAST: i64 = 10;

/// An issue that gets worse: at least twice as many events, and at least ten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, QueryableByName)]
pub struct Worsening {
    #[diesel(sql_type = BigInt)]
    issue_id: i64,
    /// Events within the period.
    #[diesel(sql_type = BigInt)]
    pub now: i64,
    /// Events within the period before, which was as long.
    #[diesel(sql_type = BigInt)]
    pub before: i64,
}

impl Worsening {
    /// The issue.
    #[must_use]
    pub const fn issue(&self) -> IssueId {
        IssueId(self.issue_id)
    }
}

/// Unresolved issues of a scope, up to five of each kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Highlights {
    /// First seen within the period, the newest first.
    pub new: Vec<IssueId>,
    /// Came back within the period after they were resolved, the latest first.
    pub regressed: Vec<IssueId>,
    /// Known before, and at least twice as many events as within the period before; the greatest difference first.
    pub worsening: Vec<Worsening>,
}

/// Those of one project of a scope, or of all of them, within a period that began at `since` and is compared with the one that began
/// at `before`. Both are full hours.
///
/// # Errors
/// When the database fails.
pub async fn highlights(
    connection: &mut Connection,
    scope: &Scope,
    project: Option<ProjectId>,
    since: DateTime<Utc>,
    before: DateTime<Utc>,
) -> Result<Highlights, StoreError> {
    let projects = projects::within(connection, scope, project).await?;
    Ok(Highlights {
        new: new(connection, &projects, since).await?,
        regressed: regressed(connection, &projects, since).await?,
        worsening: worsening(connection, &projects, since, before).await?,
    })
}

#[derive(QueryableByName)]
struct IssueRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

fn ids(rows: Vec<IssueRow>) -> Vec<IssueId> {
    rows.into_iter().map(|row| IssueId(row.id)).collect()
}

async fn new(
    connection: &mut Connection,
    projects: &[i32],
    since: DateTime<Utc>,
) -> Result<Vec<IssueId>, StoreError> {
    let rows = statement(
        "SELECT issue_id AS id FROM issue_ranks WHERE first_seen >= $1 AND status = 0 AND project_id = ANY ($2)
         ORDER BY first_seen DESC, issue_id DESC LIMIT $3",
    )
    .bind::<Timestamptz, _>(since)
    .bind::<Array<Integer>, _>(projects)
    .bind::<BigInt, _>(MOST)
    .load(connection)
    .await?;
    Ok(ids(rows))
}

async fn regressed(
    connection: &mut Connection,
    projects: &[i32],
    since: DateTime<Utc>,
) -> Result<Vec<IssueId>, StoreError> {
    let rows = statement(
        "SELECT id FROM issues WHERE reopened_at >= $1 AND status = 0 AND project_id = ANY ($2)
         ORDER BY reopened_at DESC, id DESC LIMIT $3",
    )
    .bind::<Timestamptz, _>(since)
    .bind::<Array<Integer>, _>(projects)
    .bind::<BigInt, _>(MOST)
    .load(connection)
    .await?;
    Ok(ids(rows))
}

async fn worsening(
    connection: &mut Connection,
    projects: &[i32],
    since: DateTime<Utc>,
    before: DateTime<Utc>,
) -> Result<Vec<Worsening>, StoreError> {
    Ok(statement(
        "WITH active AS MATERIALIZED (
             SELECT id FROM issues WHERE project_id = ANY ($1) AND status = 0 AND active_at >= $2
             ORDER BY active_at DESC, id DESC LIMIT $4),
         counted AS (
             SELECT a.id, coalesce(sum(h.events) FILTER (WHERE h.hour >= $2), 0)::bigint AS now,
                 coalesce(sum(h.events) FILTER (WHERE h.hour < $2), 0)::bigint AS before
             FROM active a JOIN issue_hours h ON h.issue_id = a.id AND h.hour >= $3 GROUP BY a.id)
         SELECT c.id AS issue_id, c.now, c.before FROM counted c JOIN issues i ON i.id = c.id
         WHERE i.first_seen < $2 AND c.now >= $5 AND c.now >= 2 * c.before
         ORDER BY c.now - c.before DESC, c.id DESC LIMIT $6",
    )
    .bind::<Array<Integer>, _>(projects)
    .bind::<Timestamptz, _>(since)
    .bind::<Timestamptz, _>(before)
    .bind::<BigInt, _>(LOOKED_AT)
    .bind::<BigInt, _>(LEAST)
    .bind::<BigInt, _>(MOST)
    .load(connection)
    .await?)
}
