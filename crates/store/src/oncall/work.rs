//! What is due of incidents: claimed, decided by the caller, and written, all in one transaction.

use super::decision::{Decision, FiredStep, Pending};
use super::directory::{self, Directory};
use super::log::{self, Entry};
use super::silencing::{self, Silencing, SilentBy};
use super::turns::{self, Turns};
use super::{inhibitions, members, pages, responders};
use crate::row::{self, JsonRow};
use crate::{Connection, StoreError, statement};
use bugle_model::{
    DestinationId, EscalationPolicyId, IncidentId, IncidentOrigin, IncidentState, IssueStatus,
    NotificationState, Priority, SilenceId, TeamId, UserId,
};
use bugle_schedule::EscalationPolicy;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{Array, Bool, Int4, Int8, Nullable, SmallInt, Text, Timestamptz};
use diesel_async::{AsyncConnection, RunQueryDsl};
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
    /// The steps of this pass that have come; see [`FiredStep`].
    pub fired: BTreeSet<i16>,
    /// What steps have posted where since it was opened.
    pub posted: BTreeSet<(i16, DestinationId)>,
}

impl Due {
    /// Everybody whom it names by themselves.
    fn people(&self) -> impl Iterator<Item = UserId> {
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

/// Claims up to `limit` incidents that something is due of, the weightiest and longest waiting first, and does what `decide` says. What
/// another process holds is left to it. How many there were.
///
/// # Errors
/// When the database fails; then nothing was done.
pub async fn work<F>(
    conn: &mut Connection,
    now: DateTime<Utc>,
    limit: i64,
    decide: F,
) -> Result<usize, StoreError>
where
    F: Fn(&Due, &Directory) -> Decision + Send,
{
    conn.transaction(async move |conn| {
        inhibitions::release(conn, now, limit).await?;
        let mut due = claim(conn, now, limit).await?;
        if due.is_empty() {
            return Ok(0);
        }
        members::keep_members(conn, &mut due).await?;
        look_what_is_silent(conn, &mut due, now).await?;
        let targets = due.iter().flat_map(|one| one.policy.targets()).collect();
        let teams = due.iter().filter_map(|one| one.team).collect();
        let people = due.iter().flat_map(Due::people).collect();
        let mut directory = directory::load(conn, &targets, &teams, people, now).await?;
        directory.turns = turns::hold(conn, &due).await?;
        let mut passed = Turns::new();
        let mut decided = Vec::with_capacity(due.len());
        for one in &due {
            let decision = decide(one, &directory);
            // The next incident of this batch goes to whoever comes after.
            directory.turns.extend(&decision.turns);
            passed.extend(&decision.turns);
            decided.push((one.id, decision));
        }
        turns::pass(conn, &passed).await?;
        apply(conn, decided, now).await?;
        Ok(due.len())
    })
    .await
}

async fn look_what_is_silent(
    conn: &mut Connection,
    due: &mut [Due],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let silenced: Vec<IncidentId> = due.iter().filter(|one| one.is_silenced).map(|one| one.id).collect();
    let mut found = silencing::silencing(conn, &silenced, now).await?;
    for one in due {
        one.silencing = found.remove(&one.id);
    }
    Ok(())
}

async fn claim(conn: &mut Connection, now: DateTime<Utc>, limit: i64) -> Result<Vec<Due>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        // What is read with an incident is read of those that are claimed only, not of all that wait.
        "WITH n AS MATERIALIZED (
            SELECT * FROM incidents
            WHERE (next_at <= $1 OR raised_from IS NOT NULL OR page_assignee OR page_responders
               OR (silenced_until IS NOT NULL AND silence_id IS NULL AND state = 1 AND inhibited_by IS NULL
                  AND flapping_until IS DISTINCT FROM silenced_until)) AND state < 3
            ORDER BY priority DESC, next_at, id LIMIT $2
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
         ORDER BY n.priority DESC, n.next_at, n.id",
    )
    .bind::<Timestamptz, _>(now)
    .bind::<Int8, _>(limit)
    .bind::<SmallInt, _>(NotificationState::Cancelled.code())
    .load(conn)
    .await?;
    row::all::<DueRow>(rows)?.into_iter().map(DueRow::read).collect()
}

async fn apply(
    conn: &mut Connection,
    decided: Vec<(IncidentId, Decision)>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    update(conn, &decided, now).await?;
    responders::paged(conn, decided.iter().map(|(id, _)| *id)).await?;
    let carried: Vec<IncidentId> = decided
        .iter()
        .filter(|(_, decision)| decision.pending == Pending::CarryOver)
        .map(|(id, _)| *id)
        .collect();
    pages::carry_over(conn, &carried).await?;
    for (id, decision) in &decided {
        match decision.pending {
            // Who was asked to help is not paged again when the policy begins again.
            Pending::Cancel(reason) if decision.restarts => {
                pages::cancel_policys(conn, *id, reason, now).await?
            }
            Pending::Cancel(reason) => pages::cancel(conn, &[*id], reason, now).await?,
            Pending::Keep | Pending::CarryOver => {}
        }
    }
    for (id, decision) in decided.iter().filter(|(_, decision)| !decision.released.is_empty()) {
        pages::release(conn, *id, &decision.released, now).await?;
    }
    insert_steps(conn, &decided, now).await?;
    let entries: Vec<Entry> = decided
        .iter()
        .flat_map(|(id, decision)| {
            decision.log.iter().map(|entry| Entry {
                incident: *id,
                generation: decision.generation,
                event: entry.event,
                data: entry.data.clone(),
            })
        })
        .collect();
    log::write(conn, &entries, None, now).await?;
    let new: Vec<_> = decided
        .into_iter()
        .flat_map(|(id, decision)| {
            let generation = decision.generation;
            decision.pages.into_iter().map(move |page| (id, generation, page))
        })
        .collect();
    pages::insert(conn, &new, now).await
}

async fn update(
    conn: &mut Connection,
    decided: &[(IncidentId, Decision)],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    statement(
        "UPDATE incidents n SET state = s.state, generation = s.generation,
            started_generation = CASE WHEN s.restarts THEN s.generation ELSE n.started_generation END,
            pass = s.pass, step = s.step, pass_paged = s.pass_paged, next_at = s.next_at, respond_by = s.respond_by,
            raised_from = NULL, page_assignee = false, page_responders = false,
            acknowledged_at = CASE WHEN s.state <> 1 THEN n.acknowledged_at END,
            acknowledged_by = CASE WHEN s.state <> 1 THEN n.acknowledged_by END,
            snoozed_until = CASE WHEN s.state = 2 THEN n.snoozed_until END,
            resolved_at = CASE WHEN s.state = 3 THEN $9 END,
            silence_id = s.silence_id, inhibited_by = s.inhibited_by, silenced_until = CASE WHEN s.is_silenced THEN s.next_at END
         FROM UNNEST($1::bigint[], $2::smallint[], $3::int[], $4::bool[], $5::smallint[], $6::smallint[], $7::bool[],
            $8::timestamptz[], $10::int[], $11::bigint[], $12::bool[], $13::timestamptz[])
            AS s (id, state, generation, restarts, pass, step, pass_paged, next_at, silence_id, inhibited_by, is_silenced, respond_by)
         WHERE n.id = s.id",
    )
    .bind::<Array<Int8>, _>(decided.iter().map(|(id, _)| id.0).collect::<Vec<_>>())
    .bind::<Array<SmallInt>, _>(decided.iter().map(|(_, d)| d.state.code()).collect::<Vec<_>>())
    .bind::<Array<Int4>, _>(decided.iter().map(|(_, d)| d.generation).collect::<Vec<_>>())
    .bind::<Array<Bool>, _>(decided.iter().map(|(_, d)| d.restarts).collect::<Vec<_>>())
    .bind::<Array<SmallInt>, _>(decided.iter().map(|(_, d)| d.pass).collect::<Vec<_>>())
    .bind::<Array<SmallInt>, _>(decided.iter().map(|(_, d)| d.step).collect::<Vec<_>>())
    .bind::<Array<Bool>, _>(decided.iter().map(|(_, d)| d.pass_paged).collect::<Vec<_>>())
    .bind::<Array<Nullable<Timestamptz>>, _>(decided.iter().map(|(_, d)| d.next_at).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(now)
    .bind::<Array<Nullable<Int4>>, _>(
        decided.iter().map(|(_, d)| Some(d.silenced_by?.silence()?.0)).collect::<Vec<_>>(),
    )
    .bind::<Array<Nullable<Int8>>, _>(
        decided.iter().map(|(_, d)| Some(d.silenced_by?.incident()?.0)).collect::<Vec<_>>(),
    )
    .bind::<Array<Bool>, _>(decided.iter().map(|(_, d)| d.silenced_by.is_some()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Timestamptz>>, _>(decided.iter().map(|(_, d)| d.respond_by).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

async fn insert_steps(
    conn: &mut Connection,
    decided: &[(IncidentId, Decision)],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let fired: Vec<(IncidentId, i32, &FiredStep)> = decided
        .iter()
        .flat_map(|(id, decision)| decision.steps.iter().map(move |step| (*id, decision.generation, step)))
        .collect();
    if fired.is_empty() {
        return Ok(());
    }
    // An array of arrays of different lengths is none in SQL.
    let people = |step: &FiredStep| {
        let ids: Vec<String> = step.recipients.iter().map(ToString::to_string).collect();
        format!("{{{}}}", ids.join(","))
    };
    statement(
        "INSERT INTO incident_steps AS o (incident_id, generation, pass, step, recipients, fired_at)
         SELECT s.incident_id, s.generation, s.pass, s.step, s.recipients::int[], $6
         FROM UNNEST($1::bigint[], $2::int[], $3::smallint[], $4::smallint[], $5::text[])
            AS s (incident_id, generation, pass, step, recipients)
         ON CONFLICT (incident_id, generation, pass, step) DO UPDATE SET recipients = o.recipients || excluded.recipients",
    )
    .bind::<Array<Int8>, _>(fired.iter().map(|(id, ..)| id.0).collect::<Vec<_>>())
    .bind::<Array<Int4>, _>(fired.iter().map(|(_, generation, _)| *generation).collect::<Vec<_>>())
    .bind::<Array<SmallInt>, _>(fired.iter().map(|(.., step)| step.pass).collect::<Vec<_>>())
    .bind::<Array<SmallInt>, _>(fired.iter().map(|(.., step)| step.step).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(fired.iter().map(|(.., step)| people(step)).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    Ok(())
}
