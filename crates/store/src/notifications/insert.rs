//! Rows from signals.

use crate::{Connection, StoreError, statement};
use bugle_model::{DestinationId, IssueId, NotificationId, Priority, ProjectId, SignalKind};
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, Int4, Int8, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

/// A notification to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewNotification {
    /// Goes out as `webhook-id` and in the `Message-ID`. Kept only when the row is new.
    pub message_id: Uuid,
    /// The project.
    pub project: ProjectId,
    /// The issue.
    pub issue: IssueId,
    /// Where it goes.
    pub destination: DestinationId,
    /// What it is about.
    pub kind: SignalKind,
    /// The issue's generation.
    pub generation: i32,
    /// The issue's priority.
    pub priority: Priority,
    /// The event that caused it.
    pub event_id: Uuid,
    /// The event's environment.
    pub environment: Option<String>,
    /// When ingest accepted the event.
    pub received_at: DateTime<Utc>,
}

/// Inserts what is not there yet: a second row for the same issue, destination, kind and generation is left out, and
/// so is one whose issue or destination is gone. Due at once. How many are new.
///
/// # Errors
/// When the database fails; then nothing was inserted.
pub async fn insert(
    conn: &mut Connection,
    new: &[NewNotification],
    now: DateTime<Utc>,
) -> Result<usize, StoreError> {
    if new.is_empty() {
        return Ok(0);
    }
    let column = |read: fn(&NewNotification) -> i32| new.iter().map(read).collect::<Vec<_>>();
    let small = |read: fn(&NewNotification) -> i16| new.iter().map(read).collect::<Vec<_>>();
    let inserted = statement(
        "INSERT INTO notifications (message_id, project_id, issue_id, destination_id, kind, generation, priority,
            event_id, environment, received_at, created_at, next_at)
         SELECT s.message_id, s.project_id, s.issue_id, s.destination_id, s.kind, s.generation, s.priority,
            s.event_id, s.environment, s.received_at, $11, $11
         FROM UNNEST($1::uuid[], $2::int[], $3::bigint[], $4::int[], $5::smallint[], $6::int[], $7::smallint[],
            $8::uuid[], $9::text[], $10::timestamptz[]) WITH ORDINALITY
            AS s (message_id, project_id, issue_id, destination_id, kind, generation, priority, event_id,
                environment, received_at, place)
         JOIN issues i ON i.id = s.issue_id
         JOIN destinations d ON d.id = s.destination_id
         ORDER BY s.place
         ON CONFLICT DO NOTHING",
    )
    .bind::<Array<SqlUuid>, _>(new.iter().map(|n| n.message_id).collect::<Vec<_>>())
    .bind::<Array<Int4>, _>(column(|n| n.project.0))
    .bind::<Array<Int8>, _>(new.iter().map(|n| n.issue.0).collect::<Vec<_>>())
    .bind::<Array<Int4>, _>(column(|n| n.destination.0))
    .bind::<Array<SmallInt>, _>(small(|n| n.kind.code()))
    .bind::<Array<Int4>, _>(column(|n| n.generation))
    .bind::<Array<SmallInt>, _>(small(|n| n.priority.code()))
    .bind::<Array<SqlUuid>, _>(new.iter().map(|n| n.event_id).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(new.iter().map(|n| n.environment.as_deref()).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(new.iter().map(|n| n.received_at).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    Ok(inserted)
}

#[derive(QueryableByName)]
struct Made {
    #[diesel(sql_type = Int8)]
    id: i64,
}

/// Whether a test message to a destination is on its way. Holds the destination until the end of the caller's transaction, so
/// that of two who ask at once the second is told of the first one's.
///
/// # Errors
/// When the database fails.
pub async fn test_is_pending(conn: &mut Connection, destination: DestinationId) -> Result<bool, StoreError> {
    statement("SELECT FROM destinations WHERE id = $1 FOR NO KEY UPDATE")
        .bind::<Int4, _>(destination.0)
        .execute(conn)
        .await?;
    let pending: Vec<Made> = statement(
        "SELECT id FROM notifications WHERE destination_id = $1 AND kind = $2 AND state IN (0, 1) LIMIT 1",
    )
    .bind::<Int4, _>(destination.0)
    .bind::<SmallInt, _>(SignalKind::Test.code())
    .load(conn)
    .await?;
    Ok(!pending.is_empty())
}

/// Makes a test message to a destination, due at once. `None` when there is no such destination.
///
/// # Errors
/// When the database fails.
pub async fn insert_test(
    conn: &mut Connection,
    destination: DestinationId,
    message_id: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<NotificationId>, StoreError> {
    let rows: Vec<Made> = statement(
        "INSERT INTO notifications (message_id, project_id, destination_id, kind, priority, received_at, created_at, next_at)
         SELECT $2, project_id, id, $3, 4, $4, $4, $4 FROM destinations WHERE id = $1
         RETURNING id",
    )
    .bind::<Int4, _>(destination.0)
    .bind::<SqlUuid, _>(message_id)
    .bind::<SmallInt, _>(SignalKind::Test.code())
    .bind::<Timestamptz, _>(now)
    .load(conn)
    .await?;
    Ok(rows.into_iter().next().map(|row| NotificationId(row.id)))
}
