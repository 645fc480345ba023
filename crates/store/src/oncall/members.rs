//! Whoever has left a team is told nothing more of what is the team's.

use super::due::Due;
use crate::row::{self, JsonRow};
use crate::{Connection, StoreError, statement};
use bugle_model::{DestinationId, NotificationState, ScheduleId, TeamId, UserId};
use bugle_schedule::EscalationTarget;
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Int4, SmallInt, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Who and what a team has at this moment.
#[derive(Default, Deserialize)]
struct OfTeam {
    team: Option<TeamId>,
    users: BTreeSet<UserId>,
    schedules: BTreeSet<ScheduleId>,
    destinations: BTreeSet<DestinationId>,
}

impl OfTeam {
    fn has(&self, target: &EscalationTarget) -> bool {
        match target {
            EscalationTarget::Person { user } => self.users.contains(user),
            EscalationTarget::Schedule { schedule } => self.schedules.contains(schedule),
            EscalationTarget::Team { team } => self.team == Some(*team),
            EscalationTarget::Destination { destination } => self.destinations.contains(destination),
        }
    }
}

/// Takes people, schedules and destinations out of what is due that are not of the incident's team, or not any more: a policy was made,
/// and an incident opened, at a time at which they were. A step without anybody is left out by whoever decides.
pub(super) async fn keep_members(conn: &mut Connection, due: &mut [Due]) -> Result<(), StoreError> {
    let teams: BTreeSet<i32> = due.iter().filter_map(|one| Some(one.team?.0)).collect();
    let targets = due.iter().flat_map(|one| one.policy.targets());
    let destinations: Vec<i32> = targets.filter_map(|target| Some(target.destination()?.0)).collect();
    let rows: Vec<JsonRow> = statement(
        "SELECT jsonb_build_object('team', t.id,
            'users', ARRAY(SELECT m.user_id FROM memberships m WHERE m.team_id = t.id),
            'schedules', ARRAY(SELECT s.id FROM schedules s WHERE s.team_id = t.id),
            'destinations', ARRAY(SELECT d.id FROM destinations d JOIN projects p ON p.id = d.project_id
                WHERE p.team_id = t.id AND d.id = ANY($2))) AS row
         FROM teams t WHERE t.id = ANY($1)",
    )
    .bind::<Array<Int4>, _>(teams.into_iter().collect::<Vec<_>>())
    .bind::<Array<Int4>, _>(destinations)
    .load(conn)
    .await?;
    let teams: BTreeMap<Option<TeamId>, OfTeam> =
        row::all::<OfTeam>(rows)?.into_iter().map(|one| (one.team, one)).collect();
    // A project without a team has nobody.
    let nobody = OfTeam::default();
    for one in due {
        let team = teams.get(&one.team).unwrap_or(&nobody);
        for step in &mut one.policy.steps {
            step.targets.retain(|target| team.has(target));
        }
        one.policy.fallback.retain(|target| team.has(target));
        one.recipients.retain(|user| team.users.contains(user));
        one.responders.retain(|user| team.users.contains(user));
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
         FROM destinations d
         WHERE d.user_id = $1 AND n.destination_id = d.id AND n.state = 0
            -- What tells of other teams' incidents too is looked at when it leaves.
            AND NOT EXISTS (SELECT 1 FROM notifications b WHERE b.bundled_into = n.id)
            AND (EXISTS (SELECT 1 FROM projects p WHERE p.id = n.project_id AND p.team_id = $2)
                OR EXISTS (SELECT 1 FROM incident_pages g JOIN incidents i ON i.id = g.incident_id
                    WHERE g.notification_id = n.id AND i.team_id = $2))",
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
