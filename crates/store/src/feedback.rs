//! What users said about an error.

use crate::{Connection, StoreError, statement};
use bugle_model::ProjectId;
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

/// More than this are not read of one event.
const MAX_OF_EVENT: i64 = 100;

/// What one user said.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Feedback {
    /// Its id.
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    /// Who, as they wrote it.
    #[diesel(sql_type = Nullable<Text>)]
    pub name: Option<String>,
    /// Their mail address, as they wrote it.
    #[diesel(sql_type = Nullable<Text>)]
    pub email: Option<String>,
    /// The text.
    #[diesel(sql_type = Text)]
    pub message: String,
    /// The page that they were on.
    #[diesel(sql_type = Nullable<Text>)]
    pub url: Option<String>,
    /// When ingest accepted it.
    #[diesel(sql_type = Timestamptz)]
    pub received_at: DateTime<Utc>,
}

/// What was said about an event, in the order in which it came; the first 100.
///
/// # Errors
/// When the database fails.
pub async fn of_event(
    connection: &mut Connection,
    project: ProjectId,
    event_id: Uuid,
) -> Result<Vec<Feedback>, StoreError> {
    Ok(statement(
        "SELECT id, name, email, message, url, received_at
         FROM feedback WHERE project_id = $1 AND event_id = $2 ORDER BY id LIMIT $3",
    )
    .bind::<Integer, _>(project.0)
    .bind::<SqlUuid, _>(event_id)
    .bind::<BigInt, _>(MAX_OF_EVENT)
    .load(connection)
    .await?)
}
