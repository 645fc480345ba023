//! Links that work once: the first set-up, invitations, password resets. Only the SHA-256 of what they prove is kept.

use crate::row::{self, JsonRow};
use crate::{Connection, Scope, StoreError, statement};
use bugle_model::{InstallationRole, TeamId, TeamRole, UserId};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Binary, Integer, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An invitation that was not accepted yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Invitation {
    /// Its id.
    pub id: i32,
    /// Who is invited.
    pub email: String,
    /// What they will be allowed everywhere.
    pub role: InstallationRole,
    /// The team they will be in.
    pub team: Option<TeamId>,
    /// That team's name.
    pub team_name: Option<String>,
    /// What they will be allowed in it.
    pub team_role: Option<TeamRole>,
    /// The inviter's name.
    pub invited_by: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

/// An invitation to be made.
#[derive(Debug, Clone)]
pub struct NewInvitation<'a> {
    /// Who is invited.
    pub email: &'a str,
    /// What they will be allowed everywhere; not an owner.
    pub role: InstallationRole,
    /// The team, and what they will be allowed in it.
    pub team: Option<(TeamId, TeamRole)>,
    /// The inviter's name.
    pub invited_by: &'a str,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

/// Makes an invitation; earlier ones of the same address into the same team end.
///
/// # Errors
/// When the database fails or refuses the values.
pub async fn invite(
    connection: &mut Connection,
    hash: &[u8; 32],
    new: &NewInvitation<'_>,
    now: DateTime<Utc>,
) -> Result<i32, StoreError> {
    let row: JsonRow = statement(
        "WITH gone AS (
             DELETE FROM invitations WHERE lower(email) = lower($2) AND team_id IS NOT DISTINCT FROM $4)
         INSERT INTO invitations (token_hash, email, role, team_id, team_role, invited_by, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING to_jsonb(id) AS row",
    )
    .bind::<Binary, _>(hash.as_slice())
    .bind::<Text, _>(new.email)
    .bind::<Text, _>(new.role.as_str())
    .bind::<Nullable<Integer>, _>(new.team.map(|(team, _)| team.0))
    .bind::<Nullable<Text>, _>(new.team.map(|(_, role)| role.as_str()))
    .bind::<Text, _>(new.invited_by)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(new.expires_at)
    .get_result(connection)
    .await?;
    row.read()
}

/// The open invitations into the teams of a scope, the newest first.
///
/// # Errors
/// When the database fails.
pub async fn invitations(
    connection: &mut Connection,
    scope: &Scope,
    now: DateTime<Utc>,
) -> Result<Vec<Invitation>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT to_jsonb(x) AS row FROM (
            SELECT i.id, i.email, i.role, i.team_id AS team, t.name AS team_name, i.team_role, i.invited_by,
                i.created_at, i.expires_at
            FROM invitations i LEFT JOIN teams t ON t.id = i.team_id
            WHERE i.expires_at > $2 AND ($1 IS NULL OR i.team_id = ANY ($1)) ORDER BY i.id DESC) x",
    )
    .bind::<Nullable<Array<Integer>>, _>(scope.bind())
    .bind::<Timestamptz, _>(now)
    .load(connection)
    .await?;
    row::all(rows)
}

/// The open invitation with this hash.
///
/// # Errors
/// When the database fails.
pub async fn invitation(
    connection: &mut Connection,
    hash: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<Option<Invitation>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT to_jsonb(x) AS row FROM (
            SELECT i.id, i.email, i.role, i.team_id AS team, t.name AS team_name, i.team_role, i.invited_by,
                i.created_at, i.expires_at
            FROM invitations i LEFT JOIN teams t ON t.id = i.team_id
            WHERE i.token_hash = $1 AND i.expires_at > $2) x",
    )
    .bind::<Binary, _>(hash.as_slice())
    .bind::<Timestamptz, _>(now)
    .load(connection)
    .await?;
    row::first(rows)
}

/// Ends an invitation. Whether it was there: of two that accept at once only one gets true.
///
/// # Errors
/// When the database fails.
pub async fn end_invitation(connection: &mut Connection, id: i32) -> Result<bool, StoreError> {
    let gone =
        statement("DELETE FROM invitations WHERE id = $1").bind::<Integer, _>(id).execute(connection).await?;
    Ok(gone == 1)
}

/// Notes a link for setting a new password; earlier ones of the person end.
///
/// # Errors
/// When the database fails.
pub async fn add_reset(
    connection: &mut Connection,
    hash: &[u8; 32],
    user: UserId,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    statement(
        "WITH gone AS (DELETE FROM password_resets WHERE user_id = $2)
         INSERT INTO password_resets (token_hash, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4)",
    )
    .bind::<Binary, _>(hash.as_slice())
    .bind::<Integer, _>(user.0)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(expires_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// Whose password a link may set; the link ends with the answer.
///
/// # Errors
/// When the database fails.
pub async fn take_reset(
    connection: &mut Connection,
    hash: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<Option<UserId>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "WITH taken AS (DELETE FROM password_resets WHERE token_hash = $1 RETURNING user_id, expires_at)
         SELECT to_jsonb(t.user_id) AS row FROM taken t JOIN users u ON u.id = t.user_id
         WHERE t.expires_at > $2 AND NOT u.disabled",
    )
    .bind::<Binary, _>(hash.as_slice())
    .bind::<Timestamptz, _>(now)
    .load(connection)
    .await?;
    row::first(rows)
}

/// Notes a link for the first set-up.
///
/// # Errors
/// When the database fails.
pub async fn add_setup(
    connection: &mut Connection,
    hash: &[u8; 32],
    expires_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    statement("INSERT INTO setup_tokens (token_hash, expires_at) VALUES ($1, $2)")
        .bind::<Binary, _>(hash.as_slice())
        .bind::<Timestamptz, _>(expires_at)
        .execute(connection)
        .await?;
    Ok(())
}

/// Whether this is a link for the first set-up. All of them end when it is.
///
/// # Errors
/// When the database fails.
pub async fn take_setup(
    connection: &mut Connection,
    hash: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let gone = statement(
        "DELETE FROM setup_tokens
         WHERE EXISTS (SELECT 1 FROM setup_tokens s WHERE s.token_hash = $1 AND s.expires_at > $2)",
    )
    .bind::<Binary, _>(hash.as_slice())
    .bind::<Timestamptz, _>(now)
    .execute(connection)
    .await?;
    Ok(gone > 0)
}
