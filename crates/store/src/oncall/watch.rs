//! Whether what should have happened has happened. Each look reads a few rows by partial indexes, so that every process may look.

use super::log::{self, Entry};
use crate::row::{self, JsonRow};
use crate::{Connection, StoreError, statement};
use bugle_model::{IncidentEvent, IncidentId, NotificationState};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Int8, Nullable, SmallInt, Timestamptz};
use diesel_async::{AsyncConnection, RunQueryDsl};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::fmt;

/// How late something may be before it counts as overdue: the engine looks every second.
pub const OVERDUE_AFTER: TimeDelta = TimeDelta::minutes(2);

/// Incidents that are armed again in one transaction.
const BATCH: i64 = 250;

/// What the engine never leaves behind: an incident `n` that is triggered, and that nothing will ever come of. Both conditions on the
/// state: the first is that of the index.
macro_rules! unpaged {
    () => {
        "n.state < 3 AND n.state = 1 AND n.next_at IS NULL AND n.raised_from IS NULL AND NOT n.page_assignee
            AND n.triggered_at <= $1
            AND NOT EXISTS (SELECT 1 FROM incident_steps s WHERE s.incident_id = n.id AND s.generation >= n.started_generation)"
    };
}

/// How much is overdue, by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, QueryableByName)]
pub struct Overdue {
    /// Open incidents whose next step, or whatever else is due of them, has not come.
    #[diesel(sql_type = Int8)]
    pub steps: i64,
    /// Notifications and pages that nobody has taken, although their destination could be sent to, and is not.
    #[diesel(sql_type = Int8)]
    pub messages: i64,
    /// Notifications and pages that somebody took, and of which nothing was heard since.
    #[diesel(sql_type = Int8)]
    pub claims: i64,
    /// Triggered incidents that have no next step although their policy has paged nobody.
    #[diesel(sql_type = Int8)]
    pub unpaged: i64,
}

impl Overdue {
    /// Whether nothing is.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Each kind as metrics tell it, in the same order at all times.
    #[must_use]
    pub fn gauges(&self) -> [OverdueGauge; 4] {
        let kinds = [
            ("step", self.steps),
            ("message", self.messages),
            ("claim", self.claims),
            ("unpaged", self.unpaged),
        ];
        kinds.map(|(kind, value)| OverdueGauge {
            name: "bugle_oncall_overdue",
            help: "What should have happened more than two minutes ago and has not.",
            labels: [("kind", kind)],
            value,
        })
    }
}

/// A number of [`Overdue`], for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverdueGauge {
    /// What the metric is called; the same of all.
    pub name: &'static str,
    /// What it tells; the same of all.
    pub help: &'static str,
    /// What tells it from the others.
    pub labels: [(&'static str, &'static str); 1],
    /// How many.
    pub value: i64,
}

/// For people: `2 steps, 1 message`.
impl fmt::Display for Overdue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [
            (self.steps, "step"),
            (self.messages, "message"),
            (self.claims, "claim"),
            (self.unpaged, "unpaged incident"),
        ];
        let late = words.iter().filter(|(count, _)| *count > 0);
        let told: Vec<String> = late
            .map(|(count, word)| format!("{count} {word}{}", if *count == 1 { "" } else { "s" }))
            .collect();
        f.write_str(&told.join(", "))
    }
}

/// What has been overdue for more than [`OVERDUE_AFTER`].
///
/// # Errors
/// When the database fails.
pub async fn overdue(conn: &mut Connection, now: DateTime<Utc>) -> Result<Overdue, StoreError> {
    Ok(statement(concat!(
        // All priorities there are: by them incidents_due_by_priority is read, and not each open incident.
        // A destination that its circuit breaker or its pace holds back, or that is being sent to, is not forgotten.
        "WITH late AS (
            SELECT n.state FROM notifications n JOIN destinations d ON d.id = n.destination_id
            WHERE ((n.state = 0 AND n.next_at <= $1) OR (n.state = 1 AND n.lease_until <= $1))
               AND (NOT d.enabled OR d.open_until IS NULL OR d.open_until <= $1)
               AND d.id NOT IN (SELECT o.destination_id FROM notifications o WHERE o.state = 1 AND o.lease_until > $4))
         SELECT
            (SELECT count(*) FROM incidents WHERE priority IN (1, 2, 3, 4) AND next_at <= $1 AND state < 3)
          + (SELECT count(*) FROM incidents n WHERE (n.raised_from IS NOT NULL OR n.page_assignee OR n.page_responders) AND n.state < 3
                AND (SELECT max(l.at) FROM incident_log l WHERE l.incident_id = n.id AND l.kind IN ($2, $3, $5)) <= $1
                AND (n.next_at IS NULL OR n.next_at > $1)) AS steps,
            (SELECT count(*) FROM late WHERE state = 0) AS messages,
            (SELECT count(*) FROM late WHERE state = 1) AS claims,
            (SELECT count(*) FROM incidents n WHERE ",
        unpaged!(),
        ") AS unpaged",
    ))
    .bind::<Timestamptz, _>(now - OVERDUE_AFTER)
    .bind::<SmallInt, _>(IncidentEvent::PriorityRaised.code())
    .bind::<SmallInt, _>(IncidentEvent::Reassigned.code())
    .bind::<Timestamptz, _>(now)
    .bind::<SmallInt, _>(IncidentEvent::ResponderAdded.code())
    .get_result(conn)
    .await?)
}

#[derive(Deserialize)]
struct Armed {
    id: IncidentId,
    generation: i32,
}

/// Has the policy of incidents begin that have no next step although it has paged nobody. Several may ask at the same time: each is
/// armed once. Which.
///
/// # Errors
/// When the database fails; then none is armed.
pub async fn rearm(conn: &mut Connection, now: DateTime<Utc>) -> Result<Vec<IncidentId>, StoreError> {
    conn.transaction(async |conn| {
        let rows: Vec<JsonRow> = statement(concat!(
            "WITH lost AS (SELECT n.id FROM incidents n WHERE ",
            unpaged!(),
            " ORDER BY n.id LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED)
             UPDATE incidents n SET next_at = $2, pass = 0, step = 0, pass_paged = false
             FROM lost WHERE n.id = lost.id
             RETURNING jsonb_build_object('id', n.id, 'generation', n.generation) AS row",
        ))
        .bind::<Timestamptz, _>(now - OVERDUE_AFTER)
        .bind::<Timestamptz, _>(now)
        .bind::<Int8, _>(BATCH)
        .load(conn)
        .await?;
        let armed: Vec<Armed> = row::all(rows)?;
        let told: Vec<Entry> = armed
            .iter()
            .map(|one| Entry {
                incident: one.id,
                generation: one.generation,
                event: IncidentEvent::Rearmed,
                data: json!({}),
            })
            .collect();
        log::write(conn, &told, None, now).await?;
        Ok(armed.into_iter().map(|one| one.id).collect())
    })
    .await
}

/// How many notifiers work: those that have shown themselves since `since`, and have gone through what is due since then.
///
/// # Errors
/// When the database fails.
pub async fn working_notifiers(conn: &mut Connection, since: DateTime<Utc>) -> Result<i64, StoreError> {
    let counted: Counted = statement(
        "SELECT count(*) AS count FROM service_heartbeats
         WHERE service = 'notifier' AND seen_at >= $1 AND (state ->> 'last_round')::timestamptz >= $1",
    )
    .bind::<Timestamptz, _>(since)
    .get_result(conn)
    .await?;
    Ok(counted.count)
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = Int8)]
    count: i64,
}

#[derive(QueryableByName)]
struct LastRow {
    #[diesel(sql_type = Nullable<Timestamptz>)]
    last: Option<DateTime<Utc>>,
}

/// When a notification last went out; none when none of the latest thousand did.
///
/// # Errors
/// When the database fails.
pub async fn last_sent(connection: &mut Connection) -> Result<Option<DateTime<Utc>>, StoreError> {
    let row: LastRow = statement(
        "SELECT max(finished_at) AS last FROM (SELECT state, finished_at FROM notifications ORDER BY id DESC LIMIT 1000) n
         WHERE state = $1",
    )
    .bind::<SmallInt, _>(NotificationState::Sent.code())
    .get_result(connection)
    .await?;
    Ok(row.last)
}
