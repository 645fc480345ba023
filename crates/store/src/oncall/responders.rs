//! Responders: people who were asked to help with an incident. They are paged at once, whether or not somebody has answered, and the
//! policy goes on as if they had not been.

use super::act::{self, Acted, Changed};
use super::log::By;
use super::messages::lock_incident;
use super::pages;
use super::room::Count;
use crate::{Connection, StoreError, statement};
use bugle_model::{IncidentEvent, IncidentId, UserId};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Int4, Int8, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// How many an incident may have.
pub const MAX_RESPONDERS: i64 = 20;

/// Somebody who was asked to help.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "IncidentResponder")]
pub struct Responder {
    /// Who.
    pub user: UserId,
    /// Who asked them last.
    pub requested_by: String,
    /// When.
    pub requested_at: DateTime<Utc>,
    /// Since when they help; none while they have not said so.
    pub joined_at: Option<DateTime<Utc>>,
}

/// Whether somebody may be asked to help: they were asked before, or fewer than [`MAX_RESPONDERS`] were, or the incident has ended, which
/// [`add_responder`] says. Holds the incident until the end of the caller's transaction, so that two at once are counted one after the other.
///
/// # Errors
/// When the database fails.
pub async fn has_room_for_responder(
    conn: &mut Connection,
    id: IncidentId,
    user: UserId,
) -> Result<bool, StoreError> {
    lock_incident(conn, id).await?;
    // A statement of its own: the one that waits for the lock does not see what whoever held it has added.
    let counted: Count = statement(
        "SELECT count(*) AS count FROM incident_responders r JOIN incidents n ON n.id = r.incident_id AND n.state < 3
         WHERE r.incident_id = $1
            AND NOT EXISTS (SELECT 1 FROM incident_responders s WHERE s.incident_id = $1 AND s.user_id = $2)",
    )
    .bind::<Int8, _>(id.0)
    .bind::<Int4, _>(user.0)
    .get_result(conn)
    .await?;
    Ok(counted.count < MAX_RESPONDERS)
}

/// Asks somebody to help with an open incident, which is due at once for that; who was asked before is paged again. Composes with the
/// caller's transaction.
///
/// # Errors
/// When the database fails; [`StoreError::is_missing_reference`] when there is no such person.
pub async fn add_responder(
    conn: &mut Connection,
    id: IncidentId,
    who: (UserId, &str),
    by: impl Into<By<'_>>,
    now: DateTime<Utc>,
) -> Result<Acted, StoreError> {
    let by = by.into();
    let (user, name) = who;
    let changed: Vec<Changed> = statement(
        "WITH asked AS (
            UPDATE incidents SET page_responders = true WHERE id = $1 AND state < 3 RETURNING id, generation),
         made AS (
            INSERT INTO incident_responders AS r (incident_id, user_id, requested_by, requested_at)
            SELECT id, $2, $3, $4 FROM asked
            ON CONFLICT (incident_id, user_id) DO UPDATE SET requested_by = $3, requested_at = $4, waits = true, joined_at = NULL)
         SELECT generation FROM asked",
    )
    .bind::<Int8, _>(id.0)
    .bind::<Int4, _>(user.0)
    .bind::<Text, _>(act::cut(by.name))
    .bind::<Timestamptz, _>(now)
    .load(conn)
    .await?;
    let data = json!({ "user": user, "name": name });
    act::done(conn, id, changed, (IncidentEvent::ResponderAdded, data, by), now).await
}

/// Somebody who was asked to help says that they do: nothing more of the incident leaves to them. Whether they had been asked, and had not
/// said so. Composes with the caller's transaction.
///
/// # Errors
/// When the database fails.
pub async fn join_as_responder(
    conn: &mut Connection,
    id: IncidentId,
    user: UserId,
    by: impl Into<By<'_>>,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let by = by.into();
    let changed: Vec<Changed> = statement(
        "UPDATE incident_responders r SET joined_at = $3, waits = false FROM incidents n
         WHERE r.incident_id = $1 AND r.user_id = $2 AND r.joined_at IS NULL AND n.id = r.incident_id AND n.state < 3
         RETURNING n.generation",
    )
    .bind::<Int8, _>(id.0)
    .bind::<Int4, _>(user.0)
    .bind::<Timestamptz, _>(now)
    .load(conn)
    .await?;
    if changed.is_empty() {
        return Ok(false);
    }
    pages::cancel_of(conn, id, user, "they have answered", now).await?;
    act::done(conn, id, changed, (IncidentEvent::ResponderJoined, json!({}), by), now).await?;
    Ok(true)
}

/// What some incidents waited to page responders for is done.
pub(super) async fn paged(
    conn: &mut Connection,
    incidents: impl Iterator<Item = IncidentId>,
) -> Result<(), StoreError> {
    statement("UPDATE incident_responders SET waits = false WHERE incident_id = ANY($1) AND waits")
        .bind::<Array<Int8>, _>(incidents.map(|id| id.0).collect::<Vec<_>>())
        .execute(conn)
        .await?;
    Ok(())
}
