//! Sessions of people, on this side. A cookie holds a random token; its SHA-256 is here.

use crate::row::{self, JsonRow};
use crate::users::User;
use crate::{Connection, StoreError, statement};
use bugle_model::UserId;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{Binary, Bool, Integer, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A session ends when it was not used for this long.
pub const IDLE: TimeDelta = TimeDelta::days(14);
/// A session ends at this age, whatever its use.
pub const LONGEST: TimeDelta = TimeDelta::days(90);

/// A session with its person, as one request needs it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Active {
    /// The session's id.
    pub session: i32,
    /// When it ends at the latest.
    pub expires_at: DateTime<Utc>,
    /// Whose it is.
    pub user: User,
}

/// A session in its person's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Session {
    /// Its id.
    pub id: i32,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it was used last, to the minute.
    pub last_seen_at: DateTime<Utc>,
    /// The client's address at sign-in.
    pub address: String,
    /// What the client called itself.
    pub user_agent: String,
}

/// Begins a session from the hash of its token. `address` has 64 and `user_agent` 256 characters at most.
///
/// # Errors
/// When the database fails or refuses the values.
pub async fn create(
    connection: &mut Connection,
    user: UserId,
    hash: &[u8; 32],
    address: &str,
    user_agent: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    statement(
        "INSERT INTO sessions (token_hash, user_id, created_at, last_seen_at, expires_at, address, user_agent)
         VALUES ($1, $2, $3, $3, $4, $5, $6)",
    )
    .bind::<Binary, _>(hash.as_slice())
    .bind::<Integer, _>(user.0)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(now + LONGEST)
    .bind::<Text, _>(address)
    .bind::<Text, _>(user_agent)
    .execute(connection)
    .await?;
    Ok(())
}

/// The session with this hash, unless it has ended or its person is disabled. Notes the use, at most once a minute.
///
/// # Errors
/// When the database fails.
pub async fn verify(
    connection: &mut Connection,
    hash: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<Option<Active>, StoreError> {
    find(connection, hash, now, true).await
}

/// As [`verify`], for what is open without being used: it does not keep the session alive.
///
/// # Errors
/// When the database fails.
pub async fn look(
    connection: &mut Connection,
    hash: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<Option<Active>, StoreError> {
    find(connection, hash, now, false).await
}

async fn find(
    connection: &mut Connection,
    hash: &[u8; 32],
    now: DateTime<Utc>,
    is_use: bool,
) -> Result<Option<Active>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "WITH found AS (
             SELECT s.id, s.user_id, s.expires_at, s.last_seen_at FROM sessions s
             WHERE s.token_hash = $1 AND s.expires_at > $2 AND s.last_seen_at > $3
         ), used AS (
             UPDATE sessions s SET last_seen_at = $2 FROM found f
             WHERE $4 AND s.id = f.id AND f.last_seen_at < $2 - interval '1 minute'
         )
         SELECT jsonb_build_object('session', f.id, 'expires_at', f.expires_at, 'user', jsonb_build_object(
             'id', u.id, 'email', u.email, 'name', u.name, 'role', u.role, 'time_zone', u.time_zone,
             'disabled', u.disabled, 'created_at', u.created_at,
             'totp', EXISTS (SELECT 1 FROM second_factors t WHERE t.user_id = u.id AND t.confirmed_at IS NOT NULL),
             'teams', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name, 'role', m.role)
                                                 ORDER BY t.name), '[]')
                       FROM memberships m JOIN teams t ON t.id = m.team_id WHERE m.user_id = u.id))) AS row
         FROM found f JOIN users u ON u.id = f.user_id AND NOT u.disabled",
    )
    .bind::<Binary, _>(hash.as_slice())
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(now - IDLE)
    .bind::<Bool, _>(is_use)
    .load(connection)
    .await?;
    row::first(rows)
}

/// A person's sessions, the last used first.
///
/// # Errors
/// When the database fails.
pub async fn list(
    connection: &mut Connection,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<Vec<Session>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT to_jsonb(x) AS row FROM (
            SELECT id, created_at, last_seen_at, address, user_agent FROM sessions
            WHERE user_id = $1 AND expires_at > $2 AND last_seen_at > $3 ORDER BY last_seen_at DESC, id DESC) x",
    )
    .bind::<Integer, _>(user.0)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(now - IDLE)
    .load(connection)
    .await?;
    row::all(rows)
}

/// Ends one session of a person. Whether it was there.
///
/// # Errors
/// When the database fails.
pub async fn end(connection: &mut Connection, user: UserId, id: i32) -> Result<bool, StoreError> {
    let gone = statement("DELETE FROM sessions WHERE id = $1 AND user_id = $2")
        .bind::<Integer, _>(id)
        .bind::<Integer, _>(user.0)
        .execute(connection)
        .await?;
    Ok(gone == 1)
}

/// Ends all sessions of a person, except for one. How many.
///
/// # Errors
/// When the database fails.
pub async fn end_all(
    connection: &mut Connection,
    user: UserId,
    except: Option<i32>,
) -> Result<usize, StoreError> {
    Ok(statement("DELETE FROM sessions WHERE user_id = $1 AND ($2 IS NULL OR id <> $2)")
        .bind::<Integer, _>(user.0)
        .bind::<Nullable<Integer>, _>(except)
        .execute(connection)
        .await?)
}

/// Ends the session with this hash, if there is one.
///
/// # Errors
/// When the database fails.
pub async fn end_by_hash(connection: &mut Connection, hash: &[u8; 32]) -> Result<(), StoreError> {
    statement("DELETE FROM sessions WHERE token_hash = $1")
        .bind::<Binary, _>(hash.as_slice())
        .execute(connection)
        .await?;
    Ok(())
}
