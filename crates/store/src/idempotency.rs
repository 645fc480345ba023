//! Requests that a client may repeat without making a thing twice.

use crate::{Connection, Pooled, Store, StoreError, locks, statement};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Binary, Nullable, SmallInt, Text, Timestamptz};
use diesel_async::pooled_connection::deadpool::Object;
use diesel_async::{AnsiTransactionManager, RunQueryDsl, TransactionManager};

/// How long a key is remembered.
pub const KEPT_FOR: TimeDelta = TimeDelta::hours(24);
/// A request that has not ended by now never will: its process is gone. The longest are of ten transactions, each of which
/// may wait for its locks and take its time.
pub const LONGEST_REQUEST: TimeDelta = TimeDelta::minutes(60);
/// Longer answers are not kept.
pub const LONGEST_BODY: usize = 256 * 1024;

/// A request under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keyed {
    /// SHA-256 of who asks.
    pub principal: [u8; 32],
    /// SHA-256 of the key.
    pub key: [u8; 32],
    /// SHA-256 of what is asked for.
    pub request: [u8; 32],
    /// When it is asked for.
    pub at: DateTime<Utc>,
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// Nothing: the request is to be done, and is noted as under way.
    New,
    /// The same request is under way.
    UnderWay,
    /// The same request was begun, and nothing more is known of it: it may have been done.
    Unknown,
    /// Another request was made under this key.
    Another,
    /// It was done, and this was the answer.
    Done(Kept),
    /// It was done; the answer was not kept.
    DoneUnkept,
}

/// An answer as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its status: 200 to 299.
    pub status: u16,
    /// Its content type.
    pub content_type: Option<String>,
    /// Its body.
    pub body: Vec<u8>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Binary)]
    request_hash: Vec<u8>,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<SmallInt>)]
    status: Option<i16>,
    #[diesel(sql_type = Nullable<Text>)]
    content_type: Option<String>,
    #[diesel(sql_type = Nullable<Binary>)]
    body: Option<Vec<u8>>,
}

/// Notes a request as under way, unless something is known of its key.
///
/// # Errors
/// When the database fails.
pub async fn begin(connection: &mut Connection, keyed: &Keyed) -> Result<Known, StoreError> {
    let taken = statement(
        "INSERT INTO idempotency_keys AS k (principal, key_hash, request_hash, created_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (principal, key_hash) DO UPDATE SET request_hash = excluded.request_hash,
             created_at = excluded.created_at, status = NULL, content_type = NULL, body = NULL
         WHERE k.created_at <= $5",
    )
    .bind::<Binary, _>(keyed.principal.as_slice())
    .bind::<Binary, _>(keyed.key.as_slice())
    .bind::<Binary, _>(keyed.request.as_slice())
    .bind::<Timestamptz, _>(keyed.at)
    .bind::<Timestamptz, _>(keyed.at - KEPT_FOR)
    .execute(connection)
    .await?;
    if taken == 1 {
        return Ok(Known::New);
    }
    let rows: Vec<Row> = statement(
        "SELECT request_hash, created_at, status, content_type, body FROM idempotency_keys
         WHERE principal = $1 AND key_hash = $2",
    )
    .bind::<Binary, _>(keyed.principal.as_slice())
    .bind::<Binary, _>(keyed.key.as_slice())
    .load(connection)
    .await?;
    // Not there any more: it failed just now, and may be tried again in a moment.
    let Some(row) = rows.into_iter().next() else { return Ok(Known::UnderWay) };
    Ok(match (row.status, row.body) {
        _ if row.request_hash != keyed.request => Known::Another,
        (None, _) if keyed.at - row.created_at > LONGEST_REQUEST => Known::Unknown,
        (None, _) => Known::UnderWay,
        (Some(_), None) => Known::DoneUnkept,
        (Some(status), Some(body)) => {
            Known::Done(Kept { status: status.unsigned_abs(), content_type: row.content_type, body })
        }
    })
}

/// Notes that a request was done with this status; keeps its answer when there is one to be kept, which has
/// [`LONGEST_BODY`] at most.
///
/// # Errors
/// When the database fails or refuses the values.
pub async fn finish(
    connection: &mut Connection,
    keyed: &Keyed,
    status: u16,
    kept: Option<(Option<&str>, &[u8])>,
) -> Result<(), StoreError> {
    statement(
        "UPDATE idempotency_keys SET status = $5, content_type = $6, body = $7
         WHERE principal = $1 AND key_hash = $2 AND request_hash = $3 AND created_at = $4",
    )
    .bind::<Binary, _>(keyed.principal.as_slice())
    .bind::<Binary, _>(keyed.key.as_slice())
    .bind::<Binary, _>(keyed.request.as_slice())
    .bind::<Timestamptz, _>(keyed.at)
    .bind::<SmallInt, _>(i16::try_from(status).unwrap_or(i16::MAX))
    .bind::<Nullable<Text>, _>(kept.and_then(|(content_type, _)| content_type))
    .bind::<Nullable<Binary>, _>(kept.map(|(_, body)| body))
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets a request that made nothing.
///
/// # Errors
/// When the database fails.
pub async fn forget(connection: &mut Connection, keyed: &Keyed) -> Result<(), StoreError> {
    statement(
        "DELETE FROM idempotency_keys
         WHERE principal = $1 AND key_hash = $2 AND request_hash = $3 AND created_at = $4 AND status IS NULL",
    )
    .bind::<Binary, _>(keyed.principal.as_slice())
    .bind::<Binary, _>(keyed.key.as_slice())
    .bind::<Binary, _>(keyed.request.as_slice())
    .bind::<Timestamptz, _>(keyed.at)
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes what is remembered no longer.
///
/// # Errors
/// When the database fails.
pub async fn prune(connection: &mut Connection, now: DateTime<Utc>) -> Result<(), StoreError> {
    statement("DELETE FROM idempotency_keys WHERE created_at <= $1")
        .bind::<Timestamptz, _>(now - KEPT_FOR)
        .execute(connection)
        .await?;
    Ok(())
}

/// The turn of one who looks at something and then changes it. There is one at a time, over all processes. Dropping it ends
/// it as well, at the price of its connection.
pub struct Turn(Option<Pooled>);

impl Turn {
    /// Waits for its turn.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take(store: &Store) -> Result<Self, StoreError> {
        let mut turn = Self(Some(store.conn().await?));
        if let Some(connection) = &mut turn.0 {
            AnsiTransactionManager::begin_transaction(&mut **connection).await?;
            statement("SELECT pg_advisory_xact_lock($1)")
                .bind::<BigInt, _>(locks::CONDITIONAL)
                .execute(connection)
                .await?;
        }
        Ok(turn)
    }

    /// Lets the next one.
    ///
    /// # Errors
    /// When the database fails; the turn has ended all the same.
    pub async fn end(mut self) -> Result<(), StoreError> {
        if let Some(connection) = &mut self.0 {
            AnsiTransactionManager::rollback_transaction(&mut **connection).await?;
        }
        // Only now: an end that is broken off closes the connection.
        drop(self.0.take());
        Ok(())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // Back in the pool it would hold the lock until somebody happens to be given it.
        drop(self.0.take().map(Object::take));
    }
}
