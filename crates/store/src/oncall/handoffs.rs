//! What people are told of shifts: what they want, and what was told.

use super::swaps::Colleague;
use crate::row::{self, JsonRow};
use crate::{Connection, StoreError, statement};
use bugle_model::{ScheduleId, TeamId, TeamRole, UserId};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Bool, Int4, SmallInt, Timestamptz};
use diesel_async::RunQueryDsl;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How many hours before a shift begins one can be told.
pub const BEFORE_HOURS: [i16; 4] = [0, 1, 12, 24];

/// When a person is told of their shifts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HandoffSettings {
    /// So many hours before one begins; 0: when it does. None: not at all.
    pub before_hours: BTreeSet<i16>,
    /// When one ends.
    pub going_off: bool,
}

impl Default for HandoffSettings {
    fn default() -> Self {
        Self { before_hours: BTreeSet::from([0]), going_off: true }
    }
}

/// When a person is told of their shifts.
///
/// # Errors
/// When the database fails.
pub async fn handoff_settings(conn: &mut Connection, user: UserId) -> Result<HandoffSettings, StoreError> {
    let rows: Vec<JsonRow> =
        statement("SELECT to_jsonb(h) AS row FROM handoff_settings h WHERE user_id = $1")
            .bind::<Int4, _>(user.0)
            .load(conn)
            .await?;
    Ok(row::first(rows)?.unwrap_or_default())
}

/// Sets when a person is told; the hours are some of [`BEFORE_HOURS`].
///
/// # Errors
/// When the database fails, or refuses the hours.
pub async fn set_handoff_settings(
    conn: &mut Connection,
    user: UserId,
    settings: &HandoffSettings,
) -> Result<(), StoreError> {
    statement(
        "INSERT INTO handoff_settings (user_id, before_hours, going_off) VALUES ($1, $2, $3)
         ON CONFLICT (user_id) DO UPDATE SET before_hours = excluded.before_hours, going_off = excluded.going_off",
    )
    .bind::<Int4, _>(user.0)
    .bind::<Array<SmallInt>, _>(settings.before_hours.iter().copied().collect::<Vec<_>>())
    .bind::<Bool, _>(settings.going_off)
    .execute(conn)
    .await?;
    Ok(())
}

/// Somebody who can be on call for a team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Who.
    pub person: Colleague,
    /// What they want to be told of handoffs.
    pub settings: HandoffSettings,
    /// They manage the team.
    pub manages: bool,
}

/// Everybody who can be on call for a team.
pub type Listeners = BTreeMap<UserId, Listener>;

/// The people of each team who are not shut out.
///
/// # Errors
/// When the database fails.
pub async fn handoff_listeners(conn: &mut Connection) -> Result<BTreeMap<TeamId, Listeners>, StoreError> {
    #[derive(Deserialize)]
    struct Row {
        team: TeamId,
        person: Colleague,
        settings: Option<HandoffSettings>,
        role: TeamRole,
    }
    let rows: Vec<JsonRow> = statement(
        "SELECT jsonb_build_object('team', m.team_id, 'role', m.role, 'settings', to_jsonb(h),
            'person', jsonb_build_object('id', u.id, 'name', u.name, 'email', u.email, 'time_zone', u.time_zone)) AS row
         FROM memberships m JOIN users u ON u.id = m.user_id LEFT JOIN handoff_settings h ON h.user_id = u.id
         WHERE NOT u.disabled AND EXISTS (SELECT FROM schedules s WHERE s.team_id = m.team_id)",
    )
    .load(conn)
    .await?;
    let mut teams: BTreeMap<TeamId, Listeners> = BTreeMap::new();
    for Row { team, person, settings, role } in row::all(rows)? {
        let settings = settings.unwrap_or_default();
        let listener = Listener { person, settings, manages: role == TeamRole::Manager };
        teams.entry(team).or_default().insert(listener.person.id, listener);
    }
    Ok(teams)
}

/// What makes a notice one that is told once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct HandoffKey {
    /// Of which schedule.
    #[serde(rename = "schedule_id")]
    pub schedule: ScheduleId,
    /// Who is told.
    #[serde(rename = "user_id")]
    pub user: UserId,
    /// When their shift begins; of who goes off, when it ends.
    pub handoff_at: DateTime<Utc>,
    /// It ends.
    pub goes_off: bool,
    /// How many hours before.
    pub before_hours: i16,
}

/// What was told of handoffs at `since` or later.
///
/// # Errors
/// When the database fails.
pub async fn told_handoffs(
    conn: &mut Connection,
    since: DateTime<Utc>,
) -> Result<BTreeSet<HandoffKey>, StoreError> {
    let rows: Vec<JsonRow> =
        statement("SELECT to_jsonb(h) AS row FROM handoff_notices h WHERE handoff_at >= $1")
            .bind::<Timestamptz, _>(since)
            .load(conn)
            .await?;
    Ok(row::all(rows)?.into_iter().collect())
}

/// Writes down that a notice is told, in the transaction that tells it. Whether it was not told before; also `false` when schedule or person are
/// gone.
///
/// # Errors
/// When the database fails.
pub async fn note_handoff(
    conn: &mut Connection,
    key: &HandoffKey,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let made = statement(
        "INSERT INTO handoff_notices (schedule_id, user_id, handoff_at, goes_off, before_hours, told_at)
         SELECT s.id, u.id, $3, $4, $5, $6 FROM schedules s, users u WHERE s.id = $1 AND u.id = $2
         ON CONFLICT DO NOTHING",
    )
    .bind::<Int4, _>(key.schedule.0)
    .bind::<Int4, _>(key.user.0)
    .bind::<Timestamptz, _>(key.handoff_at)
    .bind::<Bool, _>(key.goes_off)
    .bind::<SmallInt, _>(key.before_hours)
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    Ok(made == 1)
}

/// Forgets what was told of handoffs before `until`.
///
/// # Errors
/// When the database fails.
pub async fn prune_handoffs(conn: &mut Connection, until: DateTime<Utc>) -> Result<(), StoreError> {
    statement("DELETE FROM handoff_notices WHERE handoff_at < $1")
        .bind::<Timestamptz, _>(until)
        .execute(conn)
        .await?;
    Ok(())
}

/// Writes down that a team's managers are told of a gap of a schedule, in the transaction that tells them. Whether they were not since `since`.
///
/// # Errors
/// When the database fails.
pub async fn note_gap(
    conn: &mut Connection,
    schedule: ScheduleId,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let noted = statement(
        "INSERT INTO gap_warnings AS g (schedule_id, told_at) SELECT id, $3 FROM schedules WHERE id = $1
         ON CONFLICT (schedule_id) DO UPDATE SET told_at = excluded.told_at WHERE g.told_at <= $2",
    )
    .bind::<Int4, _>(schedule.0)
    .bind::<Timestamptz, _>(since)
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    Ok(noted == 1)
}
