//! How long a team's incidents have to be answered.

use crate::{Connection, StoreError, statement};
use bugle_model::TeamId;
use diesel::sql_types::{Array, Int4, Nullable};
use diesel_async::RunQueryDsl;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Minutes from when an incident begins to when somebody has to answer it, by its priority; `null`, or left out: there is no such time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResponseTimes {
    /// Of critical ones; 0 is at once.
    pub critical: Option<i32>,
    /// Of high ones.
    pub high: Option<i32>,
    /// Of medium ones.
    pub medium: Option<i32>,
    /// Of low ones.
    pub low: Option<i32>,
}

impl ResponseTimes {
    /// Minutes of a response time: 30 days.
    pub const MAX_MINUTES: i32 = 43_200;

    /// Every field that breaks a limit, and what it must be.
    #[must_use]
    pub fn mistakes(&self) -> Vec<(&'static str, String)> {
        let fields =
            [("critical", self.critical), ("high", self.high), ("medium", self.medium), ("low", self.low)];
        let wrong = fields
            .into_iter()
            .filter(|(_, minutes)| minutes.is_some_and(|count| !(0..=Self::MAX_MINUTES).contains(&count)));
        wrong.map(|(field, _)| (field, format!("0 to {} minutes", Self::MAX_MINUTES))).collect()
    }
}

/// Sets the response times of a team. They count for what begins later.
///
/// # Errors
/// When the database fails, or refuses what is against the limits.
pub async fn set_response_times(
    conn: &mut Connection,
    team: TeamId,
    times: &ResponseTimes,
) -> Result<(), StoreError> {
    statement("UPDATE teams SET response_minutes = $2 WHERE id = $1")
        .bind::<Int4, _>(team.0)
        .bind::<Array<Nullable<Int4>>, _>(vec![times.low, times.medium, times.high, times.critical])
        .execute(conn)
        .await?;
    Ok(())
}
