//! Secret links by which calendar programs read a schedule.

use crate::row::{self, JsonRow};
use crate::{Connection, StoreError, statement};
use bugle_model::{ScheduleId, UserId};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Binary, Bool, Int4, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::Deserialize;

/// What a link shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct ScheduleFeed {
    /// Of which schedule.
    #[serde(rename = "schedule_id")]
    pub schedule: ScheduleId,
    /// Whose link it is.
    #[serde(rename = "user_id")]
    pub user: UserId,
    /// Only that person's shifts.
    pub only_mine: bool,
}

/// What somebody is called, and where they live.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Named {
    /// Who.
    pub id: UserId,
    /// Their name.
    pub name: String,
    /// The IANA name of their zone.
    pub time_zone: String,
}

/// Makes a link under the hash of a secret; the person's link of before does not work any more.
///
/// # Errors
/// When the database fails.
pub async fn set_feed(
    conn: &mut Connection,
    feed: ScheduleFeed,
    token_hash: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    statement(
        "INSERT INTO schedule_feeds (schedule_id, user_id, token_hash, only_mine, created_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (schedule_id, user_id) DO UPDATE SET token_hash = excluded.token_hash,
            only_mine = excluded.only_mine, created_at = excluded.created_at",
    )
    .bind::<Int4, _>(feed.schedule.0)
    .bind::<Int4, _>(feed.user.0)
    .bind::<Binary, _>(token_hash.as_slice())
    .bind::<Bool, _>(feed.only_mine)
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends a person's link. Whether there was one.
///
/// # Errors
/// When the database fails.
pub async fn remove_feed(
    conn: &mut Connection,
    schedule: ScheduleId,
    user: UserId,
) -> Result<bool, StoreError> {
    let gone = statement("DELETE FROM schedule_feeds WHERE schedule_id = $1 AND user_id = $2")
        .bind::<Int4, _>(schedule.0)
        .bind::<Int4, _>(user.0)
        .execute(conn)
        .await?;
    Ok(gone == 1)
}

/// What a secret shows.
///
/// # Errors
/// When the database fails.
pub async fn find_feed(
    conn: &mut Connection,
    token_hash: &[u8; 32],
) -> Result<Option<ScheduleFeed>, StoreError> {
    let rows: Vec<JsonRow> =
        statement("SELECT to_jsonb(f) - 'token_hash' AS row FROM schedule_feeds f WHERE token_hash = $1")
            .bind::<Binary, _>(token_hash.as_slice())
            .load(conn)
            .await?;
    row::first(rows)
}

/// What some people are called.
///
/// # Errors
/// When the database fails.
pub async fn names_of(conn: &mut Connection, people: &[UserId]) -> Result<Vec<Named>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT jsonb_build_object('id', id, 'name', name, 'time_zone', time_zone) AS row FROM users WHERE id = ANY($1)",
    )
    .bind::<Array<Int4>, _>(people.iter().map(|user| user.0).collect::<Vec<_>>())
    .load(conn)
    .await?;
    row::all(rows)
}
