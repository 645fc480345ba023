//! Searches of issues that people come back to: each person's own, and those that a team shares.

use crate::issues::Sort;
use crate::row::{self, JsonRow};
use crate::{Connection, Scope, StoreError, statement};
use bugle_model::{ProjectId, TeamId, UserId};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A name has at most this many characters.
pub const MAX_NAME: usize = 60;
/// A person, or a team, has at most this many.
pub const MOST: i64 = 100;

/// A search of issues.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SavedSearch {
    /// Its id.
    pub id: i32,
    /// Its name; nothing else of the same person or team has it.
    pub name: String,
    /// What is searched for, as lists of issues take it.
    pub query: String,
    /// The order.
    pub sort: Sort,
    /// Only issues of this project.
    pub project: Option<ProjectId>,
    /// The project's name, while one sees it.
    pub project_name: Option<String>,
    /// The team that shares it; null for one's own.
    pub team: Option<TeamId>,
    /// The team's name.
    pub team_name: Option<String>,
    /// Who saved it, by name.
    pub created_by: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// Whose a search is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Seen by this person only.
    User(UserId),
    /// Seen by everybody in this team.
    Team(TeamId),
}

/// A search to be saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSearch<'a> {
    /// Whose it is.
    pub owner: Owner,
    /// Its name, 1 to [`MAX_NAME`] characters.
    pub name: &'a str,
    /// What is searched for, 500 characters at most.
    pub query: &'a str,
    /// The order.
    pub sort: Sort,
    /// Only issues of this project.
    pub project: Option<ProjectId>,
}

/// What is to be different; `None` leaves it as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchChange<'a> {
    /// Its name.
    pub name: Option<&'a str>,
    /// What is searched for.
    pub query: Option<&'a str>,
    /// The order.
    pub sort: Option<Sort>,
    /// Only issues of this project; `Some(None)` is of all.
    pub project: Option<Option<ProjectId>>,
}

/// Reads those that somebody (`$1`) sees, with a scope (`$2`), and that are so. What a team shares of a project that they do not
/// see is not there.
macro_rules! select {
    ($only:literal) => {
        concat!(
            "SELECT to_jsonb(x) AS row FROM (
                 SELECT s.id, s.name, s.query, s.sort, s.project_id AS project,
                     CASE WHEN $2 IS NULL OR p.team_id = ANY ($2) THEN p.name END AS project_name, s.team_id AS team,
                     t.name AS team_name, s.created_by, s.created_at
                 FROM saved_searches s LEFT JOIN projects p ON p.id = s.project_id LEFT JOIN teams t ON t.id = s.team_id
                 WHERE (s.user_id = $1 OR (s.team_id IS NOT NULL AND ($2 IS NULL OR s.team_id = ANY ($2))))
                    AND (s.user_id = $1 OR s.project_id IS NULL OR $2 IS NULL OR p.team_id = ANY ($2)) AND ",
            $only,
            ") x"
        )
    };
}

/// Somebody's own searches and those of the teams of a scope: up to `limit` after the one with the id `after`, the oldest first.
///
/// # Errors
/// When the database fails.
pub async fn list(
    connection: &mut Connection,
    user: UserId,
    scope: &Scope,
    after: Option<i32>,
    limit: usize,
) -> Result<Vec<SavedSearch>, StoreError> {
    let rows: Vec<JsonRow> = statement(select!("s.id > $3 ORDER BY s.id LIMIT $4"))
        .bind::<Integer, _>(user.0)
        .bind::<Nullable<Array<Integer>>, _>(scope.bind())
        .bind::<Integer, _>(after.unwrap_or(0))
        .bind::<BigInt, _>(i64::try_from(limit).unwrap_or(i64::MAX))
        .load(connection)
        .await?;
    row::all(rows)
}

/// One of them.
///
/// # Errors
/// When the database fails.
pub async fn get(
    connection: &mut Connection,
    user: UserId,
    scope: &Scope,
    id: i32,
) -> Result<Option<SavedSearch>, StoreError> {
    let rows: Vec<JsonRow> = statement(select!("s.id = $3"))
        .bind::<Integer, _>(user.0)
        .bind::<Nullable<Array<Integer>>, _>(scope.bind())
        .bind::<Integer, _>(id)
        .load(connection)
        .await?;
    row::first(rows)
}

/// Saves a search. Its id; `None` when there are [`MOST`] already. A name that is taken gives [`StoreError::unique_violation`]. Holds whose it
/// is until the end of the caller's transaction, so that two at once are counted one after the other.
///
/// # Errors
/// When the database fails or refuses the values.
pub async fn create(
    connection: &mut Connection,
    new: &NewSearch<'_>,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<Option<i32>, StoreError> {
    let actor: String = actor.chars().take(128).collect();
    let (user, team, hold) = match new.owner {
        Owner::User(user) => (Some(user.0), None, "SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE"),
        Owner::Team(team) => (None, Some(team.0), "SELECT FROM teams WHERE id = $1 FOR NO KEY UPDATE"),
    };
    statement(hold).bind::<Nullable<Integer>, _>(user.or(team)).execute(connection).await?;
    let rows: Vec<JsonRow> = statement(
        "INSERT INTO saved_searches (user_id, team_id, name, query, sort, project_id, created_by, created_at)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8
         WHERE (SELECT count(*) FROM saved_searches s WHERE s.user_id = $1 OR s.team_id = $2) < $9
         RETURNING to_jsonb(id) AS row",
    )
    .bind::<Nullable<Integer>, _>(user)
    .bind::<Nullable<Integer>, _>(team)
    .bind::<Text, _>(new.name)
    .bind::<Text, _>(new.query)
    .bind::<Text, _>(new.sort.as_str())
    .bind::<Nullable<Integer>, _>(new.project.map(|project| project.0))
    .bind::<Text, _>(actor)
    .bind::<Timestamptz, _>(now)
    .bind::<BigInt, _>(MOST)
    .load(connection)
    .await?;
    row::first(rows)
}

/// Changes a search that was looked up for whoever changes it.
///
/// # Errors
/// As [`create`].
pub async fn change(
    connection: &mut Connection,
    id: i32,
    change: &SearchChange<'_>,
) -> Result<(), StoreError> {
    statement(
        "UPDATE saved_searches SET name = coalesce($2, name), query = coalesce($3, query), sort = coalesce($4, sort),
             project_id = CASE WHEN $5 THEN $6 ELSE project_id END
         WHERE id = $1",
    )
    .bind::<Integer, _>(id)
    .bind::<Nullable<Text>, _>(change.name)
    .bind::<Nullable<Text>, _>(change.query)
    .bind::<Nullable<Text>, _>(change.sort.map(Sort::as_str))
    .bind::<Bool, _>(change.project.is_some())
    .bind::<Nullable<Integer>, _>(change.project.flatten().map(|project| project.0))
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets a search.
///
/// # Errors
/// When the database fails.
pub async fn remove(connection: &mut Connection, id: i32) -> Result<(), StoreError> {
    statement("DELETE FROM saved_searches WHERE id = $1").bind::<Integer, _>(id).execute(connection).await?;
    Ok(())
}
