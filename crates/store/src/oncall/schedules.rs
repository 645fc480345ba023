//! Schedules as stored: their layers. Overrides are rows of their own ([`super::list_overrides`]).

use super::subscriptions::read_again;
use crate::row::{self, JsonRow};
use crate::{Connection, Scope, StoreError, statement};
use bugle_model::{ScheduleId, TeamId};
use bugle_schedule::Schedule;
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Int4, Jsonb, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::Deserialize;

/// A schedule of a team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSchedule {
    /// Its id.
    pub id: ScheduleId,
    /// Whose.
    pub team: TeamId,
    /// Its name, unique in the team.
    pub name: String,
    /// Zone, layers, and the overrides that have not ended.
    pub schedule: Schedule,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
}

#[derive(Deserialize)]
struct Row {
    id: ScheduleId,
    team_id: TeamId,
    name: String,
    schedule: Schedule,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Row> for StoredSchedule {
    fn from(row: Row) -> Self {
        let Row { id, team_id, name, schedule, created_at, updated_at } = row;
        Self { id, team: team_id, name, schedule, created_at, updated_at }
    }
}

/// Makes a schedule; its overrides are not written. A name that is taken gives [`StoreError::unique_violation`].
///
/// # Errors
/// When the database fails.
pub async fn create_schedule(
    conn: &mut Connection,
    team: TeamId,
    name: &str,
    schedule: &Schedule,
    now: DateTime<Utc>,
) -> Result<ScheduleId, StoreError> {
    let row: JsonRow = statement(
        "INSERT INTO schedules (team_id, name, zone, layers, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5)
         RETURNING to_jsonb(id) AS row",
    )
    .bind::<Int4, _>(team.0)
    .bind::<Text, _>(name)
    .bind::<Text, _>(schedule.zone.name())
    .bind::<Jsonb, _>(layers(schedule)?)
    .bind::<Timestamptz, _>(now)
    .get_result(conn)
    .await?;
    row.read()
}

fn layers(schedule: &Schedule) -> Result<serde_json::Value, StoreError> {
    serde_json::to_value(&schedule.layers).map_err(|error| StoreError::Damaged(error.to_string()))
}

/// Gives a schedule another name, zone and layers; its overrides stay. Whether it is there.
///
/// # Errors
/// When the database fails.
pub async fn update_schedule(
    conn: &mut Connection,
    id: ScheduleId,
    name: &str,
    schedule: &Schedule,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let changed =
        statement("UPDATE schedules SET name = $2, zone = $3, layers = $4, updated_at = $5 WHERE id = $1")
            .bind::<Int4, _>(id.0)
            .bind::<Text, _>(name)
            .bind::<Text, _>(schedule.zone.name())
            .bind::<Jsonb, _>(layers(schedule)?)
            .bind::<Timestamptz, _>(now)
            .execute(conn)
            .await?;
    // Its zone is that of a calendar which names none.
    read_again(conn, id).await?;
    Ok(changed == 1)
}

/// The schedules of a scope, by team and name, with the overrides that have not ended.
///
/// # Errors
/// When the database fails.
pub async fn list_schedules(
    conn: &mut Connection,
    scope: &Scope,
    now: DateTime<Utc>,
) -> Result<Vec<StoredSchedule>, StoreError> {
    read(conn, scope, None, now).await
}

/// One schedule of a scope.
///
/// # Errors
/// When the database fails.
pub async fn get_schedule(
    conn: &mut Connection,
    scope: &Scope,
    id: ScheduleId,
    now: DateTime<Utc>,
) -> Result<Option<StoredSchedule>, StoreError> {
    Ok(read(conn, scope, Some(id), now).await?.into_iter().next())
}

/// All schedules, with the overrides that end after `since`. One that was made by a newer version, or by hand, and cannot be read is left out: it
/// must not be in the way of the others.
///
/// # Errors
/// When the database fails.
pub async fn readable_schedules(
    conn: &mut Connection,
    since: DateTime<Utc>,
) -> Result<Vec<StoredSchedule>, StoreError> {
    let readable = |row: JsonRow| match row.read::<Row>() {
        Ok(row) => Some(row.into()),
        Err(error) => {
            tracing::warn!(%error, "a schedule cannot be read: nobody is told of its handoffs");
            None
        }
    };
    Ok(load(conn, &Scope::All, None, since).await?.into_iter().filter_map(readable).collect())
}

async fn read(
    conn: &mut Connection,
    scope: &Scope,
    id: Option<ScheduleId>,
    now: DateTime<Utc>,
) -> Result<Vec<StoredSchedule>, StoreError> {
    let rows = load(conn, scope, id, now).await?;
    Ok(row::all::<Row>(rows)?.into_iter().map(StoredSchedule::from).collect())
}

async fn load(
    conn: &mut Connection,
    scope: &Scope,
    id: Option<ScheduleId>,
    now: DateTime<Utc>,
) -> Result<Vec<JsonRow>, StoreError> {
    let rows = statement(
        "SELECT to_jsonb(s) || jsonb_build_object('schedule', jsonb_build_object('zone', s.zone, 'layers', s.layers, 'overrides',
            COALESCE((SELECT jsonb_agg(jsonb_build_object('from', o.starts_at, 'to', o.ends_at) || o.kind ORDER BY o.id)
                FROM schedule_overrides o WHERE o.schedule_id = s.id AND o.ends_at > $3), '[]'))) AS row
         FROM schedules s WHERE ($1 IS NULL OR s.team_id = ANY ($1)) AND ($2 IS NULL OR s.id = $2)
         ORDER BY s.team_id, s.name",
    )
    .bind::<Nullable<Array<Int4>>, _>(scope.bind())
    .bind::<Nullable<Int4>, _>(id.map(|id| id.0))
    .bind::<Timestamptz, _>(now)
    .load(conn)
    .await?;
    Ok(rows)
}

/// Removes a schedule with its overrides. Steps that page it have nobody from then on. Whether it was there.
///
/// # Errors
/// When the database fails.
pub async fn delete_schedule(conn: &mut Connection, id: ScheduleId) -> Result<bool, StoreError> {
    let gone = statement("DELETE FROM schedules WHERE id = $1").bind::<Int4, _>(id.0).execute(conn).await?;
    Ok(gone == 1)
}
