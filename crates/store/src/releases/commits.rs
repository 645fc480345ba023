//! What a release is made of.

use super::{Release, select_releases};
use crate::issues::Fix;
use crate::row::{self, JsonRow};
use crate::{Connection, Scope, StoreError, issues, locks, statement};
use bugle_model::fixed_by;
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz};
use diesel_async::{AsyncConnection, RunQueryDsl};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A commit to be kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewCommit {
    /// Its id, 64 characters at most; kept in lower case.
    pub id: String,
    /// Where it is, 200 characters at most.
    pub repository: Option<String>,
    /// Who made it, 128 characters at most.
    pub author_name: Option<String>,
    /// Their address, 254 characters at most.
    pub author_email: Option<String>,
    /// What they say of it, 4,096 characters at most.
    pub message: Option<String>,
    /// When it was made.
    pub timestamp: Option<DateTime<Utc>>,
}

/// A commit of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Commit {
    /// Its place in the release; the newest has 0.
    #[serde(skip_serializing)]
    #[schemars(skip)]
    pub place: i32,
    /// Its id.
    pub id: String,
    /// Where it is.
    pub repository: Option<String>,
    /// Who made it.
    pub author_name: Option<String>,
    /// Their address.
    pub author_email: Option<String>,
    /// What they say of it.
    pub message: Option<String>,
    /// When it was made.
    pub timestamp: Option<DateTime<Utc>>,
}

/// A repository that some release has commits of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    /// Its number.
    pub id: i32,
    /// Its name.
    pub name: String,
    /// When it was first heard of.
    pub created_at: DateTime<Utc>,
}

/// Gives a release these commits, the newest first, in place of those that it had. Issues of its project that wait for one of
/// them, or that one of them says it fixes, are resolved, by `actor`. One at a time in a project.
///
/// # Errors
/// When the database fails or refuses the values.
pub async fn set_commits(
    connection: &mut Connection,
    release: &Release,
    commits: &[NewCommit],
    actor: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    connection
        .transaction(async |connection| {
            locks::commits(connection, release.project).await?;
            statement("DELETE FROM release_commits WHERE release_id = $1")
                .bind::<Integer, _>(release.number)
                .execute(connection)
                .await?;
            if commits.is_empty() {
                return Ok(());
            }
            add_repositories(connection, release, commits, now).await?;
            let ids: Vec<String> = commits.iter().map(|commit| commit.id.to_ascii_lowercase()).collect();
            insert(connection, release, commits, &ids).await?;
            let fixes = fixes(commits, &ids);
            issues::by_commits(connection, release.project, release.number, &ids, &fixes, actor, now).await
        })
        .await
}

/// What the messages of commits say, of which these are the ids.
fn fixes(commits: &[NewCommit], ids: &[String]) -> Vec<Fix> {
    let said = commits.iter().zip(ids).filter_map(|(commit, id)| Some((commit.message.as_deref()?, id)));
    said.flat_map(|(message, id)| {
        fixed_by(message).into_iter().map(|issue| Fix { commit: id.clone(), issue })
    })
    .collect()
}

async fn add_repositories(
    connection: &mut Connection,
    release: &Release,
    commits: &[NewCommit],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let names: BTreeSet<&str> = commits.iter().filter_map(|commit| commit.repository.as_deref()).collect();
    statement(
        "INSERT INTO repositories (project_id, name, created_at) SELECT $1, n, $3 FROM UNNEST($2) AS t (n)
         ON CONFLICT (project_id, name) DO NOTHING",
    )
    .bind::<Integer, _>(release.project.0)
    .bind::<Array<Text>, _>(names.into_iter().collect::<Vec<_>>())
    .bind::<Timestamptz, _>(now)
    .execute(connection)
    .await?;
    Ok(())
}

async fn insert(
    connection: &mut Connection,
    release: &Release,
    commits: &[NewCommit],
    ids: &[String],
) -> Result<(), StoreError> {
    let texts = |of: fn(&NewCommit) -> Option<&str>| commits.iter().map(of).collect::<Vec<Option<&str>>>();
    statement(
        "INSERT INTO release_commits (release_id, place, repository_id, sha, author_name, author_email, message,
             committed_at)
         SELECT $1, t.place - 1, r.id, t.sha, t.name, t.email, t.message, t.at
         FROM UNNEST($3, $4, $5, $6, $7, $8) WITH ORDINALITY AS t (sha, repository, name, email, message, at, place)
         LEFT JOIN repositories r ON r.project_id = $2 AND r.name = t.repository",
    )
    .bind::<Integer, _>(release.number)
    .bind::<Integer, _>(release.project.0)
    .bind::<Array<Text>, _>(ids)
    .bind::<Array<Nullable<Text>>, _>(texts(|commit| commit.repository.as_deref()))
    .bind::<Array<Nullable<Text>>, _>(texts(|commit| commit.author_name.as_deref()))
    .bind::<Array<Nullable<Text>>, _>(texts(|commit| commit.author_email.as_deref()))
    .bind::<Array<Nullable<Text>>, _>(texts(|commit| commit.message.as_deref()))
    .bind::<Array<Nullable<Timestamptz>>, _>(commits.iter().map(|commit| commit.timestamp).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Up to `limit` commits of a release after a place, the newest first.
///
/// # Errors
/// When the database fails.
pub async fn commits(
    connection: &mut Connection,
    release: &Release,
    after: Option<i32>,
    limit: usize,
) -> Result<Vec<Commit>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT to_jsonb(x) AS row FROM (
             SELECT c.place, c.sha AS id, r.name AS repository, c.author_name, c.author_email, c.message,
                 c.committed_at AS timestamp
             FROM release_commits c LEFT JOIN repositories r ON r.id = c.repository_id
             WHERE c.release_id = $1 AND c.place > $2 ORDER BY c.place LIMIT $3) x",
    )
    .bind::<Integer, _>(release.number)
    .bind::<Integer, _>(after.unwrap_or(-1))
    .bind::<BigInt, _>(i64::try_from(limit).unwrap_or(i64::MAX))
    .load(connection)
    .await?;
    row::all(rows)
}

/// The newest commit of a release.
///
/// # Errors
/// When the database fails.
pub async fn last_commit(
    connection: &mut Connection,
    release: &Release,
) -> Result<Option<Commit>, StoreError> {
    Ok(commits(connection, release, None, 1).await?.into_iter().next())
}

/// The last release made known before one, of the same project, that has commits.
///
/// # Errors
/// When the database fails.
pub async fn previous_with_commits(
    connection: &mut Connection,
    release: &Release,
) -> Result<Option<Release>, StoreError> {
    let rows: Vec<JsonRow> = statement(select_releases!(
        "SELECT r.* FROM releases one JOIN releases r ON r.project_id = one.project_id
             AND (r.created_at, r.id) < (one.created_at, one.id)
         WHERE one.id = $1 AND EXISTS (SELECT 1 FROM release_commits c WHERE c.release_id = r.id)
         ORDER BY r.created_at DESC, r.id DESC LIMIT 1",
        "r.id"
    ))
    .bind::<Integer, _>(release.number)
    .load(connection)
    .await?;
    row::first(rows)
}

/// The repositories that releases of a scope have commits of, by name; 100 at most.
///
/// # Errors
/// When the database fails.
pub async fn repositories(connection: &mut Connection, scope: &Scope) -> Result<Vec<Repository>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT to_jsonb(x) AS row FROM (
             SELECT min(r.id) AS id, r.name, min(r.created_at) AS created_at
             FROM repositories r JOIN projects p ON p.id = r.project_id
             WHERE ($1 IS NULL OR p.team_id = ANY ($1)) GROUP BY r.name ORDER BY r.name LIMIT 100) x",
    )
    .bind::<Nullable<Array<Integer>>, _>(scope.bind())
    .load(connection)
    .await?;
    row::all(rows)
}
