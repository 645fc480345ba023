//! Partitions that are made ahead, and dropped when their time has come.

use crate::{Connection, StoreError, locks, statement};
use bugle_model::RetentionClass;
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Date, Integer, SmallInt, Text};
use diesel_async::{AsyncConnection, RunQueryDsl, SimpleAsyncConnection};

/// A batch may lie in the spool or the broker this long before it is recorded.
pub const DAYS_BACK: u64 = 8;
/// Partitions are made this far ahead.
pub const DAYS_AHEAD: u64 = 7;
#[derive(QueryableByName)]
struct Made {
    #[diesel(sql_type = Bool)]
    made: bool,
}

#[derive(QueryableByName)]
struct Leaf {
    #[diesel(sql_type = Text)]
    leaf: String,
}

/// Keeps `received_at` inside the partitions that exist around `now`.
#[must_use]
pub fn clamp(received_at: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
    let oldest = now - TimeDelta::days(7);
    received_at.clamp(oldest, now + TimeDelta::days(1))
}

/// Makes the partitions around `now`. Quick when they are there.
///
/// # Errors
/// When the database is away or the statement fails.
pub async fn make(connection: &mut Connection, now: DateTime<Utc>) -> Result<usize, StoreError> {
    let today = now.date_naive();
    let (mut classes, mut days) = (Vec::new(), Vec::new());
    for class in RetentionClass::ALL {
        let back = DAYS_BACK.min(u64::from(class.days().unsigned_abs()));
        let first = today.checked_sub_days(Days::new(back)).unwrap_or(today);
        for day in first.iter_days().take(usize::try_from(back + DAYS_AHEAD + 1).unwrap_or(1)) {
            classes.push(class.days());
            days.push(day);
        }
    }
    let made: Vec<Made> = connection
        .transaction(async |connection| {
            // Two that find the same one missing would both make it.
            statement("SELECT pg_advisory_xact_lock($1)")
                .bind::<BigInt, _>(locks::PARTITIONS)
                .execute(connection)
                .await?;
            let made = statement(
                "SELECT bugle_make_event_partition(class, day) AS made
                 FROM UNNEST($1, $2) AS t (class, day) ORDER BY class, day",
            );
            let made = made
                .bind::<Array<SmallInt>, _>(classes)
                .bind::<Array<Date>, _>(days)
                .load(connection)
                .await?;
            Ok::<_, StoreError>(made)
        })
        .await?;
    Ok(made.iter().filter(|row| row.made).count())
}

/// Drops the partitions whose newest event is past its retention; answers how many went, and how many are in use and
/// stay for the next run.
pub(crate) async fn drop_expired(
    connection: &mut Connection,
    today: NaiveDate,
) -> Result<(usize, usize), StoreError> {
    let (mut dropped, mut in_use) = (0, 0);
    for class in RetentionClass::ALL {
        for leaf in expired(connection, class, today).await? {
            match drop_leaf(connection, &leaf.leaf).await {
                Ok(()) => dropped += 1,
                Err(error) if error.is_away() => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, leaf = leaf.leaf, "a partition cannot be dropped now");
                    in_use += 1;
                    // Its neighbours would wait for the same lock on the parent.
                    break;
                }
            }
        }
    }
    Ok((dropped, in_use))
}

async fn expired(
    connection: &mut Connection,
    class: RetentionClass,
    today: NaiveDate,
) -> Result<Vec<Leaf>, StoreError> {
    let days = u64::from(class.days().unsigned_abs());
    let kept_from = today.checked_sub_days(Days::new(days)).unwrap_or(today);
    Ok(statement(
        "SELECT c.relname::text AS leaf FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = to_regclass($1) AND c.relname < $2 ORDER BY 1",
    )
    .bind::<Text, _>(format!("events_{}", class.days()))
    .bind::<Text, _>(format!("events_{}_{}", class.days(), kept_from.format("%Y%m%d")))
    .load(connection)
    .await?)
}

/// In a transaction of its own that gives up after two seconds rather than hold up the recorders.
async fn drop_leaf(connection: &mut Connection, leaf: &str) -> Result<(), StoreError> {
    let name = leaf.replace('"', "");
    connection
        .transaction(async |connection| {
            connection
                .batch_execute(&format!("SET LOCAL lock_timeout = '2s'; DROP TABLE \"{name}\""))
                .await?;
            Ok(())
        })
        .await
}

/// How many partitions there are from `day` on in every class, at least: for health.
///
/// # Errors
/// When the database is away or the statement fails.
pub async fn ahead(connection: &mut Connection, day: NaiveDate) -> Result<i32, StoreError> {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = Integer)]
        partitions: i32,
    }
    let count: Count = statement(
        "SELECT coalesce(min(n), 0)::int AS partitions FROM (
             SELECT count(*) FILTER (WHERE leaf.relname > parent.relname || '_' || to_char($1, 'YYYYMMDD')) AS n
             FROM pg_inherits top JOIN pg_class parent ON parent.oid = top.inhrelid
             LEFT JOIN pg_inherits i ON i.inhparent = parent.oid LEFT JOIN pg_class leaf ON leaf.oid = i.inhrelid
             WHERE top.inhparent = 'events'::regclass GROUP BY parent.oid) classes",
    )
    .bind::<Date, _>(day)
    .get_result(connection)
    .await?;
    Ok(count.partitions)
}
