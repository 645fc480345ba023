//! Issues that nobody wants to hear of again: the recorder filters events with one of their fingerprints.

use crate::issues::merge::Gone;
use crate::row::{self, JsonRow};
use crate::{Connection, StoreError, statement};
use bugle_model::ProjectId;
use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Integer, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is discarded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Discard {
    /// Its id.
    pub id: i32,
    /// The title of the issue that it was.
    pub title: String,
    /// How many fingerprints it has.
    pub fingerprints: i64,
    /// Who did it, by name.
    pub created_by: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// Discards what has the fingerprints of an issue that is locked and about to be deleted.
///
/// # Errors
/// When the database fails.
pub(crate) async fn add(
    connection: &mut Connection,
    issue: &Gone,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let actor: String = actor.chars().take(128).collect();
    statement(
        "WITH made AS (
             INSERT INTO discards (project_id, title, created_by, created_at) VALUES ($2, $3, $4, $5) RETURNING id)
         INSERT INTO discard_hashes (project_id, hash, discard_id)
         SELECT h.project_id, h.hash, made.id FROM issue_hashes h, made WHERE h.issue_id = $1
         ON CONFLICT (project_id, hash) DO NOTHING",
    )
    .bind::<BigInt, _>(issue.id)
    .bind::<Integer, _>(issue.project_id)
    .bind::<Text, _>(&issue.title)
    .bind::<Text, _>(actor)
    .bind::<Timestamptz, _>(now)
    .execute(connection)
    .await?;
    Ok(())
}

/// What a project discards, the latest first: up to `limit` before the one with the id `before`.
///
/// # Errors
/// When the database fails.
pub async fn list(
    connection: &mut Connection,
    project: ProjectId,
    before: Option<i32>,
    limit: usize,
) -> Result<Vec<Discard>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT to_jsonb(x) AS row FROM (
            SELECT d.id, d.title, d.created_by, d.created_at,
                (SELECT count(*) FROM discard_hashes h WHERE h.discard_id = d.id) AS fingerprints
            FROM discards d WHERE d.project_id = $1 AND d.id < $2 ORDER BY d.id DESC LIMIT $3) x",
    )
    .bind::<Integer, _>(project.0)
    .bind::<Integer, _>(before.unwrap_or(i32::MAX))
    .bind::<BigInt, _>(i64::try_from(limit).unwrap_or(i64::MAX))
    .load(connection)
    .await?;
    row::all(rows)
}

/// Takes events with these fingerprints again: the next one opens an issue. What it was; `None` when there is none.
///
/// # Errors
/// When the database fails.
pub async fn remove(
    connection: &mut Connection,
    project: ProjectId,
    id: i32,
) -> Result<Option<Discard>, StoreError> {
    let found = list(connection, project, id.checked_add(1), 1).await?;
    let Some(found) = found.into_iter().find(|discard| discard.id == id) else { return Ok(None) };
    statement("DELETE FROM discards WHERE id = $1").bind::<Integer, _>(id).execute(connection).await?;
    Ok(Some(found))
}
