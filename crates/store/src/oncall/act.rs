//! What people do with an incident. Each is one conditional change: of two who act at once, the second sees what the first has done.

use super::log::{self, By, Entry};
use super::pages;
use super::read::{self, TimelineEntry};
use crate::row::JsonRow;
use crate::{Connection, StoreError, statement};
use bugle_model::{IncidentEvent, IncidentId, IncidentState, UserId};
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Int4, Int8, SmallInt, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acted {
    /// It was done.
    Done,
    /// Nothing: the incident stands where it does not apply. Where it stands.
    Not(IncidentState),
    /// There is no such incident.
    Missing,
}

#[derive(QueryableByName)]
pub(super) struct Changed {
    #[diesel(sql_type = Int4)]
    generation: i32,
}

#[derive(QueryableByName)]
struct StateRow {
    #[diesel(sql_type = SmallInt)]
    state: i16,
}

/// Writes down what was done; or finds out why it was not.
pub(super) async fn done(
    conn: &mut Connection,
    id: IncidentId,
    changed: Vec<Changed>,
    told: (IncidentEvent, Value, By<'_>),
    now: DateTime<Utc>,
) -> Result<Acted, StoreError> {
    let Some(changed) = changed.into_iter().next() else {
        let rows: Vec<StateRow> =
            statement("SELECT state FROM incidents WHERE id = $1").bind::<Int8, _>(id.0).load(conn).await?;
        let state = rows.into_iter().next().and_then(|row| IncidentState::from_code(row.state));
        return Ok(state.map_or(Acted::Missing, Acted::Not));
    };
    let (event, mut data, by) = told;
    if let (Some(channel), Some(data)) = (by.channel, data.as_object_mut()) {
        data.insert("channel".to_owned(), json!(channel));
    }
    let entry = Entry { incident: id, generation: changed.generation, event, data };
    log::write(conn, &[entry], Some(by.name), now).await?;
    Ok(Acted::Done)
}

pub(super) fn cut(actor: &str) -> String {
    actor.chars().take(128).collect()
}

/// Somebody deals with a triggered incident: nothing more of it leaves, but to those who were asked to help. It holds as long as the policy says. Composes with the
/// caller's transaction.
///
/// # Errors
/// When the database fails.
pub async fn acknowledge(
    conn: &mut Connection,
    id: IncidentId,
    by: impl Into<By<'_>>,
    now: DateTime<Utc>,
) -> Result<Acted, StoreError> {
    let by = by.into();
    let changed: Vec<Changed> = statement(
        "UPDATE incidents n SET state = 2, acknowledged_at = $2, acknowledged_by = $3, raised_from = NULL,
            page_assignee = false, silence_id = NULL, inhibited_by = NULL, silenced_until = NULL,
            next_at = $2 + make_interval(mins => (v.content ->> 'acknowledgement_timeout_minutes')::int)
         FROM escalation_policy_versions v
         WHERE n.id = $1 AND n.state = 1 AND v.id = n.policy_version_id RETURNING n.generation",
    )
    .bind::<Int8, _>(id.0)
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(cut(by.name))
    .load(conn)
    .await?;
    if !changed.is_empty() {
        pages::cancel_policys(conn, id, "the incident was acknowledged", now).await?;
    }
    done(conn, id, changed, (IncidentEvent::Acknowledged, json!({}), by), now).await
}

/// Ends an open incident: nothing more of it leaves. Composes with the caller's transaction.
///
/// # Errors
/// When the database fails.
pub async fn resolve(
    conn: &mut Connection,
    id: IncidentId,
    by: impl Into<By<'_>>,
    now: DateTime<Utc>,
) -> Result<Acted, StoreError> {
    let by = by.into();
    let changed: Vec<Changed> = statement(
        "UPDATE incidents SET state = 3, resolved_at = $2, resolved_by = $3, next_at = NULL, raised_from = NULL,
            page_assignee = false, snoozed_until = NULL, silenced_until = NULL
         WHERE id = $1 AND state < 3 RETURNING generation",
    )
    .bind::<Int8, _>(id.0)
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(cut(by.name))
    .load(conn)
    .await?;
    if !changed.is_empty() {
        pages::cancel(conn, &[id], "the incident was resolved", now).await?;
    }
    done(conn, id, changed, (IncidentEvent::Resolved, json!({}), by), now).await
}

/// Nobody deals with an acknowledged incident any more: its policy begins at the first step, in a new generation. Composes with the
/// caller's transaction.
///
/// # Errors
/// When the database fails.
pub async fn unacknowledge(
    conn: &mut Connection,
    id: IncidentId,
    by: impl Into<By<'_>>,
    now: DateTime<Utc>,
) -> Result<Acted, StoreError> {
    let by = by.into();
    let changed: Vec<Changed> = statement(
        "UPDATE incidents SET state = 1, generation = generation + 1, started_generation = generation + 1, pass = 0, step = 0,
            pass_paged = false, next_at = $2, acknowledged_at = NULL, acknowledged_by = NULL, snoozed_until = NULL,
            respond_by = $2 + bugle_response_time(team_id, project_id, priority)
         WHERE id = $1 AND state = 2 RETURNING generation",
    )
    .bind::<Int8, _>(id.0)
    .bind::<Timestamptz, _>(now)
    .load(conn)
    .await?;
    done(conn, id, changed, (IncidentEvent::Unacknowledged, json!({}), by), now).await
}

/// Puts an open incident off: nobody is paged until `until`; then its policy begins at the first step, in a new generation. Composes
/// with the caller's transaction.
///
/// # Errors
/// When the database fails.
pub async fn snooze(
    conn: &mut Connection,
    id: IncidentId,
    until: DateTime<Utc>,
    by: impl Into<By<'_>>,
    now: DateTime<Utc>,
) -> Result<Acted, StoreError> {
    let by = by.into();
    let changed: Vec<Changed> = statement(
        "UPDATE incidents SET state = 2, acknowledged_at = COALESCE(acknowledged_at, $2),
            acknowledged_by = COALESCE(acknowledged_by, $3), next_at = $4, snoozed_until = $4, raised_from = NULL,
            page_assignee = false, silence_id = NULL, inhibited_by = NULL, silenced_until = NULL
         WHERE id = $1 AND state < 3 RETURNING generation",
    )
    .bind::<Int8, _>(id.0)
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(cut(by.name))
    .bind::<Timestamptz, _>(until)
    .load(conn)
    .await?;
    if !changed.is_empty() {
        pages::cancel(conn, &[id], "the incident was snoozed", now).await?;
    }
    done(conn, id, changed, (IncidentEvent::Snoozed, json!({ "until": until }), by), now).await
}

/// Has the next step of an open incident come at once, in a new generation; after the last one the first. Who deals with it
/// does not any more. Composes with the caller's transaction.
///
/// # Errors
/// When the database fails.
pub async fn escalate(
    conn: &mut Connection,
    id: IncidentId,
    by: impl Into<By<'_>>,
    now: DateTime<Utc>,
) -> Result<Acted, StoreError> {
    let by = by.into();
    let changed: Vec<Changed> = statement(
        "UPDATE incidents n SET state = 1, generation = n.generation + 1, next_at = $2, acknowledged_at = NULL,
            acknowledged_by = NULL, snoozed_until = NULL, silence_id = NULL, inhibited_by = NULL, silenced_until = NULL,
            respond_by = CASE WHEN n.state = 2 OR n.silenced_until IS NOT NULL
                THEN $2 + bugle_response_time(n.team_id, n.project_id, n.priority) ELSE n.respond_by END,
            started_generation = CASE WHEN e.ended THEN n.generation + 1 ELSE n.started_generation END,
            pass = CASE WHEN e.ended THEN 0 ELSE n.pass END, step = CASE WHEN e.ended THEN 0 ELSE n.step END,
            pass_paged = n.pass_paged AND NOT e.ended
         FROM (SELECT i.id, i.step >= jsonb_array_length(v.content -> 'steps')
                AND i.pass >= COALESCE((v.content ->> 'repeat')::int, 0) AS ended
            FROM incidents i JOIN escalation_policy_versions v ON v.id = i.policy_version_id WHERE i.id = $1) e
         WHERE n.id = e.id AND n.state < 3 RETURNING n.generation",
    )
    .bind::<Int8, _>(id.0)
    .bind::<Timestamptz, _>(now)
    .load(conn)
    .await?;
    if !changed.is_empty() {
        // Those who were paged before go on being told by their later rules.
        pages::carry_over(conn, &[id]).await?;
    }
    done(conn, id, changed, (IncidentEvent::Escalated, json!({}), by), now).await
}

/// Gives an open incident to somebody, who is paged at once, in a new generation; nothing more leaves to others until the next
/// step comes. Composes with the caller's transaction.
///
/// # Errors
/// When the database fails; [`StoreError::is_missing_reference`] when there is no such person.
pub async fn reassign(
    conn: &mut Connection,
    id: IncidentId,
    to: (UserId, &str),
    by: impl Into<By<'_>>,
    now: DateTime<Utc>,
) -> Result<Acted, StoreError> {
    let by = by.into();
    let (user, name) = to;
    let changed: Vec<Changed> = statement(
        "UPDATE incidents SET state = 1, generation = generation + 1, next_at = $2, page_assignee = true,
            assigned_user_id = $3, acknowledged_at = NULL, acknowledged_by = NULL, snoozed_until = NULL,
            silence_id = NULL, inhibited_by = NULL, silenced_until = NULL,
            respond_by = CASE WHEN state = 2 OR silenced_until IS NOT NULL
                THEN $2 + bugle_response_time(team_id, project_id, priority) ELSE respond_by END
         WHERE id = $1 AND state < 3 RETURNING generation",
    )
    .bind::<Int8, _>(id.0)
    .bind::<Timestamptz, _>(now)
    .bind::<Int4, _>(user.0)
    .load(conn)
    .await?;
    if !changed.is_empty() {
        pages::cancel(conn, &[id], "the incident was given to somebody else", now).await?;
    }
    let data = json!({ "user": user, "name": name });
    done(conn, id, changed, (IncidentEvent::Reassigned, data, by), now).await
}

/// Writes something down, whatever the incident's state. `None` when there is no such incident.
///
/// # Errors
/// When the database fails.
pub async fn note(
    conn: &mut Connection,
    id: IncidentId,
    text: &str,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<Option<TimelineEntry>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "INSERT INTO incident_log AS l (incident_id, at, generation, kind, actor, data)
         SELECT id, $2, generation, $3, $4, jsonb_build_object('text', $5::text) FROM incidents WHERE id = $1
         RETURNING to_jsonb(l) AS row",
    )
    .bind::<Int8, _>(id.0)
    .bind::<Timestamptz, _>(now)
    .bind::<SmallInt, _>(IncidentEvent::Note.code())
    .bind::<Text, _>(cut(actor))
    .bind::<Text, _>(text)
    .load(conn)
    .await?;
    Ok(read::entries(rows)?.into_iter().next())
}
