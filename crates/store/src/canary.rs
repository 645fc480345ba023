//! Errors that Bugle sends itself, and whether they come out as messages.

use crate::row::{self, JsonRow};
use crate::{Connection, StoreError, locks, statement};
use bugle_model::{IssueId, ProjectId};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{BigInt, Int4, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncConnection, RunQueryDsl};
use uuid::Uuid;

/// Rounds that are over are kept for as long.
const KEPT: TimeDelta = TimeDelta::days(1);
/// Issues that are looked for at once: there is one, unless rounds have failed.
const MAX_ISSUES: i64 = 100;

/// Begins a round, unless one was begun since `now - interval` by whichever process. Whether it has.
///
/// # Errors
/// When the database fails.
pub async fn begin(
    conn: &mut Connection,
    event: Uuid,
    interval: TimeDelta,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    conn.transaction(async |conn| {
        statement("SELECT pg_advisory_xact_lock($1)").bind::<BigInt, _>(locks::CANARY).execute(conn).await?;
        statement("DELETE FROM canary_rounds WHERE sent_at < $1")
            .bind::<Timestamptz, _>(now - KEPT.max(interval))
            .execute(conn)
            .await?;
        let begun = statement(
            "INSERT INTO canary_rounds (event_id, sent_at) SELECT $1, $2
             WHERE NOT EXISTS (SELECT 1 FROM canary_rounds WHERE sent_at > $3)",
        )
        .bind::<SqlUuid, _>(event)
        .bind::<Timestamptz, _>(now)
        .bind::<Timestamptz, _>(now - interval)
        .execute(conn)
        .await?;
        Ok(begun > 0)
    })
    .await
}

/// The message about an event has come. Of events that are no round's nothing is written down.
///
/// # Errors
/// When the database fails.
pub async fn arrive(conn: &mut Connection, event: Uuid, now: DateTime<Utc>) -> Result<(), StoreError> {
    statement("UPDATE canary_rounds SET arrived_at = $2 WHERE event_id = $1 AND arrived_at IS NULL")
        .bind::<SqlUuid, _>(event)
        .bind::<Timestamptz, _>(now)
        .execute(conn)
        .await?;
    Ok(())
}

/// When the message of a round has come; `None` while it has not.
///
/// # Errors
/// When the database fails.
pub async fn arrived_at(conn: &mut Connection, event: Uuid) -> Result<Option<DateTime<Utc>>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT to_jsonb(arrived_at) AS row FROM canary_rounds WHERE event_id = $1 AND arrived_at IS NOT NULL",
    )
    .bind::<SqlUuid, _>(event)
    .load(conn)
    .await?;
    row::first(rows)
}

/// The issues of a project with this title: what rounds have left behind.
///
/// # Errors
/// When the database fails.
pub async fn issues(
    conn: &mut Connection,
    project: ProjectId,
    title: &str,
) -> Result<Vec<IssueId>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT to_jsonb(id) AS row FROM issues WHERE project_id = $1 AND title = $2 ORDER BY id LIMIT $3",
    )
    .bind::<Int4, _>(project.0)
    .bind::<Text, _>(title)
    .bind::<BigInt, _>(MAX_ISSUES)
    .load(conn)
    .await?;
    row::all(rows)
}
