//! Tokens of the API. Only their SHA-256 is kept.

use crate::row::{self, JsonRow};
use crate::{Connection, Scope, StoreError, statement};
use bugle_model::{TeamId, TokenScope, UserId};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Binary, Bool, Integer, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A token without what makes it one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ApiToken {
    /// Its id.
    pub id: i32,
    /// Its name, unique.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<TokenScope>,
    /// Where it may; none is everywhere.
    pub team: Option<TeamId>,
    /// Who made it, by themselves or with another token; none is the command line. It can no more than they can.
    pub created_by: Option<Maker>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was used last, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// Who made a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TokenMaker")]
pub struct Maker {
    /// Their id.
    pub id: UserId,
    /// Their name.
    pub name: String,
}

/// A token to be made.
#[derive(Debug, Clone)]
pub struct NewToken<'a> {
    /// Its name, 1 to 64 characters.
    pub name: &'a str,
    /// What it may do; not empty.
    pub scopes: &'a [TokenScope],
    /// Where it may; none is everywhere.
    pub team: Option<TeamId>,
    /// Who makes it, when it is a person, or a person's token: it ends with them.
    pub created_by: Option<UserId>,
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Makes a token that may do everything, from its hash: as the command line does. A name that is taken gives
/// [`StoreError::unique_violation`].
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
    let new = NewToken { name, scopes: TokenScope::ALL, team: None, created_by: None, expires_at };
    create_scoped(connection, &new, hash, now).await
}

/// Makes a token from its hash. A name that is taken gives [`StoreError::unique_violation`].
///
/// # Errors
/// When the database fails or refuses the values.
pub async fn create_scoped(
    connection: &mut Connection,
    new: &NewToken<'_>,
    hash: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<ApiToken, StoreError> {
    let row: JsonRow = statement(
        "INSERT INTO api_tokens (name, token_hash, expires_at, created_at, scopes, team_id, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         RETURNING jsonb_build_object('id', id, 'name', name, 'scopes', scopes, 'team', team_id,
             'created_by', (SELECT jsonb_build_object('id', u.id, 'name', u.name) FROM users u WHERE u.id = created_by),
             'created_at', created_at, 'expires_at', expires_at, 'last_used_at', last_used_at) AS row",
    )
    .bind::<Text, _>(new.name)
    .bind::<Binary, _>(hash.as_slice())
    .bind::<Nullable<Timestamptz>, _>(new.expires_at)
    .bind::<Timestamptz, _>(now)
    .bind::<Array<Text>, _>(new.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>())
    .bind::<Nullable<Integer>, _>(new.team.map(|team| team.0))
    .bind::<Nullable<Integer>, _>(new.created_by.map(|user| user.0))
    .get_result(connection)
    .await?;
    row.read()
}

/// The token with this hash, unless it has ended, or the person who made it is disabled or may not do themselves any more
/// what it allows. Notes the use, at most once a minute.
///
/// # Errors
/// When the database fails.
pub async fn verify(
    connection: &mut Connection,
    hash: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<Option<ApiToken>, StoreError> {
    find(connection, hash, now, true).await
}

/// As [`verify`], for what is open without being used.
///
/// # Errors
/// When the database fails.
pub async fn look(
    connection: &mut Connection,
    hash: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<Option<ApiToken>, StoreError> {
    find(connection, hash, now, false).await
}

async fn find(
    connection: &mut Connection,
    hash: &[u8; 32],
    now: DateTime<Utc>,
    is_use: bool,
) -> Result<Option<ApiToken>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "WITH found AS (
             SELECT t.id, t.name, t.scopes, t.team_id AS team, t.created_at, t.expires_at, t.last_used_at,
                 CASE WHEN u.id IS NOT NULL THEN jsonb_build_object('id', u.id, 'name', u.name) END AS created_by
             FROM api_tokens t LEFT JOIN users u ON u.id = t.created_by
             LEFT JOIN memberships m ON m.user_id = t.created_by AND m.team_id = t.team_id
             WHERE t.token_hash = $1 AND (t.expires_at IS NULL OR t.expires_at > $2) AND u.disabled IS NOT TRUE
                AND (u.id IS NULL OR u.role IN ('admin', 'owner') OR ('admin' <> ALL (t.scopes) AND CASE
                    WHEN 'write' = ANY (t.scopes) THEN m.role = 'manager'
                    WHEN 'triage' = ANY (t.scopes) THEN m.role IN ('member', 'manager')
                    ELSE m.role IS NOT NULL END))
         ), used AS (
             UPDATE api_tokens t SET last_used_at = $2 FROM found f
             WHERE $3 AND t.id = f.id AND (f.last_used_at IS NULL OR f.last_used_at < $2 - interval '1 minute')
         )
         SELECT to_jsonb(f) AS row FROM found f",
    )
    .bind::<Binary, _>(hash.as_slice())
    .bind::<Timestamptz, _>(now)
    .bind::<Bool, _>(is_use)
    .load(connection)
    .await?;
    row::first(rows)
}

/// The tokens of a scope, oldest first: [`Scope::All`] has those without a team as well.
///
/// # Errors
/// When the database fails.
pub async fn list(connection: &mut Connection, scope: &Scope) -> Result<Vec<ApiToken>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT to_jsonb(x) AS row FROM (
            SELECT t.id, t.name, t.scopes, t.team_id AS team, t.created_at, t.expires_at, t.last_used_at,
                CASE WHEN u.id IS NOT NULL THEN jsonb_build_object('id', u.id, 'name', u.name) END AS created_by
            FROM api_tokens t LEFT JOIN users u ON u.id = t.created_by
            WHERE ($1 IS NULL OR t.team_id = ANY ($1)) ORDER BY t.id) x",
    )
    .bind::<Nullable<Array<Integer>>, _>(scope.bind())
    .load(connection)
    .await?;
    row::all(rows)
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
