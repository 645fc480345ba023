//! Pages: notifications that belong to an incident.

use super::decision::{NewPage, RESPONDER_STEP};
use crate::{Connection, StoreError, statement};
use bugle_model::{IncidentId, NotificationState, SignalKind, UserId};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Bool, Int4, Int8, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;

/// Makes pages, due each at its time. One whose contact method or destination is gone meanwhile is left out.
pub(super) async fn insert(
    conn: &mut Connection,
    pages: &[(IncidentId, i32, NewPage)],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    if pages.is_empty() {
        return Ok(());
    }
    statement(
        // The ids are taken before, so that nothing has to find the pages that were made among those that were wanted.
        "WITH s AS MATERIALIZED (
            SELECT nextval('notifications_id_seq') AS id, s.*, i.project_id, i.priority, i.event_id, i.environment
            FROM UNNEST($1::uuid[], $2::bigint[], $3::int[], $4::smallint[], $5::smallint[], $6::int[], $7::int[],
                $8::timestamptz[], $9::timestamptz[], $12::timestamptz[], $13::bool[])
            AS s (message_id, incident_id, generation, pass, step, user_id, destination_id, due_at, received_at, held_from, digest)
            JOIN incidents i ON i.id = s.incident_id JOIN destinations d ON d.id = s.destination_id),
         made AS (
            INSERT INTO notifications (id, message_id, project_id, destination_id, kind, priority, event_id, environment,
                received_at, created_at, next_at)
            SELECT s.id, s.message_id, s.project_id, s.destination_id, $10, s.priority, s.event_id, s.environment,
                s.received_at, $11, s.due_at FROM s)
         INSERT INTO incident_pages (notification_id, incident_id, generation, pass, step, user_id, wanted_at, digest)
         SELECT s.id, s.incident_id, s.generation, s.pass, s.step, s.user_id, s.held_from, s.digest FROM s",
    )
    .bind::<Array<SqlUuid>, _>(pages.iter().map(|(.., page)| page.message_id).collect::<Vec<_>>())
    .bind::<Array<Int8>, _>(pages.iter().map(|(incident, ..)| incident.0).collect::<Vec<_>>())
    .bind::<Array<Int4>, _>(pages.iter().map(|(_, generation, _)| *generation).collect::<Vec<_>>())
    .bind::<Array<SmallInt>, _>(pages.iter().map(|(.., page)| page.pass).collect::<Vec<_>>())
    .bind::<Array<SmallInt>, _>(pages.iter().map(|(.., page)| page.step).collect::<Vec<_>>())
    .bind::<Array<Nullable<Int4>>, _>(pages.iter().map(|(.., page)| page.user.map(|user| user.0)).collect::<Vec<_>>())
    .bind::<Array<Int4>, _>(pages.iter().map(|(.., page)| page.destination.0).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(pages.iter().map(|(.., page)| page.due_at).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(pages.iter().map(|(.., page)| page.received_at).collect::<Vec<_>>())
    .bind::<SmallInt, _>(SignalKind::Page.code())
    .bind::<Timestamptz, _>(now)
    .bind::<Array<Nullable<Timestamptz>>, _>(pages.iter().map(|(.., page)| page.held_from).collect::<Vec<_>>())
    .bind::<Array<Bool>, _>(pages.iter().map(|(.., page)| page.is_digest).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// Has pages of some people that wait for the end of quiet hours leave when they would have left without.
pub(super) async fn release(
    conn: &mut Connection,
    incident: IncidentId,
    users: &[UserId],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    statement(
        "UPDATE notifications n SET next_at = greatest(p.wanted_at, $3)
         FROM incident_pages p
         WHERE p.incident_id = $1 AND p.user_id = ANY($2) AND p.wanted_at IS NOT NULL
           AND n.id = p.notification_id AND n.state = 0 AND n.attempts = 0",
    )
    .bind::<Int8, _>(incident.0)
    .bind::<Array<Int4>, _>(users.iter().map(|user| user.0).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// Cancels what has not left yet. What is on its way ends as it ends.
pub(super) async fn cancel(
    conn: &mut Connection,
    incidents: &[IncidentId],
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    cancel_but(conn, incidents, None, reason, now).await
}

/// The same, but not to those who were asked to help: they are told whoever answers.
pub(super) async fn cancel_policys(
    conn: &mut Connection,
    incident: IncidentId,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    cancel_but(conn, &[incident], Some(RESPONDER_STEP), reason, now).await
}

async fn cancel_but(
    conn: &mut Connection,
    incidents: &[IncidentId],
    spared_step: Option<i16>,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    if incidents.is_empty() {
        return Ok(());
    }
    statement(
        "UPDATE notifications n SET state = $2, error = $3, finished_at = $4, next_at = NULL
         FROM incident_pages p
         WHERE p.incident_id = ANY($1) AND n.id = p.notification_id AND n.state = 0 AND p.step IS DISTINCT FROM $5
            -- What tells of other incidents too is looked at when it leaves.
            AND NOT EXISTS (SELECT 1 FROM notifications b WHERE b.bundled_into = n.id)",
    )
    .bind::<Array<Int8>, _>(incidents.iter().map(|id| id.0).collect::<Vec<_>>())
    .bind::<SmallInt, _>(NotificationState::Cancelled.code())
    .bind::<Text, _>(reason)
    .bind::<Timestamptz, _>(now)
    .bind::<Nullable<SmallInt>, _>(spared_step)
    .execute(conn)
    .await?;
    Ok(())
}

/// Cancels what has not left yet to somebody. What is on its way ends as it ends.
pub(super) async fn cancel_of(
    conn: &mut Connection,
    incident: IncidentId,
    user: UserId,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    statement(
        "UPDATE notifications n SET state = $3, error = $4, finished_at = $5, next_at = NULL
         FROM incident_pages p
         WHERE p.incident_id = $1 AND p.user_id = $2 AND n.id = p.notification_id AND n.state = 0
            AND NOT EXISTS (SELECT 1 FROM notifications b WHERE b.bundled_into = n.id)",
    )
    .bind::<Int8, _>(incident.0)
    .bind::<Int4, _>(user.0)
    .bind::<SmallInt, _>(NotificationState::Cancelled.code())
    .bind::<Text, _>(reason)
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes pages that have not ended into the generation that their incident has now.
pub(super) async fn carry_over(conn: &mut Connection, incidents: &[IncidentId]) -> Result<(), StoreError> {
    if incidents.is_empty() {
        return Ok(());
    }
    statement(
        "UPDATE incident_pages p SET generation = i.generation FROM incidents i, notifications n
         WHERE p.incident_id = ANY($1) AND i.id = p.incident_id AND n.id = p.notification_id AND n.state IN (0, 1)",
    )
    .bind::<Array<Int8>, _>(incidents.iter().map(|id| id.0).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}
