//! Teams, and who is in them.

use crate::oncall::ResponseTimes;
use crate::row::{self, JsonRow};
use crate::{Connection, Scope, StoreError, statement};
use bugle_model::{TeamId, TeamRole, UserId};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Integer, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A name has at most this many characters.
pub const MAX_NAME: usize = 64;

/// A team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Team {
    /// Its id.
    pub id: TeamId,
    /// Its name, unique.
    pub name: String,
    /// How many people.
    pub members: i64,
    /// How many projects.
    pub projects: i64,
    /// How long its incidents have to be answered.
    pub response_times: ResponseTimes,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Somebody in a team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Member {
    /// Who; named `id` as everywhere.
    pub id: UserId,
    /// What others read.
    pub name: String,
    /// Their address.
    pub email: String,
    /// What they may do in the team.
    pub role: TeamRole,
    /// Cannot sign in.
    pub disabled: bool,
}

/// Makes a team. A name that is taken gives [`StoreError::unique_violation`].
///
/// # Errors
/// When the database fails or refuses the values.
pub async fn create(
    connection: &mut Connection,
    name: &str,
    now: DateTime<Utc>,
) -> Result<TeamId, StoreError> {
    let row: JsonRow =
        statement("INSERT INTO teams (name, created_at) VALUES ($1, $2) RETURNING to_jsonb(id) AS row")
            .bind::<Text, _>(name)
            .bind::<Timestamptz, _>(now)
            .get_result(connection)
            .await?;
    row.read()
}

/// The teams of a scope, by name.
///
/// # Errors
/// When the database fails.
pub async fn list(connection: &mut Connection, scope: &Scope) -> Result<Vec<Team>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT to_jsonb(x) AS row FROM (
            SELECT t.id, t.name, t.created_at,
                (SELECT count(*) FROM memberships m WHERE m.team_id = t.id) AS members,
                (SELECT count(*) FROM projects p WHERE p.team_id = t.id) AS projects,
                jsonb_build_object('low', t.response_minutes[1], 'medium', t.response_minutes[2], 'high', t.response_minutes[3],
                    'critical', t.response_minutes[4]) AS response_times
            FROM teams t WHERE ($1 IS NULL OR t.id = ANY ($1)) ORDER BY t.name) x",
    )
    .bind::<Nullable<Array<Integer>>, _>(scope.bind())
    .load(connection)
    .await?;
    row::all(rows)
}

/// One team of a scope.
///
/// # Errors
/// When the database fails.
pub async fn get(connection: &mut Connection, scope: &Scope, id: TeamId) -> Result<Option<Team>, StoreError> {
    if !scope.holds(Some(id)) {
        return Ok(None);
    }
    Ok(list(connection, &Scope::Teams(vec![id])).await?.into_iter().next())
}

/// Gives a team another name. A name that is taken gives [`StoreError::unique_violation`].
///
/// # Errors
/// When the database fails or refuses the name.
pub async fn rename(connection: &mut Connection, id: TeamId, name: &str) -> Result<(), StoreError> {
    statement("UPDATE teams SET name = $2 WHERE id = $1")
        .bind::<Integer, _>(id.0)
        .bind::<Text, _>(name)
        .execute(connection)
        .await?;
    Ok(())
}

/// Removes a team with its memberships, invitations and tokens. While it has projects the database refuses:
/// [`StoreError::is_missing_reference`]. Composes with the caller's transaction.
///
/// # Errors
/// When the database fails or refuses.
pub async fn delete(connection: &mut Connection, id: TeamId) -> Result<(), StoreError> {
    // In the order of their ids, as recorders lock them: they lose their assignee.
    statement("SELECT id FROM issues WHERE assigned_team_id = $1 ORDER BY id FOR NO KEY UPDATE")
        .bind::<Integer, _>(id.0)
        .execute(connection)
        .await?;
    statement("DELETE FROM teams WHERE id = $1").bind::<Integer, _>(id.0).execute(connection).await?;
    Ok(())
}

/// Who is in a team, by name.
///
/// # Errors
/// When the database fails.
pub async fn members(connection: &mut Connection, id: TeamId) -> Result<Vec<Member>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT to_jsonb(x) AS row FROM (
            SELECT u.id, u.name, u.email, u.disabled, m.role
            FROM memberships m JOIN users u ON u.id = m.user_id WHERE m.team_id = $1 ORDER BY u.name, u.id) x",
    )
    .bind::<Integer, _>(id.0)
    .load(connection)
    .await?;
    row::all(rows)
}

/// Puts somebody into a team, or changes what they may do in it.
///
/// # Errors
/// When the database fails; [`StoreError::is_missing_reference`] when one of them is not there.
pub async fn put_member(
    connection: &mut Connection,
    team: TeamId,
    user: UserId,
    role: TeamRole,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    statement(
        "INSERT INTO memberships (team_id, user_id, role, created_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (user_id, team_id) DO UPDATE SET role = excluded.role",
    )
    .bind::<Integer, _>(team.0)
    .bind::<Integer, _>(user.0)
    .bind::<Text, _>(role.as_str())
    .bind::<Timestamptz, _>(now)
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes somebody out of a team. Whether they were in it.
///
/// # Errors
/// When the database fails.
pub async fn remove_member(
    connection: &mut Connection,
    team: TeamId,
    user: UserId,
) -> Result<bool, StoreError> {
    let gone = statement("DELETE FROM memberships WHERE team_id = $1 AND user_id = $2")
        .bind::<Integer, _>(team.0)
        .bind::<Integer, _>(user.0)
        .execute(connection)
        .await?;
    Ok(gone == 1)
}

/// Gives a team every project that has none. How many.
///
/// # Errors
/// When the database fails.
pub async fn adopt_projects(connection: &mut Connection, team: TeamId) -> Result<usize, StoreError> {
    Ok(statement("UPDATE projects SET team_id = $1 WHERE team_id IS NULL")
        .bind::<Integer, _>(team.0)
        .execute(connection)
        .await?)
}
