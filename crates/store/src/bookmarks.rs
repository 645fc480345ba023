//! Issues that somebody wants to find again.

use crate::{Connection, StoreError, statement};
use bugle_model::{IssueId, UserId};
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Integer, Timestamptz};
use diesel_async::RunQueryDsl;
use std::collections::BTreeSet;

/// Bookmarks an issue for somebody. A second time changes nothing.
///
/// # Errors
/// When the database fails; [`StoreError::is_missing_reference`] when the issue is not there.
pub async fn add(
    connection: &mut Connection,
    user: UserId,
    issue: IssueId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    statement(
        "INSERT INTO bookmarks (user_id, issue_id, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind::<Integer, _>(user.0)
    .bind::<BigInt, _>(issue.0)
    .bind::<Timestamptz, _>(now)
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes somebody's bookmark, when there is one.
///
/// # Errors
/// When the database fails.
pub async fn remove(connection: &mut Connection, user: UserId, issue: IssueId) -> Result<(), StoreError> {
    statement("DELETE FROM bookmarks WHERE user_id = $1 AND issue_id = $2")
        .bind::<Integer, _>(user.0)
        .bind::<BigInt, _>(issue.0)
        .execute(connection)
        .await?;
    Ok(())
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    issue_id: i64,
}

/// Which of these issues somebody has bookmarked.
///
/// # Errors
/// When the database fails.
pub async fn among(
    connection: &mut Connection,
    user: UserId,
    issues: &[IssueId],
) -> Result<BTreeSet<IssueId>, StoreError> {
    let rows: Vec<Row> =
        statement("SELECT issue_id FROM bookmarks WHERE user_id = $1 AND issue_id = ANY ($2)")
            .bind::<Integer, _>(user.0)
            .bind::<Array<BigInt>, _>(issues.iter().map(|issue| issue.0).collect::<Vec<_>>())
            .load(connection)
            .await?;
    Ok(rows.into_iter().map(|row| IssueId(row.issue_id)).collect())
}
