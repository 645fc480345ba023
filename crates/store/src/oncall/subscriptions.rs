//! Schedules that follow a calendar at an address. What is due is fetched by whoever has claimed it, outside of any transaction; what came of it is
//! written only if the subscription is still the one that was claimed.

use super::importing::{PlannedImport, plan_import, replace_imported};
use super::{CalendarUrl, lock_schedule, unknown_targets};
use crate::row::{self, JsonRow};
use crate::{Connection, StoreError, statement};
use bugle_model::{ScheduleId, TeamId, UserId};
use bugle_schedule::EscalationTarget;
use bugle_schedule::ical::{Imported, UnknownPerson};
use bugle_schedule::limits::MAX_OVERRIDES;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{BigInt, Bool, Int4, Jsonb, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How long a calendar that says that it has not changed is taken at its word: who is of the team, and which days are near, changes without it.
const READ_AGAIN: TimeDelta = TimeDelta::hours(12);
/// How many overrides a calendar leaves to people.
const ROOM_BY_HAND: usize = 100;
/// Longest error, in characters.
const MAX_ERROR: usize = 300;
/// Longest version of a text that is kept, in bytes.
const MAX_ETAG: usize = 256;

/// A calendar that a schedule follows, and how it goes with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CalendarSubscription")]
pub struct Subscription {
    /// Where the calendar is, such as `https://calendar.example/…`. The rest of its address is a secret, and never shown.
    pub host: String,
    /// Whose events are, by an attendee's address or the title as the calendar writes it.
    pub people: BTreeMap<String, UserId>,
    /// Who has given the address.
    pub created_by: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// When the calendar was there last; `null` before the first time.
    pub fetched_at: Option<DateTime<Utc>>,
    /// When it has changed overrides of the schedule last.
    pub changed_at: Option<DateTime<Utc>>,
    /// Until when its events were taken.
    pub taken_until: Option<DateTime<Utc>>,
    /// Since when it cannot be fetched or read; `null` when it can.
    pub failed_since: Option<DateTime<Utc>>,
    /// Why it could not the last time.
    pub last_error: Option<String>,
    /// How many overrides of it have not ended.
    pub overrides: i64,
    /// Whom it names and nobody knows; their events are left out. 100 at most.
    pub unknown: Vec<UnknownPerson>,
    /// How many of its events cannot be read; they are left out.
    pub problems: i64,
}

/// The calendar that a schedule follows, if any.
///
/// # Errors
/// When the database fails.
pub async fn get_subscription(
    conn: &mut Connection,
    schedule: ScheduleId,
    now: DateTime<Utc>,
) -> Result<Option<Subscription>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT to_jsonb(s) - 'url' - 'etag' || jsonb_build_object('overrides',
            (SELECT count(*) FROM schedule_overrides o WHERE o.schedule_id = s.schedule_id AND o.imported AND o.ends_at > $2)) AS row
         FROM schedule_subscriptions s WHERE schedule_id = $1",
    )
    .bind::<Int4, _>(schedule.0)
    .bind::<Timestamptz, _>(now)
    .load(conn)
    .await?;
    row::first(rows)
}

/// Has a schedule follow a calendar, which is fetched at once; what was known of another one is forgotten. Without an address only `people` change. Whether
/// there is an address now. The caller holds the schedule.
///
/// # Errors
/// When the database fails.
pub async fn set_subscription(
    conn: &mut Connection,
    schedule: ScheduleId,
    url: Option<&CalendarUrl>,
    people: &BTreeMap<String, UserId>,
    created_by: &str,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let people = serde_json::to_value(people).map_err(|error| StoreError::Damaged(error.to_string()))?;
    if let Some(url) = url {
        statement("DELETE FROM schedule_subscriptions WHERE schedule_id = $1 AND url <> $2")
            .bind::<Int4, _>(schedule.0)
            .bind::<Text, _>(url.as_str())
            .execute(conn)
            .await?;
        statement(
            "INSERT INTO schedule_subscriptions (schedule_id, url, host, created_by, created_at, next_at)
             VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT (schedule_id) DO NOTHING",
        )
        .bind::<Int4, _>(schedule.0)
        .bind::<Text, _>(url.as_str())
        .bind::<Text, _>(url.host())
        .bind::<Text, _>(created_by.chars().take(128).collect::<String>())
        .bind::<Timestamptz, _>(now)
        .execute(conn)
        .await?;
    }
    let there = statement(
        "UPDATE schedule_subscriptions SET people = $2, revision = DEFAULT, etag = NULL, next_at = $3 WHERE schedule_id = $1",
    )
    .bind::<Int4, _>(schedule.0)
    .bind::<Jsonb, _>(people)
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    Ok(there == 1)
}

/// Has a schedule follow no calendar any more: the overrides that it has made end. Whether it followed one. The caller holds the schedule.
///
/// # Errors
/// When the database fails.
pub async fn remove_subscription(
    conn: &mut Connection,
    schedule: ScheduleId,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let gone = statement("DELETE FROM schedule_subscriptions WHERE schedule_id = $1")
        .bind::<Int4, _>(schedule.0)
        .execute(conn)
        .await?;
    if gone == 1 {
        replace_imported(conn, schedule, &[], "", now).await?;
    }
    Ok(gone == 1)
}

/// Has a calendar be fetched and read soon: now, or a minute after the last attempt. Whether there is one.
///
/// # Errors
/// When the database fails.
pub async fn fetch_soon(
    conn: &mut Connection,
    schedule: ScheduleId,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let there = statement(
        "UPDATE schedule_subscriptions SET etag = NULL, next_at = LEAST(next_at, GREATEST($2, tried_at + interval '1 minute'))
         WHERE schedule_id = $1",
    )
    .bind::<Int4, _>(schedule.0)
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    Ok(there == 1)
}

/// Has the calendar that a schedule follows, if any, be read the next time also if it has not changed. Waits for a fetch that is being recorded.
pub(super) async fn read_again(conn: &mut Connection, schedule: ScheduleId) -> Result<(), StoreError> {
    statement("UPDATE schedule_subscriptions SET etag = NULL WHERE schedule_id = $1")
        .bind::<Int4, _>(schedule.0)
        .execute(conn)
        .await?;
    Ok(())
}

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

/// Takes up to `limit` calendars that are due; nobody else gets them before `lease_until`.
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
         UPDATE schedule_subscriptions s SET next_at = $2, tried_at = $1 FROM due, schedules c
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
    row::all(rows)
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
    /// The team's managers know.
    pub told: bool,
}

/// Writes down that a calendar could not be fetched or read, and why; 300 characters are kept. `None` when it was changed meanwhile.
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
         RETURNING jsonb_build_object('since', failed_since, 'told', told_at IS NOT NULL) AS row",
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

/// Makes overrides of what a calendar says, as far as a schedule has room; those that lie furthest ahead wait. Whether it has changed anything; not when
/// the subscription is another one meanwhile. Belongs into a transaction.
///
/// # Errors
/// When the database fails.
pub async fn follow_calendar(
    conn: &mut Connection,
    due: &DueSubscription,
    read: &ReadCalendar,
    next_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    lock_schedule(conn, due.schedule).await?;
    let held: Vec<JsonRow> = statement(
        "SELECT to_jsonb(revision) AS row FROM schedule_subscriptions WHERE schedule_id = $1 AND revision = $2 FOR UPDATE",
    )
    .bind::<Int4, _>(due.schedule.0)
    .bind::<BigInt, _>(due.revision)
    .load(conn)
    .await?;
    if held.is_empty() {
        return Ok(false);
    }
    let said = still_of_team(conn, due).await?;
    let planned = plan_import(conn, due.schedule, due.team, &read.imported, said, now).await?;
    let PlannedImport { mut plan, by_hand, .. } = planned;
    let room = MAX_OVERRIDES.saturating_sub(by_hand + ROOM_BY_HAND);
    let until = plan.overrides.get(room).map_or(read.until, |first| first.from);
    plan.overrides.truncate(room);
    let changed = replace_imported(conn, due.schedule, &plan.overrides, &due.created_by, now).await?;
    let unknown =
        serde_json::to_value(&plan.unknown).map_err(|error| StoreError::Damaged(error.to_string()))?;
    statement(
        "UPDATE schedule_subscriptions SET fetched_at = $2, imported_at = $2, etag = $3, taken_until = $4, unknown = $5, problems = $6,
            changed_at = CASE WHEN $7 THEN $2 ELSE changed_at END, failed_since = NULL, last_error = NULL, told_at = NULL, next_at = $8
         WHERE schedule_id = $1",
    )
    .bind::<Int4, _>(due.schedule.0)
    .bind::<Timestamptz, _>(now)
    .bind::<Nullable<Text>, _>(read.etag.as_deref().filter(|etag| etag.len() <= MAX_ETAG))
    .bind::<Timestamptz, _>(until)
    .bind::<Jsonb, _>(unknown)
    .bind::<Int4, _>(i32::try_from(plan.problems.len()).unwrap_or(i32::MAX))
    .bind::<Bool, _>(changed)
    .bind::<Timestamptz, _>(next_at)
    .execute(conn)
    .await?;
    Ok(changed)
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
