//! Events of issues that were merged or deleted: they follow, or go, a part at a time.

use crate::{Connection, StoreError, statement};
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Date, Nullable, Timestamptz};
use diesel_async::{AsyncConnection, RunQueryDsl};

/// Events of one part, about.
const PART: i64 = 5_000;

#[derive(QueryableByName)]
struct Move {
    #[diesel(sql_type = BigInt)]
    from_issue: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    to_issue: Option<i64>,
}

#[derive(QueryableByName)]
struct Until {
    #[diesel(sql_type = Timestamptz)]
    received_at: DateTime<Utc>,
}

/// Moves or deletes the next part, in a transaction of its own. Whether there was one: another may follow.
///
/// # Errors
/// When the database fails; the part is then still to be done.
pub async fn advance(connection: &mut Connection, now: DateTime<Utc>) -> Result<bool, StoreError> {
    connection
        .transaction(async |connection| {
            let next: Vec<Move> = statement(
                "SELECT from_issue, to_issue FROM issue_moves ORDER BY created_at, from_issue LIMIT 1
                 FOR UPDATE SKIP LOCKED",
            )
            .load(connection)
            .await?;
            let Some(next) = next.into_iter().next() else { return Ok(false) };
            let until: Vec<Until> = statement(
                "SELECT received_at FROM events WHERE issue_id = $1 ORDER BY received_at OFFSET $2 LIMIT 1",
            )
            .bind::<BigInt, _>(next.from_issue)
            .bind::<BigInt, _>(PART - 1)
            .load(connection)
            .await?;
            let until = until.into_iter().next().map(|row| row.received_at);
            match next.to_issue {
                Some(to) => shift(connection, next.from_issue, to, until).await?,
                None => erase(connection, next.from_issue, until, now).await?,
            }
            if until.is_none() {
                finish(connection, &next).await?;
            }
            Ok(true)
        })
        .await
}

async fn shift(
    connection: &mut Connection,
    from: i64,
    to: i64,
    until: Option<DateTime<Utc>>,
) -> Result<(), StoreError> {
    statement(
        "UPDATE events SET issue_id = $2 WHERE issue_id = $1 AND received_at <= coalesce($3, 'infinity'::timestamptz)",
    )
    .bind::<BigInt, _>(from)
    .bind::<BigInt, _>(to)
    .bind::<Nullable<Timestamptz>, _>(until)
    .execute(connection)
    .await?;
    Ok(())
}

/// The events with what users said of them. The next maintenance removes their attachments.
async fn erase(
    connection: &mut Connection,
    issue: i64,
    until: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    statement(
        "WITH gone AS (
             DELETE FROM events WHERE issue_id = $1 AND received_at <= coalesce($2, 'infinity'::timestamptz)
             RETURNING project_id, event_id),
         said AS (DELETE FROM feedback f USING gone g WHERE f.project_id = g.project_id AND f.event_id = g.event_id)
         UPDATE attachments a SET expires_on = least(a.expires_on, $3 - 1) FROM gone g
         WHERE a.project_id = g.project_id AND a.event_id = g.event_id",
    )
    .bind::<BigInt, _>(issue)
    .bind::<Nullable<Timestamptz>, _>(until)
    .bind::<Date, _>(now.date_naive())
    .execute(connection)
    .await?;
    Ok(())
}

async fn finish(connection: &mut Connection, done: &Move) -> Result<(), StoreError> {
    if done.to_issue.is_none() {
        statement("DELETE FROM anchors WHERE issue_id = $1")
            .bind::<BigInt, _>(done.from_issue)
            .execute(connection)
            .await?;
    }
    statement("DELETE FROM issue_moves WHERE from_issue = $1")
        .bind::<BigInt, _>(done.from_issue)
        .execute(connection)
        .await?;
    Ok(())
}
