//! Second factors: a shared secret each (RFC 6238), and recovery codes of which only hashes are kept.

use crate::row::{self, JsonRow};
use crate::{Connection, StoreError, statement};
use bugle_model::UserId;
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Binary, Bool, Integer, Timestamptz};
use diesel_async::RunQueryDsl;

/// A person's second factor.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct SecondFactor {
    /// The shared secret, 20 bytes.
    #[diesel(sql_type = Binary)]
    pub secret: Vec<u8>,
    /// A first code proved that the device has the secret: it is needed from then on.
    #[diesel(sql_type = Bool)]
    pub confirmed: bool,
    /// The step of the last code that was taken.
    #[diesel(sql_type = BigInt)]
    pub last_step: i64,
}

/// A person's second factor, confirmed or not.
///
/// # Errors
/// When the database fails.
pub async fn get(connection: &mut Connection, user: UserId) -> Result<Option<SecondFactor>, StoreError> {
    let rows: Vec<SecondFactor> = statement(
        "SELECT secret, confirmed_at IS NOT NULL AS confirmed, last_step FROM second_factors WHERE user_id = $1",
    )
    .bind::<Integer, _>(user.0)
    .load(connection)
    .await?;
    Ok(rows.into_iter().next())
}

/// Notes a secret that is still to be confirmed; one that was not confirmed is replaced. False when there is a
/// confirmed one.
///
/// # Errors
/// When the database fails.
pub async fn propose(
    connection: &mut Connection,
    user: UserId,
    secret: &[u8; 20],
) -> Result<bool, StoreError> {
    let changed = statement(
        "INSERT INTO second_factors AS f (user_id, secret) VALUES ($1, $2)
         ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, last_step = 0 WHERE f.confirmed_at IS NULL",
    )
    .bind::<Integer, _>(user.0)
    .bind::<Binary, _>(secret.as_slice())
    .execute(connection)
    .await?;
    Ok(changed == 1)
}

/// Confirms a person's secret and notes the hashes of their recovery codes. False when there is none to confirm.
///
/// # Errors
/// When the database fails.
pub async fn confirm(
    connection: &mut Connection,
    user: UserId,
    step: i64,
    codes: &[[u8; 32]],
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let changed = statement(
        "UPDATE second_factors SET confirmed_at = $2, last_step = $3 WHERE user_id = $1 AND confirmed_at IS NULL",
    )
    .bind::<Integer, _>(user.0)
    .bind::<Timestamptz, _>(now)
    .bind::<BigInt, _>(step)
    .execute(connection)
    .await?;
    if changed == 0 {
        return Ok(false);
    }
    statement("INSERT INTO recovery_codes (user_id, code_hash) SELECT $1, * FROM UNNEST($2)")
        .bind::<Integer, _>(user.0)
        .bind::<Array<Binary>, _>(codes.iter().map(<[u8; 32]>::as_slice).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(true)
}

/// Takes the code of a step; false when it or a later one was taken before.
///
/// # Errors
/// When the database fails.
pub async fn take_step(connection: &mut Connection, user: UserId, step: i64) -> Result<bool, StoreError> {
    let changed = statement("UPDATE second_factors SET last_step = $2 WHERE user_id = $1 AND last_step < $2")
        .bind::<Integer, _>(user.0)
        .bind::<BigInt, _>(step)
        .execute(connection)
        .await?;
    Ok(changed == 1)
}

/// Takes a recovery code; false when the person has none with this hash (any more).
///
/// # Errors
/// When the database fails.
pub async fn take_recovery(
    connection: &mut Connection,
    user: UserId,
    hash: &[u8; 32],
) -> Result<bool, StoreError> {
    let gone = statement("DELETE FROM recovery_codes WHERE user_id = $1 AND code_hash = $2")
        .bind::<Integer, _>(user.0)
        .bind::<Binary, _>(hash.as_slice())
        .execute(connection)
        .await?;
    Ok(gone == 1)
}

/// How many recovery codes a person has left.
///
/// # Errors
/// When the database fails.
pub async fn codes_left(connection: &mut Connection, user: UserId) -> Result<i64, StoreError> {
    let rows: Vec<JsonRow> =
        statement("SELECT to_jsonb(count(*)) AS row FROM recovery_codes WHERE user_id = $1")
            .bind::<Integer, _>(user.0)
            .load(connection)
            .await?;
    Ok(row::first(rows)?.unwrap_or_default())
}

/// Removes a person's second factor and its recovery codes. Whether there was one.
///
/// # Errors
/// When the database fails.
pub async fn remove(connection: &mut Connection, user: UserId) -> Result<bool, StoreError> {
    let gone = statement("DELETE FROM second_factors WHERE user_id = $1")
        .bind::<Integer, _>(user.0)
        .execute(connection)
        .await?;
    Ok(gone == 1)
}
