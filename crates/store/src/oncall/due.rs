//! Incidents that something is due of, and claiming them.

use super::silencing::{Silencing, SilentBy};
use crate::row::{self, JsonRow};
use crate::{Connection, StoreError, statement};
use bugle_model::{
    DestinationId, EscalationPolicyId, IncidentId, IncidentOrigin, IncidentState, IssueStatus,
    NotificationState, Priority, SilenceId, TeamId, UserId,
};
use bugle_schedule::EscalationPolicy;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Bool, Int8, SmallInt, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeSet;

/// An incident that something is due of.
#[derive(Debug, Clone, PartialEq)]
pub struct Due {
    /// Its id.
    pub id: IncidentId,
    /// The team that it is for; none: that of a project without a team.
    pub team: Option<TeamId>,
    /// Where it comes from.
    pub origin: IncidentOrigin,
    /// The issue's status now; `None` when the issue is gone, or there was none.
    pub issue: Option<IssueStatus>,
    /// Its priority.
    pub priority: Priority,
    /// The priority that those who were paged know of, when it has been raised since.
    pub raised_from: Option<Priority>,
    /// Where it stands; never resolved.
    pub state: IncidentState,
    /// Its generation.
    pub generation: i32,
    /// How often the policy was repeated.
    pub pass: i16,
    /// The step that comes next, from 0.
    pub step: i16,
    /// Whether this pass has paged anybody.
    pub pass_paged: bool,
    /// When the next step comes, or the acknowledgement ends.
    pub next_at: Option<DateTime<Utc>>,
    /// Whether the acknowledgement is somebody's wish to hear of it later.
    pub snoozed: bool,
    /// Nobody is paged for it because of something that kept it silent when it was looked at last.
    pub is_silenced: bool,
    /// Of one that is silenced: what that was, if it is there still.
    pub silenced_by: Option<SilentBy>,
    /// Of one that is silenced: what keeps it silent now.
    pub silencing: Option<Silencing>,
    /// Who is to be paged at once, because it was given to them.
    pub page_assignee: Option<UserId>,
    /// Who is to be paged at once, because they were asked to help.
    pub responders: BTreeSet<UserId>,
    /// By when somebody has to answer; none when there is no response time.
    pub respond_by: Option<DateTime<Utc>>,
    /// How long after it begins somebody has to answer, at its priority.
    pub response_time: Option<TimeDelta>,
    /// Its policy; none when that was removed.
    pub policy_id: Option<EscalationPolicyId>,
    /// The policy as it was at the beginning, without those who are not of the project's team any more.
    pub policy: EscalationPolicy,
    /// The steps that page nobody by design: they have only destinations.
    pub only_post: BTreeSet<i16>,
    /// When ingest accepted the event.
    pub received_at: DateTime<Utc>,
    /// Who was paged since the policy began at its first step.
    pub recipients: BTreeSet<UserId>,
    /// The steps of this pass that have come; see [`FiredStep`](super::decision::FiredStep).
    pub fired: BTreeSet<i16>,
    /// What steps have posted where since it was opened.
    pub posted: BTreeSet<(i16, DestinationId)>,
}

impl Due {
    /// Everybody whom it names by themselves.
    pub(super) fn people(&self) -> impl Iterator<Item = UserId> {
        self.recipients.iter().chain(&self.responders).copied().chain(self.page_assignee)
    }
}

#[derive(Deserialize)]
struct DueRow {
    id: IncidentId,
    team: Option<TeamId>,
    origin: i16,
    issue_status: Option<i16>,
    priority: i16,
    raised_from: Option<i16>,
    state: i16,
    generation: i32,
    pass: i16,
    step: i16,
    pass_paged: bool,
    next_at: Option<DateTime<Utc>>,
    snoozed: bool,
    silenced: bool,
    silence: Option<SilenceId>,
    inhibited_by: Option<IncidentId>,
    flaps: Option<bool>,
    page_assignee: Option<UserId>,
    responders: BTreeSet<UserId>,
    respond_by: Option<DateTime<Utc>>,
    response_minutes: Option<i64>,
    policy_id: Option<EscalationPolicyId>,
    policy: Value,
    received_at: DateTime<Utc>,
    recipients: BTreeSet<UserId>,
    fired: BTreeSet<i16>,
    posted: BTreeSet<(i16, DestinationId)>,
}

impl DueRow {
    fn silenced_by(&self) -> Option<SilentBy> {
        let by_incident = self.inhibited_by.map(SilentBy::Incident);
        let flaps = self.flaps.is_some_and(|flaps| flaps).then_some(SilentBy::Flapping);
        self.silence.map(SilentBy::Silence).or(by_incident).or(flaps)
    }

    fn read(self) -> Result<Due, StoreError> {
        let damaged = |field: &str| StoreError::Damaged(format!("incident {}: {field}", self.id));
        let silenced_by = self.silenced_by();
        let policy: EscalationPolicy = serde_json::from_value(self.policy).unwrap_or_else(|error| {
            // Nobody must wait for that: without steps the fallback is paged.
            tracing::error!(incident = %self.id, %error, "the policy of an incident cannot be read");
            EscalationPolicy::default()
        });
        Ok(Due {
            id: self.id,
            team: self.team,
            origin: IncidentOrigin::from_code(self.origin).ok_or_else(|| damaged("origin"))?,
            issue: self.issue_status.and_then(IssueStatus::from_code),
            priority: Priority::from_code(self.priority).ok_or_else(|| damaged("priority"))?,
            raised_from: self.raised_from.and_then(Priority::from_code),
            state: IncidentState::from_code(self.state).ok_or_else(|| damaged("state"))?,
            generation: self.generation,
            pass: self.pass,
            step: self.step,
            pass_paged: self.pass_paged,
            next_at: self.next_at,
            snoozed: self.snoozed,
            is_silenced: self.silenced,
            silenced_by,
            silencing: None,
            page_assignee: self.page_assignee,
            responders: self.responders,
            respond_by: self.respond_by,
            response_time: self.response_minutes.map(TimeDelta::minutes),
            policy_id: self.policy_id,
            only_post: (0..)
                .zip(&policy.steps)
                .filter(|(_, step)| step.only_posts())
                .map(|(index, _)| index)
                .collect(),
            policy,
            received_at: self.received_at,
            recipients: self.recipients,
            fired: self.fired,
            posted: self.posted,
        })
    }
}

/// Of how many times as many as are claimed the first is looked for: what other processes have claimed is among them.
const CANDIDATES: i64 = 2;
/// The same when these hold all of them.
const MANY_CANDIDATES: i64 = 20;

/// Claims up to `limit` of them, the weightiest first, and of those what waits for a person at once before the longest waiting; they are
/// locked.
///
/// # Errors
/// When the database fails.
pub(super) async fn claim(
    conn: &mut Connection,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Due>, StoreError> {
    let candidates = limit * CANDIDATES;
    let due = claim_among(conn, now, limit, candidates).await?;
    let is_full = i64::try_from(due.len()).is_ok_and(|count| count >= limit);
    if is_full || !more_come(conn, now, candidates).await? {
        return Ok(due);
    }
    // What was claimed already is among these: a transaction does not skip its own locks.
    claim_among(conn, now, limit, limit * MANY_CANDIDATES).await
}

/// Whether more than so many of one priority have come in time.
async fn more_come(conn: &mut Connection, now: DateTime<Utc>, candidates: i64) -> Result<bool, StoreError> {
    #[derive(QueryableByName)]
    struct More {
        #[diesel(sql_type = Bool)]
        more: bool,
    }
    let found: More = statement(
        "SELECT EXISTS (SELECT 1 FROM (VALUES (4::smallint), (3), (2), (1)) AS p (priority) CROSS JOIN LATERAL (
            SELECT i.id FROM incidents i WHERE i.priority = p.priority AND i.next_at <= $1 AND i.state < 3
            ORDER BY i.next_at, i.id LIMIT 1 OFFSET $2) d) AS more",
    )
    .bind::<Timestamptz, _>(now)
    .bind::<Int8, _>(candidates)
    .get_result(conn)
    .await?;
    Ok(found.more)
}

/// Claims of what has come in time, `candidates` of each priority, and of what is due for another reason.
async fn claim_among(
    conn: &mut Connection,
    now: DateTime<Utc>,
    limit: i64,
    candidates: i64,
) -> Result<Vec<Due>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        // Each kind of what may be due is read from an index of its own, and of what has come in time no more than is needed: for all
        // in one condition PostgreSQL reads every open incident. And what is read with an incident is read of those that are claimed only.
        "WITH w AS MATERIALIZED (
            SELECT d.id FROM (VALUES (4::smallint), (3), (2), (1)) AS p (priority) CROSS JOIN LATERAL (
                SELECT i.id FROM incidents i WHERE i.priority = p.priority AND i.next_at <= $1 AND i.state < 3
                ORDER BY i.next_at, i.id LIMIT $4) d
            UNION SELECT id FROM incidents WHERE (raised_from IS NOT NULL OR page_assignee) AND state < 3
            UNION SELECT id FROM incidents WHERE page_responders AND state < 3
            UNION SELECT id FROM incidents WHERE silenced_until IS NOT NULL AND silence_id IS NULL AND state = 1 AND inhibited_by IS NULL
                AND flapping_until IS DISTINCT FROM silenced_until),
         n AS MATERIALIZED (
            SELECT * FROM incidents
            WHERE id = ANY (ARRAY(SELECT id FROM w)) AND (next_at <= $1 OR raised_from IS NOT NULL OR page_assignee OR page_responders
               OR (silenced_until IS NOT NULL AND silence_id IS NULL AND state = 1 AND inhibited_by IS NULL
                  AND flapping_until IS DISTINCT FROM silenced_until)) AND state < 3
            ORDER BY priority DESC, CASE WHEN next_at <= $1 THEN next_at END NULLS FIRST, id LIMIT $2
            FOR NO KEY UPDATE SKIP LOCKED)
         SELECT jsonb_build_object('id', n.id, 'team', COALESCE(n.team_id, o.team_id), 'origin', n.origin, 'issue_status', i.status,
            'priority', n.priority,
            'raised_from', n.raised_from, 'state', n.state, 'generation', n.generation, 'pass', n.pass, 'step', n.step,
            'pass_paged', n.pass_paged, 'next_at', n.next_at, 'snoozed', n.snoozed_until IS NOT NULL,
            'silenced', n.state = 1 AND n.silenced_until IS NOT NULL, 'silence', n.silence_id, 'inhibited_by', n.inhibited_by,
            'flaps', n.flapping_until = n.silenced_until,
            'page_assignee', CASE WHEN n.page_assignee THEN n.assigned_user_id END, 'respond_by', n.respond_by,
            'response_minutes', (SELECT t.response_minutes[n.priority] FROM teams t WHERE t.id = COALESCE(n.team_id, o.team_id)),
            'policy_id', v.policy_id, 'policy', v.content,
            'received_at', n.received_at,
            'responders', ARRAY(SELECT r.user_id FROM incident_responders r WHERE r.incident_id = n.id AND r.waits),
            'recipients', ARRAY(SELECT DISTINCT unnest(s.recipients) FROM incident_steps s
                WHERE s.incident_id = n.id AND s.generation >= n.started_generation),
            'fired', ARRAY(SELECT s.step FROM incident_steps s
                WHERE s.incident_id = n.id AND s.generation >= n.started_generation AND s.pass = n.pass),
            'posted', ARRAY(SELECT jsonb_build_array(g.step, d.id) FROM incident_pages g JOIN notifications m ON m.id = g.notification_id
                JOIN destinations d ON d.id = m.destination_id AND d.project_id IS NOT NULL
                WHERE g.incident_id = n.id AND g.user_id IS NULL AND m.state <> $3)) AS row
         FROM n
         JOIN escalation_policy_versions v ON v.id = n.policy_version_id
         LEFT JOIN projects o ON o.id = n.project_id
         LEFT JOIN issues i ON i.id = n.issue_id
         ORDER BY n.priority DESC, CASE WHEN n.next_at <= $1 THEN n.next_at END NULLS FIRST, n.id",
    )
    .bind::<Timestamptz, _>(now)
    .bind::<Int8, _>(limit)
    .bind::<SmallInt, _>(NotificationState::Cancelled.code())
    .bind::<Int8, _>(candidates)
    .load(conn)
    .await?;
    row::all::<DueRow>(rows)?.into_iter().map(DueRow::read).collect()
}
