//! What goes when its time has come, and what is made ahead. One process does it at a time.

use crate::partitions::DAYS_BACK;
use crate::{Connection, StoreError, locks, partitions, statement};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Date, Timestamptz};
use diesel_async::RunQueryDsl;

/// Minutes are for windows of a day.
const MINUTES_KEPT: TimeDelta = TimeDelta::days(2);
/// Hours, outcomes and notifications that have ended: a year, and a month to compare it with.
const HISTORY_KEPT: TimeDelta = TimeDelta::days(400);
const HEARTBEATS_KEPT: TimeDelta = TimeDelta::days(1);
/// As long as a message may lie in the spool or the broker before it is recorded.
const MESSAGES_KEPT: TimeDelta = TimeDelta::days(DAYS_BACK.cast_signed());

/// Statements with a time: what is older goes. Each finds its rows by an index, or has few to look at.
const OFTEN: [(&str, TimeDelta); 2] = [
    ("DELETE FROM issue_minutes WHERE minute < $1", MINUTES_KEPT),
    ("DELETE FROM service_heartbeats WHERE seen_at < $1", HEARTBEATS_KEPT),
];

/// The same for what has no index led by time: each reads its table.
const DAILY: [(&str, TimeDelta); 9] = [
    ("DELETE FROM issue_hours WHERE hour < $1", HISTORY_KEPT),
    ("DELETE FROM project_hours WHERE hour < $1", HISTORY_KEPT),
    ("DELETE FROM outcomes WHERE hour < $1", HISTORY_KEPT),
    ("DELETE FROM notifications WHERE finished_at < $1", HISTORY_KEPT),
    ("DELETE FROM incidents WHERE resolved_at < $1", HISTORY_KEPT),
    ("DELETE FROM silences WHERE ends_at < $1", HISTORY_KEPT),
    ("DELETE FROM feedback WHERE expires_on IS NULL AND received_at < $1", HISTORY_KEPT),
    ("DELETE FROM issue_assignments WHERE decided_at < $1", MESSAGES_KEPT),
    ("DELETE FROM consumed_messages WHERE consumed_at < $1", MESSAGES_KEPT),
];

/// The same with a day.
const EXPIRED: [&str; 2] =
    ["DELETE FROM attachments WHERE expires_on < $1", "DELETE FROM feedback WHERE expires_on < $1"];

/// Values of tags that no issue has any more: they make room for others.
const UNUSED_TAGS: &str = "
    DELETE FROM project_tags t WHERE NOT EXISTS (
        SELECT 1 FROM issue_tags o JOIN issues i ON i.id = o.issue_id
        WHERE o.key = t.key AND o.value = t.value AND i.project_id = t.project_id)";

/// What a run has done.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Maintained {
    /// Another process does it.
    pub skipped: bool,
    /// Partitions made.
    pub made: usize,
    /// Partitions dropped.
    pub dropped: usize,
}

/// What every few minutes is enough for: makes partitions ahead, drops those past their retention, and removes minutes,
/// heartbeats, anchors, attachments and feedback whose time has come. Does nothing when another process is at it.
///
/// # Errors
/// When the database is away, at once. When a part fails, once the others are done.
pub async fn maintain(connection: &mut Connection, now: DateTime<Utc>) -> Result<Maintained, StoreError> {
    if !lead(connection).await? {
        return Ok(Maintained { skipped: true, ..Maintained::default() });
    }
    let result = maintain_as_leader(connection, now).await;
    stop_leading(connection).await?;
    result
}

/// What once a day is enough for: removes hours, outcomes, ended notifications and values of tags. Whether this process
/// has done it, and not another one.
///
/// # Errors
/// As [`maintain`].
pub async fn clean(connection: &mut Connection, now: DateTime<Utc>) -> Result<bool, StoreError> {
    if !lead(connection).await? {
        return Ok(false);
    }
    let mut parts = Parts::default();
    let result = clean_as_leader(connection, now, &mut parts).await;
    stop_leading(connection).await?;
    result.and(parts.end()).map(|()| true)
}

#[derive(QueryableByName)]
struct Leads {
    #[diesel(sql_type = Bool)]
    leads: bool,
}

async fn lead(connection: &mut Connection) -> Result<bool, StoreError> {
    let row: Leads = statement("SELECT pg_try_advisory_lock($1) AS leads")
        .bind::<BigInt, _>(locks::UPKEEP)
        .get_result(connection)
        .await?;
    Ok(row.leads)
}

async fn stop_leading(connection: &mut Connection) -> Result<(), StoreError> {
    statement("SELECT pg_advisory_unlock($1)").bind::<BigInt, _>(locks::UPKEEP).execute(connection).await?;
    Ok(())
}

/// The parts of a run: one that fails does not keep the others from being done.
#[derive(Default)]
struct Parts {
    failed: Option<StoreError>,
}

impl Parts {
    /// Takes the result of a part: `None` when it failed.
    fn take<T>(&mut self, result: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
        match result {
            Ok(done) => Ok(Some(done)),
            Err(error) if error.is_away() => Err(error),
            Err(error) => {
                self.failed.get_or_insert(error);
                Ok(None)
            }
        }
    }

    fn end(self) -> Result<(), StoreError> {
        self.failed.map_or(Ok(()), Err)
    }
}

async fn maintain_as_leader(
    connection: &mut Connection,
    now: DateTime<Utc>,
) -> Result<Maintained, StoreError> {
    let (today, mut parts) = (now.date_naive(), Parts::default());
    let made = parts.take(partitions::make(connection, now).await)?;
    let dropped = parts.take(partitions::drop_expired(connection, today).await)?;
    for (text, kept) in OFTEN {
        parts.take(delete_before(connection, text, now - kept).await)?;
    }
    for text in EXPIRED {
        let deleting = statement(text).bind::<Date, _>(today).execute(connection);
        parts.take(deleting.await.map_err(StoreError::from))?;
    }
    // An anchor never goes before the last event that refers to it.
    if let Some((_, 0)) = dropped {
        let deleting =
            statement("DELETE FROM anchors WHERE expires_on < $1").bind::<Date, _>(today).execute(connection);
        parts.take(deleting.await.map_err(StoreError::from))?;
    }
    parts.end()?;
    let (made, (dropped, _)) = (made.unwrap_or_default(), dropped.unwrap_or_default());
    Ok(Maintained { skipped: false, made, dropped })
}

async fn clean_as_leader(
    connection: &mut Connection,
    now: DateTime<Utc>,
    parts: &mut Parts,
) -> Result<(), StoreError> {
    for (text, kept) in DAILY {
        parts.take(delete_before(connection, text, now - kept).await)?;
    }
    let deleting = statement(UNUSED_TAGS).execute(connection);
    parts.take(deleting.await.map_err(StoreError::from))?;
    Ok(())
}

async fn delete_before(
    connection: &mut Connection,
    text: &'static str,
    before: DateTime<Utc>,
) -> Result<usize, StoreError> {
    Ok(statement(text).bind::<Timestamptz, _>(before).execute(connection).await?)
}
