//! The fetches of calendars that schedules follow. What is due is fetched by whoever has claimed it, outside of any transaction; what came of it is written
//! only if nobody has claimed or changed the subscription since.

use super::importing::{Before, PlannedImport, count_kept, plan_import, replace_imported};
use super::{lock_schedule, unknown_targets};
use crate::row::{self, JsonRow};
use crate::{Connection, StoreError, statement};
use bugle_model::{ScheduleId, TeamId, UserId};
use bugle_schedule::EscalationTarget;
use bugle_schedule::ical::{ImportPlan, Imported};
use bugle_schedule::limits::MAX_OVERRIDES;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{BigInt, Bool, Int4, Jsonb, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::Deserialize;
use std::collections::BTreeMap;

/// How long a calendar that says that it has not changed is taken at its word: who is of the team, and which days are near, changes without it.
const READ_AGAIN: TimeDelta = TimeDelta::hours(12);
/// How many overrides a calendar leaves to people; they may have made more.
const ROOM_BY_HAND: usize = 100;
/// Longest error, in characters.
const MAX_ERROR: usize = 300;
/// Longest version of a text that is kept, in bytes.
const MAX_ETAG: usize = 256;

/// A calendar that somebody has taken to fetch.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct DueSubscription {
    /// Of which schedule.
    pub schedule: ScheduleId,
    /// Whose that is.
    pub team: TeamId,
    /// What it is called.
    pub name: String,
    /// The IANA name of its zone.
    pub zone: String,
    /// Where the calendar is; a secret.
    pub url: String,
    /// What may be shown of that.
    pub host: String,
    /// The version of the text that was read last; `None` when it is to be read in any case.
    pub etag: Option<String>,
    /// Of this claim: whoever claims it later, or changes it, gives it another one, and what comes of this fetch is not taken.
    revision: i64,
    people: BTreeMap<String, UserId>,
    created_by: String,
}

impl std::fmt::Debug for DueSubscription {
    /// Without the address.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DueSubscription")
            .field("schedule", &self.schedule)
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

/// Takes up to `limit` calendars that are due; nobody else gets them before `lease_until`. One that was made by a newer version, or by hand, and cannot be
/// read is left out: it must not be in the way of the others.
///
/// # Errors
/// When the database fails.
pub async fn claim_subscriptions(
    conn: &mut Connection,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<DueSubscription>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "WITH due AS (
             SELECT schedule_id FROM schedule_subscriptions WHERE next_at <= $1
             ORDER BY next_at, schedule_id LIMIT $3 FOR UPDATE SKIP LOCKED)
         UPDATE schedule_subscriptions s SET next_at = $2, tried_at = $1, revision = DEFAULT FROM due, schedules c
         WHERE s.schedule_id = due.schedule_id AND c.id = s.schedule_id
         RETURNING jsonb_build_object('schedule', c.id, 'team', c.team_id, 'name', c.name, 'zone', c.zone, 'url', s.url,
             'host', s.host, 'etag', CASE WHEN s.imported_at > $4 THEN s.etag END, 'revision', s.revision,
             'people', s.people, 'created_by', s.created_by) AS row",
    )
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(lease_until)
    .bind::<BigInt, _>(limit)
    .bind::<Timestamptz, _>(now - READ_AGAIN)
    .load(conn)
    .await?;
    let readable = |row: JsonRow| match row.read::<DueSubscription>() {
        Ok(due) => Some(due),
        Err(error) => {
            tracing::warn!(%error, "a subscription of a calendar cannot be read: it is not fetched");
            None
        }
    };
    Ok(rows.into_iter().filter_map(readable).collect())
}

/// Writes down that a calendar is there and has not changed.
///
/// # Errors
/// When the database fails.
pub async fn note_unchanged(
    conn: &mut Connection,
    due: &DueSubscription,
    next_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    statement(
        "UPDATE schedule_subscriptions SET fetched_at = $3, failed_since = NULL, last_error = NULL, told_at = NULL, next_at = $4
         WHERE schedule_id = $1 AND revision = $2",
    )
    .bind::<Int4, _>(due.schedule.0)
    .bind::<BigInt, _>(due.revision)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(next_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// How long a calendar has not been there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Failing {
    /// Since when.
    pub since: DateTime<Utc>,
    /// When the team's managers were told last.
    pub told_at: Option<DateTime<Utc>>,
}

/// Writes down that a calendar could not be fetched or read, and why; 300 characters are kept. `None` when the claim
/// does not count any more.
///
/// # Errors
/// When the database fails.
pub async fn note_failure(
    conn: &mut Connection,
    due: &DueSubscription,
    error: &str,
    next_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Option<Failing>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "UPDATE schedule_subscriptions SET failed_since = COALESCE(failed_since, $3), last_error = $4, next_at = $5
         WHERE schedule_id = $1 AND revision = $2
         RETURNING jsonb_build_object('since', failed_since, 'told_at', told_at) AS row",
    )
    .bind::<Int4, _>(due.schedule.0)
    .bind::<BigInt, _>(due.revision)
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(error.chars().take(MAX_ERROR).collect::<String>())
    .bind::<Timestamptz, _>(next_at)
    .load(conn)
    .await?;
    row::first(rows)
}

/// Writes down that a team's managers are told of a calendar that cannot be fetched, in the transaction that tells them.
///
/// # Errors
/// When the database fails.
pub async fn note_told(
    conn: &mut Connection,
    schedule: ScheduleId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    statement("UPDATE schedule_subscriptions SET told_at = $2 WHERE schedule_id = $1")
        .bind::<Int4, _>(schedule.0)
        .bind::<Timestamptz, _>(now)
        .execute(conn)
        .await?;
    Ok(())
}

/// A calendar that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadCalendar {
    /// What takes place.
    pub imported: Imported,
    /// Until when.
    pub until: DateTime<Utc>,
    /// The version of the text.
    pub etag: Option<String>,
}

/// What came of a calendar that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Followed {
    /// Nothing: the claim does not count any more.
    Late,
    /// It says what it said before.
    Same,
    /// Overrides have changed.
    Changed,
    /// It has events, and nothing can be made of any: why. Overrides stay as they are.
    Unusable(String),
}

/// What an import before a subscription depends on.
#[derive(Clone, Copy, Deserialize)]
pub(super) struct Held {
    created_at: DateTime<Utc>,
    /// Its calendar has replaced what was imported before it.
    settled: bool,
}

impl Held {
    /// What becomes of what was imported before.
    pub(super) const fn before(self) -> Before {
        if self.settled { Before::Goes } else { Before::Stays { since: self.created_at } }
    }
}

/// Makes overrides of what a calendar says, as far as a schedule has room; those that lie furthest ahead wait. What was imported before the subscription
/// stays until the calendar names nobody unknown, or somebody has said who they are. Belongs into a transaction.
///
/// # Errors
/// When the database fails.
pub async fn follow_calendar(
    conn: &mut Connection,
    due: &DueSubscription,
    read: &ReadCalendar,
    next_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Followed, StoreError> {
    lock_schedule(conn, due.schedule).await?;
    let Some(held) = hold(conn, due).await? else { return Ok(Followed::Late) };
    let said = still_of_team(conn, due).await?;
    let planned = plan_import(conn, due.schedule, due.team, &read.imported, said, now).await?;
    let PlannedImport { mut plan, by_hand, .. } = planned;
    if let Some(why) = unusable(&plan) {
        note_left_out(conn, due, &plan, now).await?;
        return Ok(Followed::Unusable(why));
    }
    let settled = held.settled || plan.unknown.is_empty();
    let before = Held { settled, ..held }.before();
    let kept = match before {
        Before::Goes => 0,
        Before::Stays { .. } => count_kept(conn, due.schedule, before, now).await?,
    };
    let room = MAX_OVERRIDES.saturating_sub(by_hand.max(ROOM_BY_HAND) + kept);
    let waits = plan.overrides.get(room).map(|first| first.from);
    plan.overrides.truncate(room);
    let changed = replace_imported(conn, due.schedule, &plan.overrides, &due.created_by, before, now).await?;
    note_left_out(conn, due, &plan, now).await?;
    // What waits for room is looked at again although the calendar stays the same.
    let etag = read.etag.as_deref().filter(|etag| waits.is_none() && etag.len() <= MAX_ETAG);
    statement(
        "UPDATE schedule_subscriptions SET imported_at = CASE WHEN $7 THEN $2 END, etag = $3, taken_until = $4,
            changed_at = CASE WHEN $5 THEN $2 ELSE changed_at END, failed_since = NULL, last_error = NULL, told_at = NULL, next_at = $6
         WHERE schedule_id = $1",
    )
    .bind::<Int4, _>(due.schedule.0)
    .bind::<Timestamptz, _>(now)
    .bind::<Nullable<Text>, _>(etag)
    .bind::<Timestamptz, _>(waits.unwrap_or(read.until))
    .bind::<Bool, _>(changed)
    .bind::<Timestamptz, _>(next_at)
    .bind::<Bool, _>(settled)
    .execute(conn)
    .await?;
    Ok(if changed { Followed::Changed } else { Followed::Same })
}

/// Keeps others from the subscription until the transaction ends; `None` when the claim does not count any more.
async fn hold(conn: &mut Connection, due: &DueSubscription) -> Result<Option<Held>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT jsonb_build_object('created_at', created_at, 'settled', imported_at IS NOT NULL) AS row
         FROM schedule_subscriptions WHERE schedule_id = $1 AND revision = $2 FOR UPDATE",
    )
    .bind::<Int4, _>(due.schedule.0)
    .bind::<BigInt, _>(due.revision)
    .load(conn)
    .await?;
    row::first(rows)
}

/// Why nothing of a calendar can be used, if it has events and nothing can. What is left to people's own overrides is used.
fn unusable(plan: &ImportPlan) -> Option<String> {
    let (people, events) = (plan.unknown.len(), plan.problems.len());
    if !(plan.overrides.is_empty() && plan.conflicts.is_empty()) || people + events == 0 {
        return None;
    }
    let count = |number: usize, one: &str, many: &str| match number {
        1 => format!("1 {one}"),
        _ => format!("{number} {many}"),
    };
    Some(format!(
        "none of its events can be used: {} whom nobody knows, {} that cannot be read",
        count(people, "person", "people"),
        count(events, "event", "events")
    ))
}

/// Writes down that a calendar is there, and what of it is left out. It is read again, whether or not it changes, unless the caller says otherwise.
async fn note_left_out(
    conn: &mut Connection,
    due: &DueSubscription,
    plan: &ImportPlan,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let unknown =
        serde_json::to_value(&plan.unknown).map_err(|error| StoreError::Damaged(error.to_string()))?;
    statement(
        "UPDATE schedule_subscriptions SET fetched_at = $2, etag = NULL, unknown = $3, problems = $4 WHERE schedule_id = $1",
    )
    .bind::<Int4, _>(due.schedule.0)
    .bind::<Timestamptz, _>(now)
    .bind::<Jsonb, _>(unknown)
    .bind::<Int4, _>(i32::try_from(plan.problems.len()).unwrap_or(i32::MAX))
    .execute(conn)
    .await?;
    Ok(())
}

/// What is said of the calendar's names, without those who have left the team since.
async fn still_of_team(
    conn: &mut Connection,
    due: &DueSubscription,
) -> Result<BTreeMap<String, UserId>, StoreError> {
    let targets: Vec<_> = due.people.values().map(|user| EscalationTarget::Person { user: *user }).collect();
    let gone = unknown_targets(conn, due.team, &targets).await?;
    let mut said = due.people.clone();
    said.retain(|_, user| !gone.contains(&EscalationTarget::Person { user: *user }));
    Ok(said)
}
