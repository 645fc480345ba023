//! Schedules of teams, with what they say of now and of lately.

use crate::row::{self, JsonRow};
use crate::{Connection, Scope, StoreError, statement};
use bugle_model::{ScheduleId, TeamId, UserId};
use bugle_schedule::Schedule;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{Array, Int4, Nullable, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// From when until when.
type Span = (DateTime<Utc>, DateTime<Utc>);

/// A schedule of a team.
pub(super) struct TeamSchedule {
    pub id: ScheduleId,
    pub team: TeamId,
    pub name: String,
    schedule: Schedule,
    members: BTreeSet<UserId>,
}

#[derive(Deserialize)]
struct Row {
    id: ScheduleId,
    team: TeamId,
    name: String,
    schedule: Value,
    members: BTreeSet<UserId>,
}

/// The schedules of a scope, with the overrides that hold at some time within `from..=to`. One that cannot be read is left out.
pub(super) async fn schedules(
    connection: &mut Connection,
    scope: &Scope,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Result<Vec<TeamSchedule>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT jsonb_build_object('id', s.id, 'team', s.team_id, 'name', s.name,
            'members', ARRAY(SELECT m.user_id FROM memberships m WHERE m.team_id = s.team_id),
            'schedule', jsonb_build_object('zone', s.zone, 'layers', s.layers,
            'overrides', COALESCE((SELECT jsonb_agg(jsonb_build_object('from', o.starts_at, 'to', o.ends_at) || o.kind ORDER BY o.id)
                FROM schedule_overrides o WHERE o.schedule_id = s.id AND o.starts_at <= $3 AND o.ends_at > $2), '[]'))) AS row
         FROM schedules s WHERE $1 IS NULL OR s.team_id = ANY ($1) ORDER BY s.id",
    )
    .bind::<Nullable<Array<Int4>>, _>(scope.bind())
    .bind::<Timestamptz, _>(from)
    .bind::<Timestamptz, _>(to)
    .load(connection)
    .await?;
    let readable = |row: Row| match serde_json::from_value(row.schedule) {
        Ok(schedule) => {
            let Row { id, team, name, members, .. } = row;
            Some(TeamSchedule { id, team, name, schedule, members })
        }
        Err(error) => {
            tracing::error!(schedule = %row.id, %error, "a schedule cannot be read: nobody is on call by it");
            None
        }
    };
    Ok(row::all::<Row>(rows)?.into_iter().filter_map(readable).collect())
}

impl TeamSchedule {
    /// Who is on call by it. Whoever has left the team is not any more.
    pub(super) fn at(&self, now: DateTime<Utc>) -> Vec<UserId> {
        let everybody = self.schedule.on_call_at(now).into_iter().map(|one| one.who);
        everybody.filter(|who| self.members.contains(who)).collect()
    }
}

/// How many hours everybody was on call within `from..to`. An hour on call by two schedules is one.
pub(super) fn hours(
    schedules: &[TeamSchedule],
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> BTreeMap<UserId, f64> {
    let mut shifts: BTreeMap<UserId, Vec<Span>> = BTreeMap::new();
    for shift in schedules.iter().flat_map(|one| one.schedule.shifts(from, to)) {
        shifts.entry(shift.who).or_default().push((shift.start, shift.end));
    }
    let whole = |mut shifts: Vec<Span>| {
        shifts.sort_unstable();
        let (mut sum, mut counted) = (TimeDelta::zero(), from);
        for (start, end) in shifts {
            sum += (end - start.max(counted)).max(TimeDelta::zero());
            counted = counted.max(end);
        }
        (sum.as_seconds_f64() / 360.0).round() / 10.0
    };
    shifts.into_iter().map(|(who, shifts)| (who, whole(shifts))).collect()
}
