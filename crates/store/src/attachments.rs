//! What belongs to an event beside it, and whether anything still refers to what lies in the object store.

use crate::{Connection, Scope, StoreError, statement};
use bugle_model::ProjectId;
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Binary, Date, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

/// More than this are not read of one event.
const MAX_OF_EVENT: i64 = 100;

/// A file that came with an event. Its bytes are in the object store.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Attachment {
    /// Its id.
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    /// SHA-256 of the bytes: where they are.
    #[diesel(sql_type = Binary)]
    pub sha256: Vec<u8>,
    /// Bytes.
    #[diesel(sql_type = BigInt)]
    pub size: i64,
    /// The name that the client gave it.
    #[diesel(sql_type = Text)]
    pub filename: String,
    /// The media type that the client gave it.
    #[diesel(sql_type = Nullable<Text>)]
    pub content_type: Option<String>,
    /// The protocol's `attachment_type`, as in `event.minidump`.
    #[diesel(sql_type = Nullable<Text>)]
    pub attachment_type: Option<String>,
    /// When ingest accepted it.
    #[diesel(sql_type = Timestamptz)]
    pub received_at: DateTime<Utc>,
}

/// The files of an event, in the order in which they came; the first 100.
///
/// # Errors
/// When the database fails.
pub async fn of_event(
    connection: &mut Connection,
    project: ProjectId,
    event_id: Uuid,
) -> Result<Vec<Attachment>, StoreError> {
    Ok(statement(
        "SELECT id, sha256, size, filename, content_type, attachment_type, received_at
         FROM attachments WHERE project_id = $1 AND event_id = $2 ORDER BY id LIMIT $3",
    )
    .bind::<Integer, _>(project.0)
    .bind::<SqlUuid, _>(event_id)
    .bind::<BigInt, _>(MAX_OF_EVENT)
    .load(connection)
    .await?)
}

/// The file with this id, when it is in the scope. One whose issue was removed is not, though it is there for a while.
///
/// # Errors
/// When the database fails.
pub async fn get(
    connection: &mut Connection,
    scope: &Scope,
    id: i64,
    now: DateTime<Utc>,
) -> Result<Option<Attachment>, StoreError> {
    let found: Vec<Attachment> = statement(
        "SELECT a.id, a.sha256, a.size, a.filename, a.content_type, a.attachment_type, a.received_at
         FROM attachments a JOIN projects p ON p.id = a.project_id
         WHERE a.id = $1 AND ($2 IS NULL OR p.team_id = ANY ($2)) AND a.expires_on >= $3
            AND NOT EXISTS (SELECT FROM events e JOIN issue_moves m ON m.from_issue = e.issue_id
                WHERE e.event_id = a.event_id AND e.project_id = a.project_id AND m.to_issue IS NULL)",
    )
    .bind::<BigInt, _>(id)
    .bind::<Nullable<Array<Integer>>, _>(scope.bind())
    .bind::<Date, _>(now.date_naive())
    .load(connection)
    .await?;
    Ok(found.into_iter().next())
}

#[derive(QueryableByName)]
struct Content {
    #[diesel(sql_type = Binary)]
    sha256: Vec<u8>,
}

/// Those of some contents, given by their SHA-256, that no attachment refers to. One whose item still waits in a queue
/// is among them: ask about old ones only.
///
/// # Errors
/// When the database is away or the statement fails.
pub async fn unreferenced(
    connection: &mut Connection,
    contents: &[Vec<u8>],
) -> Result<Vec<Vec<u8>>, StoreError> {
    let rows: Vec<Content> = statement(
        "SELECT sha256 FROM UNNEST($1) AS kept (sha256)
         WHERE NOT EXISTS (SELECT FROM attachments a WHERE a.sha256 = kept.sha256)",
    )
    .bind::<Array<Binary>, _>(contents)
    .load(connection)
    .await?;
    Ok(rows.into_iter().map(|row| row.sha256).collect())
}
