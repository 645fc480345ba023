//! The keys by which push services know this installation (VAPID, RFC 8292).

use crate::{Connection, StoreError, statement};
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Binary, Timestamptz};
use diesel_async::RunQueryDsl;

/// A pair of keys on P-256.
#[derive(Clone, PartialEq, Eq, QueryableByName)]
pub struct PushKeys {
    /// Both, as PKCS#8. A secret.
    #[diesel(sql_type = Binary)]
    pub key_pair: Vec<u8>,
    /// The public one: an uncompressed point of 65 bytes.
    #[diesel(sql_type = Binary)]
    pub public_key: Vec<u8>,
}

/// The keys, once there are some.
///
/// # Errors
/// When the database fails.
pub async fn push_keys(conn: &mut Connection) -> Result<Option<PushKeys>, StoreError> {
    let rows = statement("SELECT key_pair, public_key FROM web_push_keys").load(conn).await?;
    Ok(rows.into_iter().next())
}

/// Keeps these keys, unless there are some: then those. Of two at once both get the same.
///
/// # Errors
/// When the database fails.
pub async fn keep_push_keys(
    conn: &mut Connection,
    fresh: PushKeys,
    now: DateTime<Utc>,
) -> Result<PushKeys, StoreError> {
    statement(
        "INSERT INTO web_push_keys (key_pair, public_key, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind::<Binary, _>(&fresh.key_pair)
    .bind::<Binary, _>(&fresh.public_key)
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    Ok(push_keys(conn).await?.unwrap_or(fresh))
}
