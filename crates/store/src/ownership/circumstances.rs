//! What is decided by, besides rules and event: people, who is on call, where incidents go.

use super::on_call::{TeamSchedule, schedules};
use super::workload::{ON_CALL_DAYS, workload_with};
use crate::row::{self, JsonRow};
use crate::{Connection, Scope, StoreError, oncall, statement};
use bugle_model::{Priority, ProjectId, ScheduleId, SignalKind, TeamId, UserId};
use bugle_ownership::{Candidate, Circumstances, OnCall, Route};
use bugle_schedule::EscalationTarget;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{Int4, Nullable};
use diesel_async::RunQueryDsl;
use std::collections::BTreeMap;

/// An issue, or what would be one: its project, whose that is, and what routing rules look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About<'a> {
    /// The project.
    pub project: ProjectId,
    /// The team that owns it.
    pub team: Option<TeamId>,
    /// What has happened.
    pub kind: SignalKind,
    /// The priority.
    pub priority: Priority,
    /// The environment of the event.
    pub environment: Option<&'a str>,
    /// The tags of the event.
    pub tags: &'a BTreeMap<String, String>,
}

/// Loads what is decided by at this moment; a handful of statements. What people have to do counts whatever team it is of.
///
/// # Errors
/// When the database fails, or holds what cannot be read.
pub async fn circumstances(
    connection: &mut Connection,
    about: About<'_>,
    now: DateTime<Utc>,
) -> Result<Circumstances, StoreError> {
    let all = schedules(connection, &Scope::All, now - TimeDelta::days(ON_CALL_DAYS), now).await?;
    let people = people(connection, about.team, &all, now).await?;
    let of_team = all.iter().filter(|schedule| about.team.is_some_and(|team| schedule.team == team));
    let on_call = of_team
        .map(|schedule| (schedule.id, OnCall { name: schedule.name.clone(), users: schedule.at(now) }))
        .collect();
    let teams = teams(connection).await?;
    let route = route(connection, about).await?;
    Ok(Circumstances { people, on_call, teams, route })
}

/// Whoever sees what is the team's.
async fn people(
    connection: &mut Connection,
    team: Option<TeamId>,
    schedules: &[TeamSchedule],
    now: DateTime<Utc>,
) -> Result<BTreeMap<UserId, Candidate>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT jsonb_build_array(u.id, m.role IS NOT NULL AND m.role <> 'viewer') AS row
         FROM users u LEFT JOIN memberships m ON m.user_id = u.id AND m.team_id = $1
         WHERE NOT u.disabled AND (u.role IN ('admin', 'owner') OR m.role IS NOT NULL)",
    )
    .bind::<Nullable<Int4>, _>(team.map(|team| team.0))
    .load(connection)
    .await?;
    let works: BTreeMap<UserId, bool> = row::all::<(UserId, bool)>(rows)?.into_iter().collect();
    let ids: Vec<UserId> = works.keys().copied().collect();
    let loads = workload_with(connection, &ids, &Scope::All, schedules, now).await?;
    let candidate = |load: super::Workload| Candidate {
        id: load.user,
        open: load.open(),
        weight: load.weight(),
        works: works.get(&load.user).copied().unwrap_or_default(),
        availability: load.availability,
        name: load.name,
    };
    Ok(loads.into_iter().map(candidate).map(|one| (one.id, one)).collect())
}

async fn teams(connection: &mut Connection) -> Result<BTreeMap<TeamId, String>, StoreError> {
    let rows: Vec<JsonRow> =
        statement("SELECT jsonb_build_array(id, name) AS row FROM teams").load(connection).await?;
    Ok(row::all::<(TeamId, String)>(rows)?.into_iter().collect())
}

/// The first schedule of the policy by which an incident about this escalates; where it would open none, of that of the project's first rule.
async fn route(connection: &mut Connection, about: About<'_>) -> Result<Option<Route>, StoreError> {
    let About { project, kind, priority, environment, tags, .. } = about;
    let rules = oncall::rules_of_projects(connection, &[project.0]).await?;
    let matching = rules.iter().find(|(_, one)| one.rule.matches(project, kind, priority, environment, tags));
    let Some((_, rule)) = matching.or_else(|| rules.as_slice().first()) else { return Ok(None) };
    let Some(policy) = oncall::get_policy(connection, &Scope::All, rule.rule.policy).await? else {
        return Ok(None);
    };
    let targets = policy.content.steps.iter().flat_map(|step| &step.targets);
    let mut schedules = targets.filter_map(|target| match target {
        EscalationTarget::Schedule { schedule } => Some(*schedule),
        EscalationTarget::Person { .. }
        | EscalationTarget::Team { .. }
        | EscalationTarget::Destination { .. } => None,
    });
    let first: Option<ScheduleId> = schedules.next();
    Ok(first.map(|schedule| Route { policy: policy.name.clone(), schedule }))
}
