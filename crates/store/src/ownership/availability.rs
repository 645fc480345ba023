//! Whether somebody can be given issues.

use crate::row::{self, JsonRow};
use crate::{Connection, StoreError, statement};
use bugle_model::{Availability, UserId};
use diesel::sql_types::{Array, Bool, Int4, Nullable, Timestamptz};
use diesel_async::RunQueryDsl;
use std::collections::BTreeMap;

/// What somebody has said of it.
///
/// # Errors
/// When the database fails.
pub async fn availability(connection: &mut Connection, user: UserId) -> Result<Availability, StoreError> {
    let rows: Vec<JsonRow> =
        statement("SELECT to_jsonb(a) - 'user_id' AS row FROM availability a WHERE user_id = $1")
            .bind::<Int4, _>(user.0)
            .load(connection)
            .await?;
    Ok(row::first(rows)?.unwrap_or_default())
}

/// What each of some people has said of it; who has said nothing is not among them.
///
/// # Errors
/// When the database fails.
pub async fn availabilities(
    connection: &mut Connection,
    people: &[UserId],
) -> Result<BTreeMap<UserId, Availability>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT jsonb_build_array(a.user_id, to_jsonb(a) - 'user_id') AS row FROM availability a
         WHERE a.user_id = ANY ($1)",
    )
    .bind::<Array<Int4>, _>(people.iter().map(|id| id.0).collect::<Vec<_>>())
    .load(connection)
    .await?;
    Ok(row::all::<(UserId, Availability)>(rows)?.into_iter().collect())
}

/// Sets it. Issues that they have stay theirs.
///
/// # Errors
/// When the database fails, or refuses the values.
pub async fn set_availability(
    connection: &mut Connection,
    user: UserId,
    availability: &Availability,
) -> Result<(), StoreError> {
    statement(
        "INSERT INTO availability (user_id, available, away_until, max_open_issues) VALUES ($1, $2, $3, $4)
         ON CONFLICT (user_id) DO UPDATE SET available = excluded.available, away_until = excluded.away_until,
            max_open_issues = excluded.max_open_issues",
    )
    .bind::<Int4, _>(user.0)
    .bind::<Bool, _>(availability.available)
    .bind::<Nullable<Timestamptz>, _>(availability.away_until)
    .bind::<Nullable<Int4>, _>(availability.max_open_issues)
    .execute(connection)
    .await?;
    Ok(())
}
