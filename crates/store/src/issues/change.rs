//! What people change about an issue.

use super::{Issue, get};
use crate::{Connection, StoreError, statement};
use bugle_model::{IssueId, IssueStatus, Priority, Signal, SignalBatch};
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncConnection, RunQueryDsl};
use uuid::Uuid;

/// What is to be different; `None` leaves it as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IssueChange {
    /// Where it stands.
    pub status: Option<IssueStatus>,
    /// The priority; chosen by a person, so that counts no longer raise it.
    pub priority: Option<Priority>,
    /// Who deals with it, 128 characters at most; `Some(None)` is nobody.
    pub assigned_to: Option<Option<String>>,
}

#[derive(QueryableByName)]
struct Changed {
    #[diesel(sql_type = Integer)]
    project_id: i32,
}

/// Changes an issue and tells the others with `issue.changed`, in one transaction. The issue afterwards; `None`
/// when there is none. A change that changes nothing tells nobody.
///
/// `message_id` is a fresh id for the signal.
///
/// # Errors
/// When the database fails.
pub async fn change(
    connection: &mut Connection,
    id: IssueId,
    change: &IssueChange,
    message_id: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<Issue>, StoreError> {
    connection
        .transaction(async |connection| {
            let changed = update(connection, id, change, now).await?;
            if let Some(Changed { project_id }) = changed {
                let signal = Signal::IssueChanged { issue: id, project: bugle_model::ProjectId(project_id) };
                let batch = SignalBatch { v: 1, id: message_id, signals: vec![signal] };
                tell(connection, &batch, now).await?;
            }
            get(connection, id).await
        })
        .await
}

/// Resolving remembers the project's newest release: events of older ones do not reopen the issue.
async fn update(
    connection: &mut Connection,
    id: IssueId,
    change: &IssueChange,
    now: DateTime<Utc>,
) -> Result<Option<Changed>, StoreError> {
    let rows: Vec<Changed> = statement(
        "UPDATE issues i SET
             status = coalesce($2, i.status),
             resolved_at = CASE WHEN $2 IS NULL OR $2 = i.status THEN i.resolved_at WHEN $2 = 1 THEN $6 END,
             resolved_release_id = CASE
                 WHEN $2 IS NULL OR $2 = i.status THEN i.resolved_release_id
                 WHEN $2 = 1 THEN (SELECT r.id FROM releases r WHERE r.project_id = i.project_id
                                   ORDER BY r.created_at DESC, r.id DESC LIMIT 1)
             END,
             priority = coalesce($3, i.priority),
             priority_chosen = i.priority_chosen OR $3 IS NOT NULL,
             assigned_to = CASE WHEN $4 THEN $5 ELSE i.assigned_to END
         WHERE i.id = $1
           AND (coalesce($2, i.status) <> i.status
                OR coalesce($3, i.priority) <> i.priority
                OR ($3 IS NOT NULL AND NOT i.priority_chosen)
                OR ($4 AND $5 IS DISTINCT FROM i.assigned_to))
         RETURNING i.project_id",
    )
    .bind::<BigInt, _>(id.0)
    .bind::<Nullable<SmallInt>, _>(change.status.map(IssueStatus::code))
    .bind::<Nullable<SmallInt>, _>(change.priority.map(Priority::code))
    .bind::<Bool, _>(change.assigned_to.is_some())
    .bind::<Nullable<Text>, _>(change.assigned_to.clone().flatten())
    .bind::<Timestamptz, _>(now)
    .load(connection)
    .await?;
    Ok(rows.into_iter().next())
}

async fn tell(connection: &mut Connection, batch: &SignalBatch, now: DateTime<Utc>) -> Result<(), StoreError> {
    let body = serde_json::to_vec(batch).map_err(|error| StoreError::Damaged(error.to_string()))?;
    statement("INSERT INTO outbox (message_id, routing_key, body, created_at) VALUES ($1, $2, $3, $4)")
        .bind::<SqlUuid, _>(batch.id)
        .bind::<Text, _>(batch.signals.as_slice().first().map(Signal::routing_key).unwrap_or_default())
        .bind::<Binary, _>(body)
        .bind::<Timestamptz, _>(now)
        .execute(connection)
        .await?;
    Ok(())
}
