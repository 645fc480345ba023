//! From signals to incidents: one open incident per issue, however often and by however many a signal is taken.

use super::log::{self, Entry};
use super::silencing;
use crate::{Connection, StoreError, statement};
use bugle_model::{IncidentEvent, IncidentId, IncidentState, IssueId, Priority, RoutingRuleId, SignalKind};
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, Bool, Int4, Int8, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::json;
use std::collections::BTreeSet;
use uuid::Uuid;

/// How often it is looked again when an incident ends, or becomes part of another one, in the moment in which it is looked for.
const TRIES: usize = 3;

/// A signal about an issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// The issue.
    pub issue: IssueId,
    /// What happened to it.
    pub kind: SignalKind,
    /// The issue's generation.
    pub generation: i32,
    /// The issue's priority.
    pub priority: Priority,
    /// The event that caused it.
    pub event_id: Uuid,
    /// The event's environment.
    pub environment: Option<String>,
    /// When ingest accepted the event.
    pub received_at: DateTime<Utc>,
    /// The rule that it matches; none means: it only counts for an incident that is open.
    pub rule: Option<RoutingRuleId>,
}

/// What became of a [`Trigger`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened {
    /// An incident was opened.
    New(IncidentId),
    /// The open one has become more urgent.
    Raised(IncidentId),
    /// The open one knows of it; nobody is paged.
    Noted(IncidentId),
    /// Nothing: it was taken before, or there is nothing to open.
    Nothing,
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = Int8)]
    id: i64,
}

/// Which of some issues have an open incident, or one that became part of an open one.
///
/// # Errors
/// When the database fails.
pub async fn open_issues(conn: &mut Connection, issues: &[IssueId]) -> Result<BTreeSet<IssueId>, StoreError> {
    let rows: Vec<Id> = statement(
        "SELECT DISTINCT n.issue_id AS id FROM incidents n LEFT JOIN incidents t ON t.id = n.merged_into
             WHERE n.issue_id = ANY($1) AND LEAST(n.state, t.state) < 3",
    )
    .bind::<Array<Int8>, _>(issues.iter().map(|id| id.0).collect::<Vec<_>>())
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(|row| IssueId(row.id)).collect())
}

/// Opens an incident, or tells the open one. Composes with the caller's transaction. Due at once, unless something keeps it silent.
///
/// # Errors
/// When the database fails; [`StoreError::is_conflict`] when the incident that is open ended each time it was looked for.
pub async fn open(
    conn: &mut Connection,
    trigger: &Trigger,
    now: DateTime<Utc>,
) -> Result<Opened, StoreError> {
    let first = statement(
        "INSERT INTO incident_signals (issue_id, kind, generation)
         SELECT id, $2, $3 FROM issues WHERE id = $1 AND status = 0 ON CONFLICT DO NOTHING",
    )
    .bind::<Int8, _>(trigger.issue.0)
    .bind::<SmallInt, _>(trigger.kind.code())
    .bind::<Int4, _>(trigger.generation)
    .execute(conn)
    .await?;
    if first == 0 {
        return Ok(Opened::Nothing);
    }
    let opened = tell_or_open(conn, trigger, now).await?;
    if let Opened::New(id) | Opened::Raised(id) | Opened::Noted(id) = opened {
        statement(
            "UPDATE incident_signals SET incident_id = $4 WHERE issue_id = $1 AND kind = $2 AND generation = $3",
        )
        .bind::<Int8, _>(trigger.issue.0)
        .bind::<SmallInt, _>(trigger.kind.code())
        .bind::<Int4, _>(trigger.generation)
        .bind::<Int8, _>(id.0)
        .execute(conn)
        .await?;
    }
    Ok(opened)
}

/// Tells the open incident first, and opens one only when there is none: an insertion that waits for a merge of the open one would
/// succeed after it, next to the incident which that one became part of.
async fn tell_or_open(
    conn: &mut Connection,
    trigger: &Trigger,
    now: DateTime<Utc>,
) -> Result<Opened, StoreError> {
    for _ in 0..TRIES {
        if let Some(row) = hold_open(conn, trigger.issue).await? {
            return tell_open(conn, &row, trigger, now).await;
        }
        if let Some(id) = insert(conn, trigger, now).await? {
            let data = json!({ "signal": trigger.kind, "priority": trigger.priority });
            tell(conn, id, 1, IncidentEvent::Triggered, data, now).await?;
            silencing::quieten(conn, id, now).await?;
            return Ok(Opened::New(id));
        }
    }
    if trigger.rule.is_none() {
        return Ok(Opened::Nothing);
    }
    // That it was taken must not be kept: it would page nobody when it comes again.
    Err(StoreError::Conflict("the incidents of an issue"))
}

/// `None` when the issue has an open one, or one that became part of an open one, or no rule leads anywhere.
async fn insert(
    conn: &mut Connection,
    trigger: &Trigger,
    now: DateTime<Utc>,
) -> Result<Option<IncidentId>, StoreError> {
    let Some(rule) = trigger.rule else { return Ok(None) };
    // The newest version of the policy is the one that this incident keeps.
    let made: Vec<Id> = statement(
        "INSERT INTO incidents (project_id, issue_id, title, rule_id, policy_version_id, priority, event_id, environment,
            received_at, triggered_at, next_at, signal, respond_by)
         SELECT i.project_id, i.id, i.title, r.id,
            (SELECT v.id FROM escalation_policy_versions v WHERE v.policy_id = r.policy_id ORDER BY v.version DESC LIMIT 1),
            $3, $4, $5, $6, $7, $7, $8, $7 + bugle_response_time(NULL, i.project_id, $3)
         FROM issues i, routing_rules r WHERE i.id = $1 AND r.id = $2
            AND NOT EXISTS (SELECT 1 FROM incidents m JOIN incidents t ON t.id = m.merged_into
                WHERE m.issue_id = i.id AND t.state < 3)
         ON CONFLICT (issue_id) WHERE state < 3 DO NOTHING RETURNING id",
    )
    .bind::<Int8, _>(trigger.issue.0)
    .bind::<Int4, _>(rule.0)
    .bind::<SmallInt, _>(trigger.priority.code())
    .bind::<SqlUuid, _>(trigger.event_id)
    .bind::<Nullable<Text>, _>(trigger.environment.as_deref())
    .bind::<Timestamptz, _>(trigger.received_at)
    .bind::<Timestamptz, _>(now)
    .bind::<SmallInt, _>(trigger.kind.code())
    .load(conn)
    .await?;
    Ok(made.into_iter().next().map(|row| IncidentId(row.id)))
}

#[derive(QueryableByName)]
pub(super) struct OpenRow {
    #[diesel(sql_type = Int8)]
    pub id: i64,
    #[diesel(sql_type = SmallInt)]
    pub priority: i16,
    #[diesel(sql_type = SmallInt)]
    state: i16,
    #[diesel(sql_type = Int4)]
    pub generation: i32,
    #[diesel(sql_type = Bool)]
    is_silenced: bool,
}

/// Locks the open incident of an issue, or that which it became part of. `None` also when the one that was found has ended while the lock
/// was waited for: what is looked for then is what the snapshot shows, and which incident took its place only the next statement sees.
async fn hold_open(conn: &mut Connection, issue: IssueId) -> Result<Option<OpenRow>, StoreError> {
    let rows: Vec<OpenRow> = statement(
        "SELECT id, priority, state, generation, silenced_until IS NOT NULL AS is_silenced FROM incidents
         WHERE state < 3 AND id = (
            SELECT t.id FROM incidents n JOIN incidents t ON t.id = COALESCE(n.merged_into, n.id)
            WHERE n.issue_id = $1 AND t.state < 3 ORDER BY t.id DESC LIMIT 1)
         FOR NO KEY UPDATE",
    )
    .bind::<Int8, _>(issue.0)
    .load(conn)
    .await?;
    Ok(rows.into_iter().next())
}

async fn tell_open(
    conn: &mut Connection,
    row: &OpenRow,
    trigger: &Trigger,
    now: DateTime<Utc>,
) -> Result<Opened, StoreError> {
    let id = IncidentId(row.id);
    if trigger.priority.code() <= row.priority {
        let data = json!({ "signal": trigger.kind, "priority": trigger.priority });
        tell(conn, id, row.generation, IncidentEvent::Signal, data, now).await?;
        return Ok(Opened::Noted(id));
    }
    raise(conn, row, trigger.priority, now).await?;
    Ok(Opened::Raised(id))
}

/// Makes a locked incident more urgent. While somebody deals with it nobody else is paged for that; while it is silenced it is looked at
/// again at once, whether what keeps it silent does so at the higher priority too; that it flaps does not. Its response time is the
/// earlier of the old one and the new one's from now.
pub(super) async fn raise(
    conn: &mut Connection,
    row: &OpenRow,
    to: Priority,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    statement(
        "UPDATE incidents SET priority = $2,
            raised_from = CASE WHEN state = 1 AND silenced_until IS NULL THEN COALESCE(raised_from, priority) END,
            next_at = CASE WHEN state = 1 AND silenced_until IS NOT NULL THEN $3 ELSE next_at END, flapping_until = NULL,
            respond_by = LEAST(respond_by, $3 + bugle_response_time(team_id, project_id, $2))
         WHERE id = $1",
    )
    .bind::<Int8, _>(row.id)
    .bind::<SmallInt, _>(to.code())
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    let from = Priority::from_code(row.priority);
    let pages = row.state == IncidentState::Triggered.code() && !row.is_silenced;
    let data = json!({ "from": from, "to": to, "pages": pages });
    tell(conn, IncidentId(row.id), row.generation, IncidentEvent::PriorityRaised, data, now).await
}

#[derive(QueryableByName)]
struct Higher {
    #[diesel(embed)]
    open: OpenRow,
    #[diesel(sql_type = SmallInt)]
    to: i16,
}

/// Raises the open incidents of some issues, or those which these became part of, to the priority of their issue, where that is higher.
/// Whether it did.
pub(super) async fn raise_to_issues(
    conn: &mut Connection,
    issues: &[IssueId],
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let mut raised = false;
    for _ in 0..TRIES {
        let rows = hold_lower(conn, issues).await?;
        let (ended, open): (Vec<_>, Vec<_>) =
            rows.into_iter().partition(|row| row.open.state == IncidentState::Resolved.code());
        for Higher { open, to } in &open {
            if let Some(to) = Priority::from_code(*to) {
                raise(conn, open, to, now).await?;
                raised = true;
            }
        }
        if ended.is_empty() {
            break;
        }
    }
    Ok(raised)
}

/// Locks what is to be raised: of each issue the one that its signals are told to. What is open is asked of the snapshot only: one that has ended while its lock was waited for is given as well,
/// so that it is seen that another one may have taken its place.
async fn hold_lower(conn: &mut Connection, issues: &[IssueId]) -> Result<Vec<Higher>, StoreError> {
    let rows: Vec<Higher> = statement(
        "SELECT t.id, t.priority, t.state, t.generation, t.silenced_until IS NOT NULL AS is_silenced, w.priority AS to
         FROM incidents t JOIN (
            SELECT o.id, max(i.priority) AS priority FROM issues i CROSS JOIN LATERAL (
                SELECT p.id FROM incidents n JOIN incidents p ON p.id = COALESCE(n.merged_into, n.id)
                WHERE n.issue_id = i.id AND p.state < 3 ORDER BY p.id DESC LIMIT 1) o
            WHERE i.id = ANY($1) AND i.status = 0 GROUP BY o.id) w ON w.id = t.id
         WHERE w.priority > t.priority ORDER BY t.id FOR NO KEY UPDATE OF t",
    )
    .bind::<Array<Int8>, _>(issues.iter().map(|id| id.0).collect::<Vec<_>>())
    .load(conn)
    .await?;
    Ok(rows)
}

async fn tell(
    conn: &mut Connection,
    incident: IncidentId,
    generation: i32,
    event: IncidentEvent,
    data: serde_json::Value,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    log::write(conn, &[Entry { incident, generation, event, data }], None, now).await
}
