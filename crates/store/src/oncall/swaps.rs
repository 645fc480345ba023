//! Shifts that change hands by consent: somebody asks, a colleague takes.

use crate::row::{self, JsonRow};
use crate::{Connection, StoreError, statement};
use bugle_model::{ScheduleId, SwapId, SwapState, TeamId, UserId};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{BigInt, Int4, Nullable, SmallInt, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How often a person may ask within a day: each time the team gets mail.
pub const SWAPS_A_DAY: i64 = 20;
/// How many requests of a schedule are listed, the newest first.
const LISTED: i64 = 200;

/// Somebody's question who takes their shifts within a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Swap {
    /// Its id.
    pub id: SwapId,
    /// When it begins.
    pub start: DateTime<Utc>,
    /// When it ends.
    pub end: DateTime<Utc>,
    /// Whose shifts they are.
    pub asked_by: UserId,
    /// The only one who can take them; `null`: anybody of the team.
    pub with: Option<UserId>,
    /// Why; empty when nothing was said.
    pub note: String,
    /// Where it stands.
    pub state: SwapState,
    /// Who has taken them.
    pub taken_by: Option<UserId>,
    /// Those who have said no.
    pub declined_by: Vec<UserId>,
    /// When it was asked.
    pub created_at: DateTime<Utc>,
    /// When it was taken, declined by the last one or withdrawn.
    pub settled_at: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct Row {
    id: SwapId,
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    asked_by: UserId,
    asked_of: Option<UserId>,
    note: String,
    state: i16,
    taken_by: Option<UserId>,
    declined_by: Vec<UserId>,
    created_at: DateTime<Utc>,
    settled_at: Option<DateTime<Utc>>,
}

impl Row {
    fn read(self, now: DateTime<Utc>) -> Result<Swap, StoreError> {
        let state = match SwapState::from_code(self.state) {
            Some(SwapState::Open) if self.ends_at <= now => SwapState::PastDue,
            Some(state) => state,
            None => return Err(StoreError::Damaged(format!("a swap's state {}", self.state))),
        };
        Ok(Swap {
            id: self.id,
            start: self.starts_at,
            end: self.ends_at,
            asked_by: self.asked_by,
            with: self.asked_of,
            note: self.note,
            state,
            taken_by: self.taken_by,
            declined_by: self.declined_by,
            created_at: self.created_at,
            settled_at: self.settled_at,
        })
    }
}

/// A question to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSwap {
    /// Of which schedule.
    pub schedule: ScheduleId,
    /// Whose shifts they are.
    pub asked_by: UserId,
    /// The only one who can take them.
    pub with: Option<UserId>,
    /// When the time begins.
    pub start: DateTime<Utc>,
    /// When it ends; after `start`.
    pub end: DateTime<Utc>,
    /// Why; 500 characters at most.
    pub note: String,
}

fn read_one(rows: Vec<JsonRow>, now: DateTime<Utc>) -> Result<Option<Swap>, StoreError> {
    row::first::<Row>(rows)?.map(|row| row.read(now)).transpose()
}

/// From when on a person may ask again; `None`: at once. Holds the person until the end of the caller's transaction, so that two requests at once
/// are counted one after the other.
///
/// # Errors
/// When the database fails.
pub async fn next_swap_at(
    conn: &mut Connection,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    statement("SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE")
        .bind::<Int4, _>(user.0)
        .execute(conn)
        .await?;
    let day = TimeDelta::days(1);
    let rows: Vec<JsonRow> = statement(
        "SELECT to_jsonb(created_at) AS row FROM shift_swaps WHERE asked_by = $1 AND created_at > $2
         ORDER BY created_at DESC OFFSET $3 LIMIT 1",
    )
    .bind::<Int4, _>(user.0)
    .bind::<Timestamptz, _>(now - day)
    .bind::<BigInt, _>(SWAPS_A_DAY - 1)
    .load(conn)
    .await?;
    Ok(row::first::<DateTime<Utc>>(rows)?.map(|at| at + day))
}

/// Asks.
///
/// # Errors
/// When the database fails.
pub async fn create_swap(
    conn: &mut Connection,
    new: &NewSwap,
    now: DateTime<Utc>,
) -> Result<Swap, StoreError> {
    let row: JsonRow = statement(
        "INSERT INTO shift_swaps (schedule_id, asked_by, asked_of, starts_at, ends_at, note, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING to_jsonb(shift_swaps) AS row",
    )
    .bind::<Int4, _>(new.schedule.0)
    .bind::<Int4, _>(new.asked_by.0)
    .bind::<Nullable<Int4>, _>(new.with.map(|user| user.0))
    .bind::<Timestamptz, _>(new.start)
    .bind::<Timestamptz, _>(new.end)
    .bind::<Text, _>(&new.note)
    .bind::<Timestamptz, _>(now)
    .get_result(conn)
    .await?;
    row.read::<Row>()?.read(now)
}

/// The requests of a schedule whose time ends after `since`, the newest first; 200 at most.
///
/// # Errors
/// When the database fails.
pub async fn list_swaps(
    conn: &mut Connection,
    schedule: ScheduleId,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Vec<Swap>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT to_jsonb(s) AS row FROM shift_swaps s WHERE schedule_id = $1 AND ends_at > $2 ORDER BY id DESC LIMIT $3",
    )
    .bind::<Int4, _>(schedule.0)
    .bind::<Timestamptz, _>(since)
    .bind::<BigInt, _>(LISTED)
    .load(conn)
    .await?;
    row::all::<Row>(rows)?.into_iter().map(|row| row.read(now)).collect()
}

/// One request of a schedule; holds it until the end of the caller's transaction, so that of two who answer at once the second sees what the first
/// has said.
///
/// # Errors
/// When the database fails.
pub async fn lock_swap(
    conn: &mut Connection,
    schedule: ScheduleId,
    id: SwapId,
    now: DateTime<Utc>,
) -> Result<Option<Swap>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT to_jsonb(s) AS row FROM shift_swaps s WHERE id = $1 AND schedule_id = $2 FOR NO KEY UPDATE",
    )
    .bind::<Int4, _>(id.0)
    .bind::<Int4, _>(schedule.0)
    .load(conn)
    .await?;
    read_one(rows, now)
}

/// Ends a request that the caller holds and has found open: it is taken, or withdrawn.
///
/// # Errors
/// When the database fails.
pub async fn settle_swap(
    conn: &mut Connection,
    id: SwapId,
    state: SwapState,
    taken_by: Option<UserId>,
    now: DateTime<Utc>,
) -> Result<Swap, StoreError> {
    let row: JsonRow = statement(
        "UPDATE shift_swaps SET state = $2, taken_by = $3, settled_at = $4 WHERE id = $1
         RETURNING to_jsonb(shift_swaps) AS row",
    )
    .bind::<Int4, _>(id.0)
    .bind::<SmallInt, _>(state.code())
    .bind::<Nullable<Int4>, _>(taken_by.map(|user| user.0))
    .bind::<Timestamptz, _>(now)
    .get_result(conn)
    .await?;
    row.read::<Row>()?.read(now)
}

/// Writes down that somebody says no to a request that the caller holds and has found open. When nobody is left who could take it, it is declined.
///
/// # Errors
/// When the database fails.
pub async fn decline_swap(
    conn: &mut Connection,
    id: SwapId,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<Swap, StoreError> {
    let row: JsonRow = statement(
        "WITH asked AS (
            SELECT w.id, array_append(array_remove(w.declined_by, $2), $2) AS declined_by,
                w.asked_of = $2 OR NOT EXISTS (
                    SELECT FROM schedules s JOIN memberships m ON m.team_id = s.team_id JOIN users u ON u.id = m.user_id
                    WHERE s.id = w.schedule_id AND m.role <> 'viewer' AND NOT u.disabled AND u.id <> w.asked_by AND u.id <> $2
                        AND u.id <> ALL (w.declined_by)) AS is_over
            FROM shift_swaps w WHERE w.id = $1)
         UPDATE shift_swaps w SET declined_by = asked.declined_by,
            state = CASE WHEN asked.is_over THEN $3 ELSE w.state END,
            settled_at = CASE WHEN asked.is_over THEN $4 ELSE w.settled_at END
         FROM asked WHERE w.id = asked.id RETURNING to_jsonb(w) AS row",
    )
    .bind::<Int4, _>(id.0)
    .bind::<Int4, _>(user.0)
    .bind::<SmallInt, _>(SwapState::Declined.code())
    .bind::<Timestamptz, _>(now)
    .get_result(conn)
    .await?;
    row.read::<Row>()?.read(now)
}

/// Somebody of a team who can be on call and answer, and where mails about it go.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Colleague {
    /// Who.
    pub id: UserId,
    /// Their name.
    pub name: String,
    /// The address of their account.
    pub email: String,
    /// The IANA name of their zone.
    pub time_zone: String,
}

/// Everybody of a team who is not shut out, by id.
///
/// # Errors
/// When the database fails.
pub async fn colleagues(conn: &mut Connection, team: TeamId) -> Result<Vec<Colleague>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT jsonb_build_object('id', u.id, 'name', u.name, 'email', u.email, 'time_zone', u.time_zone) AS row
         FROM memberships m JOIN users u ON u.id = m.user_id WHERE m.team_id = $1 AND m.role <> 'viewer' AND NOT u.disabled ORDER BY u.id",
    )
    .bind::<Int4, _>(team.0)
    .load(conn)
    .await?;
    row::all(rows)
}
