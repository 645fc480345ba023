//! Exceptions from schedules.

use super::subscriptions::read_again;
use crate::row::{self, JsonRow};
use crate::{Connection, StoreError, statement};
use bugle_model::{OverrideId, ScheduleId};
use bugle_schedule::{Override, OverrideKind};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Int4, Jsonb, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An override of a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StoredOverride {
    /// Its id; later ones are applied to the result of earlier ones.
    pub id: OverrideId,
    /// When it begins.
    pub from: DateTime<Utc>,
    /// When it ends.
    pub to: DateTime<Utc>,
    /// What changes.
    #[serde(flatten)]
    pub kind: OverrideKind,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// An import has made it, and the next one replaces it.
    pub imported: bool,
}

/// The overrides of a schedule that have not ended, in the order in which they are applied.
///
/// # Errors
/// When the database fails.
pub async fn list_overrides(
    conn: &mut Connection,
    schedule: ScheduleId,
    now: DateTime<Utc>,
) -> Result<Vec<StoredOverride>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT jsonb_build_object('id', id, 'from', starts_at, 'to', ends_at, 'created_by', created_by,
            'created_at', created_at, 'imported', imported) || kind AS row
         FROM schedule_overrides WHERE schedule_id = $1 AND ends_at > $2 ORDER BY id",
    )
    .bind::<Int4, _>(schedule.0)
    .bind::<Timestamptz, _>(now)
    .load(conn)
    .await?;
    row::all(rows)
}

/// Holds a schedule until the end of the caller's transaction, so that of two who make overrides at once the second sees the first one's.
///
/// # Errors
/// When the database fails.
pub async fn lock_schedule(conn: &mut Connection, schedule: ScheduleId) -> Result<(), StoreError> {
    statement("SELECT FROM schedules WHERE id = $1 FOR NO KEY UPDATE")
        .bind::<Int4, _>(schedule.0)
        .execute(conn)
        .await?;
    Ok(())
}

/// Makes an override; the caller has checked it together with those that there are.
///
/// # Errors
/// When the database fails.
pub async fn create_override(
    conn: &mut Connection,
    schedule: ScheduleId,
    new: &Override,
    created_by: &str,
    now: DateTime<Utc>,
) -> Result<StoredOverride, StoreError> {
    let kind = serde_json::to_value(new.kind).map_err(|error| StoreError::Damaged(error.to_string()))?;
    let row: JsonRow = statement(
        "INSERT INTO schedule_overrides (schedule_id, starts_at, ends_at, kind, created_by, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         RETURNING jsonb_build_object('id', id, 'from', starts_at, 'to', ends_at, 'created_by', created_by,
            'created_at', created_at, 'imported', imported) || kind AS row",
    )
    .bind::<Int4, _>(schedule.0)
    .bind::<Timestamptz, _>(new.from)
    .bind::<Timestamptz, _>(new.to)
    .bind::<Jsonb, _>(kind)
    .bind::<Text, _>(created_by.chars().take(128).collect::<String>())
    .bind::<Timestamptz, _>(now)
    .get_result(conn)
    .await?;
    row.read()
}

/// Makes an override of a schedule another one from now on, as `changed_by` wants it; the caller holds the schedule. What of it is over stays. The next
/// import does not put whom an import had put on call there back.
///
/// # Errors
/// When the database fails.
pub async fn pass_override(
    conn: &mut Connection,
    schedule: ScheduleId,
    id: OverrideId,
    kind: OverrideKind,
    changed_by: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    keep_past(conn, schedule, id, now).await?;
    let kind = serde_json::to_value(kind).map_err(|error| StoreError::Damaged(error.to_string()))?;
    // It keeps its number, and so its place among those that come after it.
    statement(
        "UPDATE schedule_overrides SET starts_at = greatest(starts_at, $3), kind = $4, created_by = $5, created_at = $3,
            in_place_of = CASE WHEN imported THEN (kind ->> 'who')::integer ELSE in_place_of END, imported = false
         WHERE id = $1 AND schedule_id = $2",
    )
    .bind::<Int4, _>(id.0)
    .bind::<Int4, _>(schedule.0)
    .bind::<Timestamptz, _>(now)
    .bind::<Jsonb, _>(kind)
    .bind::<Text, _>(changed_by.chars().take(128).collect::<String>())
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends an override of a schedule; the caller holds the schedule. What of it is over stays.
///
/// # Errors
/// When the database fails.
pub async fn end_override(
    conn: &mut Connection,
    schedule: ScheduleId,
    id: OverrideId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    keep_past(conn, schedule, id, now).await?;
    delete_override(conn, schedule, id).await?;
    Ok(())
}

async fn keep_past(
    conn: &mut Connection,
    schedule: ScheduleId,
    id: OverrideId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    statement(
        "INSERT INTO schedule_overrides (schedule_id, starts_at, ends_at, kind, created_by, created_at, imported)
         SELECT schedule_id, starts_at, $3, kind, created_by, created_at, imported FROM schedule_overrides
         WHERE id = $1 AND schedule_id = $2 AND starts_at < $3",
    )
    .bind::<Int4, _>(id.0)
    .bind::<Int4, _>(schedule.0)
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// Removes an override of a schedule, and gives it; `None` when it was not there. A calendar that the schedule follows is read again, since what was in
/// its way may be gone.
///
/// # Errors
/// When the database fails.
pub async fn delete_override(
    conn: &mut Connection,
    schedule: ScheduleId,
    id: OverrideId,
) -> Result<Option<StoredOverride>, StoreError> {
    // Before the override: a fetch that is being recorded holds the subscription first, too.
    read_again(conn, schedule).await?;
    let gone: Vec<JsonRow> = statement(
        "DELETE FROM schedule_overrides WHERE id = $1 AND schedule_id = $2
         RETURNING jsonb_build_object('id', id, 'from', starts_at, 'to', ends_at, 'created_by', created_by,
            'created_at', created_at, 'imported', imported) || kind AS row",
    )
    .bind::<Int4, _>(id.0)
    .bind::<Int4, _>(schedule.0)
    .load(conn)
    .await?;
    row::first(gone)
}
