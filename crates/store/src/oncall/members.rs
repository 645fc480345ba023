//! Whoever has left a team is told nothing more of what is the team's.

use super::work::Due;
use crate::row::{self, JsonRow};
use crate::{Connection, StoreError, statement};
use bugle_model::{EscalationTarget, NotificationState, ProjectId, ScheduleId, TeamId, UserId};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Int4, SmallInt, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Who and what a project's team has at this moment.
#[derive(Deserialize)]
struct OfProject {
    project: ProjectId,
    users: BTreeSet<UserId>,
    schedules: BTreeSet<ScheduleId>,
}

impl OfProject {
    fn has(&self, target: &EscalationTarget) -> bool {
        match target {
            EscalationTarget::Person { user } => self.users.contains(user),
            EscalationTarget::Schedule { schedule } => self.schedules.contains(schedule),
        }
    }
}

/// Takes people and schedules out of what is due that are not of the project's team, or not any more: a policy was made, and an incident
/// opened, at a time at which they were. A step without anybody is left out by whoever decides.
pub(super) async fn keep_members(conn: &mut Connection, due: &mut [Due]) -> Result<(), StoreError> {
    let projects: BTreeSet<i32> = due.iter().map(|one| one.project.0).collect();
    let rows: Vec<JsonRow> = statement(
        "SELECT jsonb_build_object('project', p.id,
            'users', ARRAY(SELECT m.user_id FROM memberships m WHERE m.team_id = p.team_id),
            'schedules', ARRAY(SELECT s.id FROM schedules s WHERE s.team_id = p.team_id)) AS row
         FROM projects p WHERE p.id = ANY($1)",
    )
    .bind::<Array<Int4>, _>(projects.into_iter().collect::<Vec<_>>())
    .load(conn)
    .await?;
    let teams: BTreeMap<ProjectId, OfProject> =
        row::all::<OfProject>(rows)?.into_iter().map(|one| (one.project, one)).collect();
    for one in due {
        let Some(team) = teams.get(&one.project) else { continue };
        for step in &mut one.policy.steps {
            step.targets.retain(|target| team.has(target));
        }
        one.policy.fallback.retain(|target| team.has(target));
        one.recipients.retain(|user| team.users.contains(user));
        one.page_assignee = one.page_assignee.filter(|user| team.users.contains(user));
    }
    Ok(())
}

/// Cancels what has not left yet of the pages of a team's incidents to somebody who leaves it. Composes with the caller's transaction.
///
/// # Errors
/// When the database fails.
pub async fn stop_paging(
    conn: &mut Connection,
    team: TeamId,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    statement(
        "UPDATE notifications n SET state = $3, error = $4, finished_at = $5, next_at = NULL
         FROM destinations d, projects p
         WHERE d.user_id = $1 AND n.destination_id = d.id AND n.state = 0 AND p.id = n.project_id AND p.team_id = $2",
    )
    .bind::<Int4, _>(user.0)
    .bind::<Int4, _>(team.0)
    .bind::<SmallInt, _>(NotificationState::Cancelled.code())
    .bind::<Text, _>("they have left the team")
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    Ok(())
}
