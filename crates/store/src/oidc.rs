//! Sign-ins with an OpenID Connect provider: those under way, and who somebody is there.

use crate::row::{self, JsonRow};
use crate::{Connection, StoreError, statement};
use bugle_model::UserId;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{Binary, Integer, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::Deserialize;

/// A sign-in has to be done within this time.
pub const LONGEST: TimeDelta = TimeDelta::minutes(10);

/// What a sign-in that was begun needs to be finished.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Attempt {
    /// What the provider's token has to repeat; 128 characters at most.
    pub nonce: String,
    /// What proves to the provider that the one who began finishes; 128 characters at most.
    pub verifier: String,
    /// The page to go on with; 1024 characters at most.
    pub next: String,
}

/// Who somebody is here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Person {
    /// The account.
    pub id: UserId,
    /// Its name.
    pub name: String,
    /// Cannot sign in.
    pub disabled: bool,
}

/// Notes a sign-in as begun.
///
/// # Errors
/// When the database fails or refuses the values.
pub async fn begin(
    connection: &mut Connection,
    state: &[u8; 32],
    attempt: &Attempt,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    statement(
        "INSERT INTO oidc_attempts (state_hash, nonce, verifier, next, created_at) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind::<Binary, _>(state.as_slice())
    .bind::<Text, _>(&attempt.nonce)
    .bind::<Text, _>(&attempt.verifier)
    .bind::<Text, _>(&attempt.next)
    .bind::<Timestamptz, _>(now)
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes a sign-in that was begun: nobody else gets it. None when there is none, or it took too long.
///
/// # Errors
/// When the database fails.
pub async fn take(
    connection: &mut Connection,
    state: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<Option<Attempt>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "WITH taken AS (DELETE FROM oidc_attempts WHERE state_hash = $1 RETURNING nonce, verifier, next, created_at)
         SELECT to_jsonb(t) AS row FROM taken t WHERE t.created_at > $2",
    )
    .bind::<Binary, _>(state.as_slice())
    .bind::<Timestamptz, _>(now - LONGEST)
    .load(connection)
    .await?;
    row::first(rows)
}

/// Whom a provider means.
///
/// # Errors
/// When the database fails.
pub async fn person(
    connection: &mut Connection,
    issuer: &str,
    subject: &str,
) -> Result<Option<Person>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT jsonb_build_object('id', u.id, 'name', u.name, 'disabled', u.disabled) AS row
         FROM oidc_identities i JOIN users u ON u.id = i.user_id WHERE i.issuer = $1 AND i.subject = $2",
    )
    .bind::<Text, _>(issuer)
    .bind::<Text, _>(subject)
    .load(connection)
    .await?;
    row::first(rows)
}

/// Notes whom a provider means from now on. Linked already gives [`StoreError::unique_violation`].
///
/// # Errors
/// When the database fails or refuses the values.
pub async fn link(
    connection: &mut Connection,
    issuer: &str,
    subject: &str,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    statement("INSERT INTO oidc_identities (issuer, subject, user_id, created_at) VALUES ($1, $2, $3, $4)")
        .bind::<Text, _>(issuer)
        .bind::<Text, _>(subject)
        .bind::<Integer, _>(user.0)
        .bind::<Timestamptz, _>(now)
        .execute(connection)
        .await?;
    Ok(())
}

/// Removes sign-ins that were not finished.
///
/// # Errors
/// When the database fails.
pub async fn prune(connection: &mut Connection, now: DateTime<Utc>) -> Result<(), StoreError> {
    statement("DELETE FROM oidc_attempts WHERE created_at <= $1")
        .bind::<Timestamptz, _>(now - LONGEST)
        .execute(connection)
        .await?;
    Ok(())
}
