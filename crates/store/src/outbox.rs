//! Signals on their way to the broker. A row is written in the transaction of what it tells, and deleted once the
//! broker has confirmed it.

use crate::{Connection, Store, StoreError, statement};
use bugle_model::{Signal, SignalBatch};
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Binary, Bool, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncConnection, RunQueryDsl};
use std::collections::BTreeMap;
use uuid::Uuid;

const SWEEP_ROWS: i64 = 200;

/// A message that waits to be published.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct OutboxRow {
    /// The row's id.
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    /// The message's id; the same at each try.
    #[diesel(sql_type = SqlUuid)]
    pub message_id: Uuid,
    /// Where it goes on the signals exchange.
    #[diesel(sql_type = Text)]
    pub routing_key: String,
    /// A [`SignalBatch`] as JSON.
    #[diesel(sql_type = Binary)]
    pub body: Vec<u8>,
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// Writes signals, one row for each routing key. Belongs into the transaction of the change that they tell. The next
/// [`sweep`] publishes them.
///
/// # Errors
/// When the database is away or the statement fails.
pub async fn add(
    connection: &mut Connection,
    signals: Vec<Signal>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    write(connection, signals, false, now).await.map(drop)
}

/// The same for a caller that publishes the rows itself, right after its transaction: a sweep leaves them alone for a
/// while.
///
/// # Errors
/// When the database is away or the statement fails.
pub async fn add_forwarded(
    connection: &mut Connection,
    signals: Vec<Signal>,
    now: DateTime<Utc>,
) -> Result<Vec<OutboxRow>, StoreError> {
    write(connection, signals, true, now).await
}

async fn write(
    connection: &mut Connection,
    signals: Vec<Signal>,
    forwarded: bool,
    now: DateTime<Utc>,
) -> Result<Vec<OutboxRow>, StoreError> {
    let mut by_key: BTreeMap<&'static str, Vec<Signal>> = BTreeMap::new();
    for signal in signals {
        by_key.entry(signal.routing_key()).or_default().push(signal);
    }
    let mut rows = Vec::new();
    for (routing_key, signals) in by_key {
        let batch = SignalBatch { v: 1, id: Uuid::now_v7(), signals };
        let body = serde_json::to_vec(&batch).map_err(|error| StoreError::Damaged(error.to_string()))?;
        rows.push(OutboxRow { id: 0, message_id: batch.id, routing_key: routing_key.to_owned(), body });
    }
    if rows.is_empty() {
        return Ok(rows);
    }
    let ids: Vec<Id> = statement(
        "INSERT INTO outbox (message_id, routing_key, body, created_at, forwarded)
         SELECT m, k, b, $4, $5 FROM UNNEST($1, $2, $3) WITH ORDINALITY AS t (m, k, b, n) ORDER BY n RETURNING id",
    )
    .bind::<Array<SqlUuid>, _>(rows.iter().map(|row| row.message_id).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows.iter().map(|row| row.routing_key.clone()).collect::<Vec<_>>())
    .bind::<Array<Binary>, _>(rows.iter().map(|row| row.body.clone()).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(now)
    .bind::<Bool, _>(forwarded)
    .load(connection)
    .await?;
    for (row, id) in rows.iter_mut().zip(ids) {
        row.id = id.id;
    }
    Ok(rows)
}

/// Takes up to `limit` rows, oldest first, leaving out those that another relay holds, and those that somebody forwards and
/// that were not written before `before`. They stay locked until the caller's transaction ends.
///
/// # Errors
/// When the database is away or the statement fails.
pub async fn take(
    connection: &mut Connection,
    before: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<OutboxRow>, StoreError> {
    Ok(statement(
        "SELECT id, message_id, routing_key, body FROM outbox WHERE NOT forwarded OR created_at < $1
         ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED",
    )
    .bind::<Timestamptz, _>(before)
    .bind::<BigInt, _>(limit)
    .load(connection)
    .await?)
}

/// Removes rows that the broker has confirmed.
///
/// # Errors
/// When the database is away or the statement fails.
pub async fn confirm(connection: &mut Connection, ids: &[i64]) -> Result<(), StoreError> {
    statement("DELETE FROM outbox WHERE id = ANY ($1)")
        .bind::<Array<BigInt>, _>(ids.to_vec())
        .execute(connection)
        .await?;
    Ok(())
}

/// How many wait, for metrics.
///
/// # Errors
/// When the database is away or the statement fails.
pub async fn depth(connection: &mut Connection) -> Result<i64, StoreError> {
    let row: Id = statement("SELECT count(*) AS id FROM outbox").get_result(connection).await?;
    Ok(row.id)
}

/// Publishes rows that nobody forwards, or that were left behind since before `before`, by `publish`, which answers the ids
/// of those that were confirmed. Rows that another relay is at are left out. Returns how many were published.
///
/// # Errors
/// When the database is away or a statement fails; the rows are then published again, under the same ids.
pub async fn sweep<F, R>(store: &Store, before: DateTime<Utc>, publish: F) -> Result<usize, StoreError>
where
    F: Fn(Vec<OutboxRow>) -> R + Send + Sync,
    R: Future<Output = Vec<i64>> + Send,
{
    let mut connection = store.conn().await?;
    connection
        .transaction(async |connection| {
            let rows = take(connection, before, SWEEP_ROWS).await?;
            if rows.is_empty() {
                return Ok(0);
            }
            let confirmed = publish(rows).await;
            confirm(connection, &confirmed).await?;
            Ok(confirmed.len())
        })
        .await
}
