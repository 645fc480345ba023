//! Secret links to single issues.

use crate::activity::{self, NewActivity};
use crate::{Connection, StoreError, outbox, statement};
use bugle_model::{IssueId, ProjectId, Signal};
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Binary, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde_json::json;

/// Shares an issue under the hash of a secret, writes it down, and tells the others with `issue.changed`; a link of before does
/// not work any more. Composes with the caller's transaction.
///
/// # Errors
/// When the database fails; [`StoreError::is_missing_reference`] when the issue is not there.
pub async fn add(
    connection: &mut Connection,
    issue: (IssueId, ProjectId),
    token_hash: &[u8; 32],
    actor: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let actor = cut(actor);
    statement(
        "INSERT INTO issue_shares (issue_id, token_hash, created_by, created_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (issue_id) DO UPDATE SET token_hash = excluded.token_hash, created_by = excluded.created_by,
             created_at = excluded.created_at",
    )
    .bind::<BigInt, _>(issue.0.0)
    .bind::<Binary, _>(token_hash.as_slice())
    .bind::<Text, _>(actor.as_str())
    .bind::<Timestamptz, _>(now)
    .execute(connection)
    .await?;
    tell(connection, issue, "shared", &actor, now).await
}

/// Ends the link of an issue, writes it down, and tells the others. Whether there was one. Composes with the caller's
/// transaction.
///
/// # Errors
/// When the database fails.
pub async fn remove(
    connection: &mut Connection,
    issue: (IssueId, ProjectId),
    actor: &str,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let gone = statement("DELETE FROM issue_shares WHERE issue_id = $1")
        .bind::<BigInt, _>(issue.0.0)
        .execute(connection)
        .await?;
    if gone == 1 {
        tell(connection, issue, "unshared", &cut(actor), now).await?;
    }
    Ok(gone == 1)
}

/// A name, as long as it may be where it is kept.
fn cut(actor: &str) -> String {
    actor.chars().take(128).collect()
}

/// Nothing of the secret: whoever sees the issue sees its activity.
async fn tell(
    connection: &mut Connection,
    (issue, project): (IssueId, ProjectId),
    kind: &'static str,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let happened = NewActivity { issue, kind, data: json!({}) };
    activity::add(connection, Some(actor), &[happened], now).await?;
    outbox::add(connection, vec![Signal::IssueChanged { issue, project }], now).await
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
