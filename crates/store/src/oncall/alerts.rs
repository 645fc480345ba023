//! From alerts to incidents: one open incident per source and key, however often and by however many an alert is told. What a source
//! tells is not remembered when it is told again: an alert that fires and has no open incident opens one.

use super::alert_sources::AlertSource;
use super::log::{self, By, Entry};
use super::open::{self, OpenRow};
use super::room::Count;
use super::{act, pages, silencing};
use crate::{Connection, StoreError, statement};
use bugle_model::{Alert, IncidentEvent, IncidentId, IncidentOrigin, IncidentState, Priority};
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Int4, Int8, Jsonb, Nullable, SmallInt, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};

/// How many open incidents a source may have: a tool that has gone mad must not fill the database, nor anybody's phone.
pub const MAX_OPEN_OF_SOURCE: i64 = 1000;
/// How many alerts of one incident are on its timeline; further ones are counted.
const MAX_TOLD: i32 = 1000;
/// How often it is looked again when an incident ends while its alert is taken.
const TRIES: usize = 3;

/// What became of an alert that fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fired {
    /// An incident was opened.
    New(IncidentId),
    /// The open one has become more urgent.
    Raised(IncidentId),
    /// The open one knows of it; nobody is paged.
    Noted(IncidentId),
    /// Nothing: the source has [`MAX_OPEN_OF_SOURCE`] open incidents.
    Full,
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = Int8)]
    id: i64,
}

#[derive(QueryableByName)]
struct Told {
    #[diesel(embed)]
    open: OpenRow,
    #[diesel(sql_type = Int4)]
    alerts: i32,
}

/// Opens an incident for an alert that fires, or tells the open one. Composes with the caller's transaction. Due at once, unless
/// something keeps it silent.
///
/// # Errors
/// When the database fails; [`StoreError::is_conflict`] when the incident that is open ended each time it was looked for.
pub async fn fire_alert(
    conn: &mut Connection,
    source: &AlertSource,
    alert: &Alert,
    now: DateTime<Utc>,
) -> Result<Fired, StoreError> {
    let priority = alert.priority.unwrap_or(source.source.default_priority);
    for _ in 0..TRIES {
        // First: an insertion that waits for a merge of the open one would succeed after it.
        if let Some(told) = count(conn, source, &alert.key).await? {
            return tell_open(conn, source, &told, (&alert.title, priority), now).await;
        }
        if let Some(id) = insert(conn, source, alert, priority, now).await? {
            let data = json!({ "source": source.source.name, "priority": priority });
            tell(conn, (id, 1), IncidentEvent::Triggered, data, now).await?;
            silencing::quieten(conn, id, now).await?;
            return Ok(Fired::New(id));
        }
    }
    // Too many may be open, and what was in the way may have ended meanwhile.
    if is_full(conn, source).await? {
        Ok(Fired::Full)
    } else {
        Err(StoreError::Conflict("the incidents of an alert"))
    }
}

async fn is_full(conn: &mut Connection, source: &AlertSource) -> Result<bool, StoreError> {
    let open: Count = statement("SELECT count(*) AS count FROM incidents WHERE source_id = $1 AND state < 3")
        .bind::<Int4, _>(source.id.0)
        .get_result(conn)
        .await?;
    Ok(open.count >= MAX_OPEN_OF_SOURCE)
}

/// `None` when there is an open one, or one that became part of an open one, or there are too many.
async fn insert(
    conn: &mut Connection,
    source: &AlertSource,
    alert: &Alert,
    priority: Priority,
    now: DateTime<Utc>,
) -> Result<Option<IncidentId>, StoreError> {
    let made: Vec<Id> = statement(
        "INSERT INTO incidents (project_id, team_id, origin, source_id, opened_by, dedup_key, title, message, labels, links,
            environment, alerts, policy_version_id, priority, received_at, triggered_at, next_at, respond_by)
         SELECT p.id, CASE WHEN p.id IS NULL THEN s.team_id END, $2, s.id, s.name, $3, $4, $5, $6, $7, $8, 1,
            (SELECT v.id FROM escalation_policy_versions v WHERE v.policy_id = s.policy_id ORDER BY v.version DESC LIMIT 1),
            $9, $10, $10, $10, $10 + bugle_response_time(s.team_id, NULL, $9)
         FROM alert_sources s LEFT JOIN projects p ON p.id = s.project_id AND p.team_id = s.team_id
         WHERE s.id = $1
            AND (SELECT count(*) FROM incidents o WHERE o.source_id = s.id AND o.state < 3) < $11
            AND NOT EXISTS (SELECT 1 FROM incidents m JOIN incidents t ON t.id = m.merged_into
                WHERE m.source_id = s.id AND m.dedup_key = $3 AND t.state < 3)
         ON CONFLICT (source_id, dedup_key) WHERE state < 3 AND source_id IS NOT NULL DO NOTHING RETURNING id",
    )
    .bind::<Int4, _>(source.id.0)
    .bind::<SmallInt, _>(IncidentOrigin::Alert.code())
    .bind::<Text, _>(&alert.key)
    .bind::<Text, _>(&alert.title)
    .bind::<Nullable<Text>, _>(alert.message.as_deref())
    .bind::<Jsonb, _>(json!(alert.labels))
    .bind::<Jsonb, _>(json!(alert.links))
    .bind::<Nullable<Text>, _>(alert.environment())
    .bind::<SmallInt, _>(priority.code())
    .bind::<Timestamptz, _>(now)
    .bind::<Int8, _>(MAX_OPEN_OF_SOURCE)
    .load(conn)
    .await?;
    Ok(made.into_iter().next().map(|row| IncidentId(row.id)))
}

/// Locks the open incident of a key, or that which it became part of, and counts the alert. `None` also when the one that was found has
/// ended while the lock was waited for.
async fn count(conn: &mut Connection, source: &AlertSource, key: &str) -> Result<Option<Told>, StoreError> {
    let rows: Vec<Told> = statement(
        "UPDATE incidents SET alerts = alerts + 1
         WHERE state < 3 AND id = (
            SELECT t.id FROM incidents n JOIN incidents t ON t.id = COALESCE(n.merged_into, n.id)
            WHERE n.source_id = $1 AND n.dedup_key = $2 AND t.state < 3 ORDER BY t.id DESC LIMIT 1)
         RETURNING id, priority, state, generation, silenced_until IS NOT NULL AS is_silenced, alerts",
    )
    .bind::<Int4, _>(source.id.0)
    .bind::<Text, _>(key)
    .load(conn)
    .await?;
    Ok(rows.into_iter().next())
}

async fn tell_open(
    conn: &mut Connection,
    source: &AlertSource,
    told: &Told,
    alert: (&str, Priority),
    now: DateTime<Utc>,
) -> Result<Fired, StoreError> {
    let (title, priority) = alert;
    let id = IncidentId(told.open.id);
    if priority.code() > told.open.priority {
        open::raise(conn, &told.open, priority, now).await?;
        return Ok(Fired::Raised(id));
    }
    if told.alerts <= MAX_TOLD {
        let data = json!({ "source": source.source.name, "title": title, "priority": priority });
        tell(conn, (id, told.open.generation), IncidentEvent::Signal, data, now).await?;
    }
    Ok(Fired::Noted(id))
}

/// Ends the open incident of an alert that is over: nothing more of it leaves. Which; `None` when there is none. Composes with the
/// caller's transaction.
///
/// # Errors
/// When the database fails.
pub async fn end_alert(
    conn: &mut Connection,
    source: &AlertSource,
    key: &str,
    now: DateTime<Utc>,
) -> Result<Option<IncidentId>, StoreError> {
    #[derive(QueryableByName)]
    struct Ended {
        #[diesel(sql_type = Int8)]
        id: i64,
        #[diesel(sql_type = Int4)]
        generation: i32,
    }
    let ended: Vec<Ended> = statement(
        "UPDATE incidents SET state = $4, resolved_at = $3, next_at = NULL, raised_from = NULL, page_assignee = false,
            snoozed_until = NULL, silenced_until = NULL
         WHERE source_id = $1 AND dedup_key = $2 AND state < 3 RETURNING id, generation",
    )
    .bind::<Int4, _>(source.id.0)
    .bind::<Text, _>(key)
    .bind::<Timestamptz, _>(now)
    .bind::<SmallInt, _>(IncidentState::Resolved.code())
    .load(conn)
    .await?;
    let Some(row) = ended.into_iter().next() else {
        tell_part_ended(conn, source, key, now).await?;
        return Ok(None);
    };
    let id = IncidentId(row.id);
    let why = "the alert is over";
    pages::cancel(conn, &[id], why, now).await?;
    let data = json!({ "reason": why, "source": source.source.name });
    tell(conn, (id, row.generation), IncidentEvent::Resolved, data, now).await?;
    Ok(Some(id))
}

/// Of an alert whose incident became part of an open one the timeline of that one tells that it is over.
async fn tell_part_ended(
    conn: &mut Connection,
    source: &AlertSource,
    key: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let Some(told) = count(conn, source, key).await? else { return Ok(()) };
    if told.alerts > MAX_TOLD {
        return Ok(());
    }
    let data = json!({ "source": source.source.name, "title": key, "ended": true });
    tell(conn, (IncidentId(told.open.id), told.open.generation), IncidentEvent::Signal, data, now).await
}

/// Acknowledges the triggered incident of an alert that somebody deals with elsewhere. Which; `None` when there is none. Composes with
/// the caller's transaction.
///
/// # Errors
/// When the database fails.
pub async fn acknowledge_alert(
    conn: &mut Connection,
    source: &AlertSource,
    key: &str,
    now: DateTime<Utc>,
) -> Result<Option<IncidentId>, StoreError> {
    let open: Vec<Id> = statement(
        "SELECT id FROM incidents WHERE source_id = $1 AND dedup_key = $2 AND state = 1 FOR NO KEY UPDATE",
    )
    .bind::<Int4, _>(source.id.0)
    .bind::<Text, _>(key)
    .load(conn)
    .await?;
    let Some(id) = open.into_iter().next().map(|row| IncidentId(row.id)) else { return Ok(None) };
    let by = By { name: &source.source.name, channel: None };
    act::acknowledge(conn, id, by, now).await?;
    Ok(Some(id))
}

async fn tell(
    conn: &mut Connection,
    of: (IncidentId, i32),
    event: IncidentEvent,
    data: Value,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let (incident, generation) = of;
    log::write(conn, &[Entry { incident, generation, event, data }], None, now).await
}
