//! Events of one trace, across projects.

use super::{Row, StoredEvent, read};
use crate::{Connection, Scope, StoreError, statement};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

/// No more are looked at.
const MOST: i64 = 1_000;

/// The events of a trace.
#[derive(Debug, Clone, PartialEq)]
pub struct Traced {
    /// Those of a scope, the newest first.
    pub events: Vec<StoredEvent>,
    /// How many others there are.
    pub hidden: usize,
    /// There are more of either than were looked at or asked for.
    pub more: bool,
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(embed)]
    event: Row,
    #[diesel(sql_type = Bool)]
    visible: bool,
}

/// The events of a trace: up to `limit` of a scope, and how many there are outside of it. Of the newest 1,000.
///
/// # Errors
/// When the database fails or a payload cannot be read.
pub async fn of_trace(
    connection: &mut Connection,
    scope: &Scope,
    trace: Uuid,
    limit: usize,
) -> Result<Traced, StoreError> {
    let rows: Vec<Found> = statement(
        "SELECT e.received_at, e.issue_id, e.anchor_id, e.project_id, e.event_id, r.version AS release,
                n.name AS environment, CASE WHEN e.visible THEN e.payload ELSE ''::bytea END AS payload, e.visible
         FROM (SELECT e.*, ($2 IS NULL OR coalesce(p.team_id = ANY ($2), false)) AS visible
             FROM events e JOIN projects p ON p.id = e.project_id
             WHERE e.trace_id = $1
                AND NOT EXISTS (SELECT FROM issue_moves m WHERE m.from_issue = e.issue_id AND m.to_issue IS NULL)
             ORDER BY e.received_at DESC, e.event_id DESC LIMIT $3) e
         LEFT JOIN releases r ON r.id = e.release_id
         LEFT JOIN environments n ON n.id = e.environment_id
         ORDER BY e.received_at DESC, e.event_id DESC",
    )
    .bind::<SqlUuid, _>(trace)
    .bind::<Nullable<Array<Integer>>, _>(scope.bind())
    .bind::<BigInt, _>(MOST + 1)
    .load(connection)
    .await?;
    let cut = i64::try_from(rows.len()).is_ok_and(|rows| rows > MOST);
    let (seen, hidden): (Vec<Found>, Vec<Found>) = rows.into_iter().partition(|found| found.visible);
    let more = cut || seen.len() > limit;
    let seen: Vec<Row> = seen.into_iter().take(limit).map(|found| found.event).collect();
    Ok(Traced { events: read(connection, seen).await?, hidden: hidden.len(), more })
}

#[derive(QueryableByName)]
struct Issue {
    #[diesel(sql_type = BigInt)]
    issue_id: i64,
}

/// The issues of a trace, of every scope. A statement of its own, whose plan is kept: there are over a hundred partitions to plan for.
///
/// # Errors
/// When the database fails.
pub(crate) async fn issues_of_trace(
    connection: &mut Connection,
    trace: Uuid,
) -> Result<Vec<i64>, StoreError> {
    let rows: Vec<Issue> = statement("SELECT DISTINCT issue_id FROM events WHERE trace_id = $1")
        .bind::<SqlUuid, _>(trace)
        .load(connection)
        .await?;
    Ok(rows.into_iter().map(|row| row.issue_id).collect())
}
