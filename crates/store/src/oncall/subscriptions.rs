//! Schedules that follow a calendar at an address: which one, and how it goes with it.

use super::CalendarUrl;
use super::fetching::Held;
use super::importing::replace_imported;
use crate::row::{self, JsonRow};
use crate::{Connection, StoreError, statement};
use bugle_model::{ScheduleId, UserId};
use bugle_schedule::ical::UnknownPerson;
use chrono::{DateTime, Utc};
use diesel::sql_types::{Bool, Int4, Jsonb, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
            (SELECT count(*) FROM schedule_overrides o WHERE o.schedule_id = s.schedule_id AND o.imported AND o.ends_at > $2
                AND (s.imported_at IS NOT NULL OR o.created_at >= s.created_at))) AS row
         FROM schedule_subscriptions s WHERE schedule_id = $1",
    )
    .bind::<Int4, _>(schedule.0)
    .bind::<Timestamptz, _>(now)
    .load(conn)
    .await?;
    row::first(rows)
}

/// What a change of a subscription has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subscribed {
    /// Nothing: there is no address.
    Nothing,
    /// The schedule follows another address than before, if it followed one.
    Address,
    /// The address is the same.
    SameAddress,
}

/// Has a schedule follow a calendar, which is fetched at once; how it went with another one is forgotten, and who its people are is not. Without an address
/// only `people` change, and without `people` they stay. The caller holds the schedule.
///
/// # Errors
/// When the database fails.
pub async fn set_subscription(
    conn: &mut Connection,
    schedule: ScheduleId,
    url: Option<&CalendarUrl>,
    people: Option<&BTreeMap<String, UserId>>,
    created_by: &str,
    now: DateTime<Utc>,
) -> Result<Subscribed, StoreError> {
    let people = people.map(serde_json::to_value).transpose();
    let people = people.map_err(|error| StoreError::Damaged(error.to_string()))?;
    let moved = match url {
        Some(url) => set_address(conn, schedule, url, created_by, now).await?,
        None => false,
    };
    // Whoever says who is who of a calendar that was there knows whom it names.
    let settles = url.is_none() && people.is_some();
    let there = statement(
        "UPDATE schedule_subscriptions SET people = COALESCE($2, people), revision = DEFAULT, etag = NULL, next_at = $3,
            imported_at = CASE WHEN $4 THEN COALESCE(imported_at, fetched_at) ELSE imported_at END
         WHERE schedule_id = $1",
    )
    .bind::<Int4, _>(schedule.0)
    .bind::<Nullable<Jsonb>, _>(people)
    .bind::<Timestamptz, _>(now)
    .bind::<Bool, _>(settles)
    .execute(conn)
    .await?;
    Ok(match (there, moved) {
        (0, _) => Subscribed::Nothing,
        (_, true) => Subscribed::Address,
        (_, false) => Subscribed::SameAddress,
    })
}

/// Whether the address is another one.
async fn set_address(
    conn: &mut Connection,
    schedule: ScheduleId,
    url: &CalendarUrl,
    created_by: &str,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let moved = statement(
        "INSERT INTO schedule_subscriptions AS s (schedule_id, url, host, created_by, created_at, next_at)
         VALUES ($1, $2, $3, $4, $5, $5)
         ON CONFLICT (schedule_id) DO UPDATE SET url = EXCLUDED.url, host = EXCLUDED.host, created_by = EXCLUDED.created_by,
            created_at = EXCLUDED.created_at, tried_at = NULL, fetched_at = NULL, imported_at = NULL, changed_at = NULL,
            taken_until = NULL, failed_since = NULL, last_error = NULL, told_at = NULL, unknown = '[]', problems = 0
         WHERE s.url <> EXCLUDED.url",
    )
    .bind::<Int4, _>(schedule.0)
    .bind::<Text, _>(url.as_str())
    .bind::<Text, _>(url.host())
    .bind::<Text, _>(created_by.chars().take(128).collect::<String>())
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    Ok(moved == 1)
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
    let gone: Vec<JsonRow> = statement(
        "DELETE FROM schedule_subscriptions WHERE schedule_id = $1
         RETURNING jsonb_build_object('created_at', created_at, 'settled', imported_at IS NOT NULL) AS row",
    )
    .bind::<Int4, _>(schedule.0)
    .load(conn)
    .await?;
    let Some(gone) = row::first::<Held>(gone)? else { return Ok(false) };
    replace_imported(conn, schedule, &[], "", gone.before(), now).await?;
    Ok(true)
}

/// Has a calendar be fetched and read soon: now, or a minute after the last attempt. A fetch that runs does not count any more. Whether there is one.
///
/// # Errors
/// When the database fails.
pub async fn fetch_soon(
    conn: &mut Connection,
    schedule: ScheduleId,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let there = statement(
        "UPDATE schedule_subscriptions SET revision = DEFAULT, etag = NULL,
            next_at = LEAST(next_at, GREATEST($2, tried_at + interval '1 minute'))
         WHERE schedule_id = $1",
    )
    .bind::<Int4, _>(schedule.0)
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    Ok(there == 1)
}

/// Has the calendar that a schedule follows, if any, be read soon also if it has not changed, a minute after the last attempt at the earliest. Waits for a
/// fetch that is being recorded; one that runs does not count any more.
pub(super) async fn read_again(conn: &mut Connection, schedule: ScheduleId) -> Result<(), StoreError> {
    statement(
        "UPDATE schedule_subscriptions SET revision = DEFAULT, etag = NULL,
            next_at = LEAST(next_at, tried_at + interval '1 minute')
         WHERE schedule_id = $1",
    )
    .bind::<Int4, _>(schedule.0)
    .execute(conn)
    .await?;
    Ok(())
}
