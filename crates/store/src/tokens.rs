//! Tokens of the API. Only their SHA-256 is kept.

use crate::{Connection, StoreError, statement};
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Binary, Integer, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;

/// A token without what makes it one.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct ApiToken {
    /// Its id.
    #[diesel(sql_type = Integer)]
    pub id: i32,
    /// Its name, unique.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// When it was made.
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    /// When it ends.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was used last, to the minute.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub last_used_at: Option<DateTime<Utc>>,
}

/// Makes a token from its hash. A name that is taken gives [`StoreError::unique_violation`].
///
/// # Errors
/// When the database fails or refuses the values.
pub async fn create(
    connection: &mut Connection,
    name: &str,
    hash: &[u8; 32],
    expires_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<ApiToken, StoreError> {
    Ok(statement(
        "INSERT INTO api_tokens (name, token_hash, expires_at, created_at) VALUES ($1, $2, $3, $4)
         RETURNING id, name, created_at, expires_at, last_used_at",
    )
    .bind::<Text, _>(name)
    .bind::<Binary, _>(hash.as_slice())
    .bind::<Nullable<Timestamptz>, _>(expires_at)
    .bind::<Timestamptz, _>(now)
    .get_result(connection)
    .await?)
}

/// The token with this hash, unless it has ended. Notes the use, at most once a minute.
///
/// # Errors
/// When the database fails.
pub async fn verify(
    connection: &mut Connection,
    hash: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<Option<ApiToken>, StoreError> {
    let rows: Vec<ApiToken> = statement(
        "WITH found AS (
             SELECT id, name, created_at, expires_at, last_used_at FROM api_tokens
             WHERE token_hash = $1 AND (expires_at IS NULL OR expires_at > $2)
         ), used AS (
             UPDATE api_tokens t SET last_used_at = $2 FROM found f
             WHERE t.id = f.id AND (f.last_used_at IS NULL OR f.last_used_at < $2 - interval '1 minute')
         )
         SELECT * FROM found",
    )
    .bind::<Binary, _>(hash.as_slice())
    .bind::<Timestamptz, _>(now)
    .load(connection)
    .await?;
    Ok(rows.into_iter().next())
}

/// All tokens, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn list(connection: &mut Connection) -> Result<Vec<ApiToken>, StoreError> {
    Ok(statement("SELECT id, name, created_at, expires_at, last_used_at FROM api_tokens ORDER BY id")
        .load(connection)
        .await?)
}

/// Ends a token at once. Whether it was there.
///
/// # Errors
/// When the database fails.
pub async fn revoke(connection: &mut Connection, name: &str) -> Result<bool, StoreError> {
    let gone =
        statement("DELETE FROM api_tokens WHERE name = $1").bind::<Text, _>(name).execute(connection).await?;
    Ok(gone == 1)
}
