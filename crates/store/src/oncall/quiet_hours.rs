//! When a person's pages wait.

use crate::row::{self, JsonRow};
use crate::{Connection, StoreError, statement};
use bugle_model::{Priority, UserId};
use bugle_schedule::Restriction;
use diesel::sql_types::{Int4, Jsonb, Nullable, SmallInt};
use diesel_async::RunQueryDsl;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The parts of the week in which pages wait, by the clock of the zone of the person's account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct QuietHours {
    /// Without any, nothing waits.
    pub hours: Vec<Restriction>,
    /// Incidents of this priority and of higher ones do not wait; `null`: all do.
    pub breaks_through: Option<Priority>,
}

impl Default for QuietHours {
    fn default() -> Self {
        Self { hours: Vec::new(), breaks_through: Some(Priority::Critical) }
    }
}

#[derive(Deserialize)]
struct Row {
    hours: Vec<Restriction>,
    breaks_through: Option<i16>,
}

impl QuietHours {
    pub(super) fn read(row: Value) -> Result<Self, StoreError> {
        let damaged = |what: String| StoreError::Damaged(format!("quiet hours: {what}"));
        let Row { hours, breaks_through } =
            serde_json::from_value(row).map_err(|error| damaged(error.to_string()))?;
        let known = |code| Priority::from_code(code).ok_or_else(|| damaged("breaks_through".to_owned()));
        Ok(Self { hours, breaks_through: breaks_through.map(known).transpose()? })
    }
}

/// The quiet hours of a person.
///
/// # Errors
/// When the database fails, or holds what cannot be read.
pub async fn quiet_hours(conn: &mut Connection, user: UserId) -> Result<QuietHours, StoreError> {
    let rows: Vec<JsonRow> = statement("SELECT to_jsonb(q) AS row FROM quiet_hours q WHERE user_id = $1")
        .bind::<Int4, _>(user.0)
        .load(conn)
        .await?;
    row::first::<Value>(rows)?.map_or_else(|| Ok(QuietHours::default()), QuietHours::read)
}

/// Sets the quiet hours of a person. Pages that wait already go on waiting.
///
/// # Errors
/// When the database fails.
pub async fn set_quiet_hours(
    conn: &mut Connection,
    user: UserId,
    quiet: &QuietHours,
) -> Result<(), StoreError> {
    statement(
        "INSERT INTO quiet_hours (user_id, hours, breaks_through) VALUES ($1, $2, $3)
         ON CONFLICT (user_id) DO UPDATE SET hours = excluded.hours, breaks_through = excluded.breaks_through",
    )
    .bind::<Int4, _>(user.0)
    .bind::<Jsonb, _>(json!(quiet.hours))
    .bind::<Nullable<SmallInt>, _>(quiet.breaks_through.map(Priority::code))
    .execute(conn)
    .await?;
    Ok(())
}
