//! Secret links to single issues.

use crate::{Connection, StoreError, statement};
use bugle_model::IssueId;
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Binary, Text, Timestamptz};
use diesel_async::RunQueryDsl;

/// Shares an issue under the hash of a secret; a link of before does not work any more.
///
/// # Errors
/// When the database fails; [`StoreError::is_missing_reference`] when the issue is not there.
pub async fn add(
    connection: &mut Connection,
    issue: IssueId,
    token_hash: &[u8; 32],
    actor: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let actor: String = actor.chars().take(128).collect();
    statement(
        "INSERT INTO issue_shares (issue_id, token_hash, created_by, created_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (issue_id) DO UPDATE SET token_hash = excluded.token_hash, created_by = excluded.created_by,
             created_at = excluded.created_at",
    )
    .bind::<BigInt, _>(issue.0)
    .bind::<Binary, _>(token_hash.as_slice())
    .bind::<Text, _>(actor)
    .bind::<Timestamptz, _>(now)
    .execute(connection)
    .await?;
    Ok(())
}

/// Ends the link of an issue. Whether there was one.
///
/// # Errors
/// When the database fails.
pub async fn remove(connection: &mut Connection, issue: IssueId) -> Result<bool, StoreError> {
    let gone = statement("DELETE FROM issue_shares WHERE issue_id = $1")
        .bind::<BigInt, _>(issue.0)
        .execute(connection)
        .await?;
    Ok(gone == 1)
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    issue_id: i64,
}

/// The issue that a secret opens.
///
/// # Errors
/// When the database fails.
pub async fn find(connection: &mut Connection, token_hash: &[u8; 32]) -> Result<Option<IssueId>, StoreError> {
    let rows: Vec<Row> = statement("SELECT issue_id FROM issue_shares WHERE token_hash = $1")
        .bind::<Binary, _>(token_hash.as_slice())
        .load(connection)
        .await?;
    Ok(rows.into_iter().next().map(|row| IssueId(row.issue_id)))
}
