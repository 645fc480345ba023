//! Messages with buttons that answer an incident: changed in place when the incident changes, until it is over.

use crate::row::{self, JsonRow};
use crate::{Connection, StoreError, statement};
use bugle_model::{DestinationId, IncidentEvent, IncidentId, IncidentState, NotificationId};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Int4, Int8, SmallInt, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::Deserialize;

/// What an incident's messages tell of: that somebody did something with it, or its time was over.
const TOLD: &[IncidentEvent] = &[
    IncidentEvent::Triggered,
    IncidentEvent::Acknowledged,
    IncidentEvent::AcknowledgementTimedOut,
    IncidentEvent::Unacknowledged,
    IncidentEvent::Snoozed,
    IncidentEvent::SnoozeEnded,
    IncidentEvent::PriorityRaised,
    IncidentEvent::Reassigned,
    IncidentEvent::Escalated,
    IncidentEvent::Resolved,
    IncidentEvent::Merged,
];

/// Notes that a message is about to go out in which an incident is open, in this generation. One that is noted already is noted anew.
///
/// # Errors
/// When the database fails.
pub async fn note_message(
    conn: &mut Connection,
    notification: NotificationId,
    incident: (IncidentId, i32),
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    statement(
        "INSERT INTO incident_messages (notification_id, incident_id, shown_state, shown_generation, next_at)
         SELECT $1, id, 1, $3, $4 FROM incidents WHERE id = $2
         ON CONFLICT (notification_id) DO UPDATE SET incident_id = $2, shown_state = 1, shown_generation = $3",
    )
    .bind::<Int8, _>(notification.0)
    .bind::<Int8, _>(incident.0.0)
    .bind::<Int4, _>(incident.1)
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// A message that does not show how its incident stands.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct StaleMessage {
    /// The notification that it is.
    pub notification: NotificationId,
    /// Where it went.
    pub destination: DestinationId,
    /// The provider's id for it; `None` when it has not gone out, and will not.
    pub provider_id: Option<String>,
    /// Its incident.
    pub incident: IncidentId,
    /// How often it was tried to change it, this time included.
    pub attempts: i32,
}

/// Takes some messages that do not show how their incident stands until `until`, for nobody else to change them meanwhile.
///
/// # Errors
/// When the database fails.
pub async fn claim_stale_messages(
    conn: &mut Connection,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<StaleMessage>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "WITH stale AS (
            SELECT m.notification_id, n.destination_id, CASE WHEN n.state = 2 THEN n.provider_id END AS provider_id
            FROM incident_messages m JOIN incidents i ON i.id = m.incident_id JOIN notifications n ON n.id = m.notification_id
            WHERE m.next_at <= $1 AND n.state > 1 AND (m.shown_state <> i.state OR m.shown_generation <> i.generation)
            ORDER BY m.next_at, m.notification_id LIMIT $3 FOR UPDATE OF m SKIP LOCKED)
         UPDATE incident_messages m SET next_at = $2, attempts = m.attempts + 1
         FROM stale WHERE stale.notification_id = m.notification_id
         RETURNING jsonb_build_object('notification', m.notification_id, 'destination', stale.destination_id,
            'provider_id', stale.provider_id, 'incident', m.incident_id, 'attempts', m.attempts) AS row",
    )
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(until)
    .bind::<Int8, _>(limit)
    .load(conn)
    .await?;
    row::all(rows)
}

/// A message shows that its incident stands so, in this generation. Of one that is over nothing is left to show.
///
/// # Errors
/// When the database fails.
pub async fn show_message(
    conn: &mut Connection,
    notification: NotificationId,
    (state, generation): (IncidentState, i32),
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    if state == IncidentState::Resolved {
        return forget_message(conn, notification).await;
    }
    statement(
        "UPDATE incident_messages SET shown_state = $2, shown_generation = $3, next_at = $4, attempts = 0
         WHERE notification_id = $1",
    )
    .bind::<Int8, _>(notification.0)
    .bind::<SmallInt, _>(state.code())
    .bind::<Int4, _>(generation)
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// It is tried again at that time to change a message.
///
/// # Errors
/// When the database fails.
pub async fn put_off_message(
    conn: &mut Connection,
    notification: NotificationId,
    until: DateTime<Utc>,
) -> Result<(), StoreError> {
    statement("UPDATE incident_messages SET next_at = $2 WHERE notification_id = $1")
        .bind::<Int8, _>(notification.0)
        .bind::<Timestamptz, _>(until)
        .execute(conn)
        .await?;
    Ok(())
}

/// A message stays as it is.
///
/// # Errors
/// When the database fails.
pub async fn forget_message(conn: &mut Connection, notification: NotificationId) -> Result<(), StoreError> {
    statement("DELETE FROM incident_messages WHERE notification_id = $1")
        .bind::<Int8, _>(notification.0)
        .execute(conn)
        .await?;
    Ok(())
}

/// What happened to an incident last, as far as its messages tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastEvent {
    /// What.
    pub event: IncidentEvent,
    /// Who did it; nobody when it came by itself.
    pub actor: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

/// What happened to an incident last.
///
/// # Errors
/// When the database fails.
pub async fn last_event(conn: &mut Connection, id: IncidentId) -> Result<Option<LastEvent>, StoreError> {
    #[derive(Deserialize)]
    struct Row {
        kind: i16,
        actor: Option<String>,
        at: DateTime<Utc>,
    }
    let rows: Vec<JsonRow> = statement(
        "SELECT to_jsonb(l) AS row FROM incident_log l WHERE incident_id = $1 AND kind = ANY($2) ORDER BY id DESC LIMIT 1",
    )
    .bind::<Int8, _>(id.0)
    .bind::<Array<SmallInt>, _>(TOLD.iter().map(|event| event.code()).collect::<Vec<_>>())
    .load(conn)
    .await?;
    let read = |row: Row| {
        let event = IncidentEvent::from_code(row.kind)?;
        Some(LastEvent { event, actor: row.actor, at: row.at })
    };
    Ok(row::first::<Row>(rows)?.and_then(read))
}

/// Holds an incident until the end of the caller's transaction, so that of two who answer at once the second sees what the first has
/// done. Nothing, when there is none.
///
/// # Errors
/// When the database fails.
pub async fn lock_incident(conn: &mut Connection, id: IncidentId) -> Result<(), StoreError> {
    statement("SELECT FROM incidents WHERE id = $1 FOR NO KEY UPDATE")
        .bind::<Int8, _>(id.0)
        .execute(conn)
        .await?;
    Ok(())
}
