//! Where a release was brought to.

use super::Release;
use crate::row::{self, JsonRow};
use crate::{Connection, StoreError, statement};
use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Integer, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A deploy to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDeploy {
    /// Where to, 64 bytes at most.
    pub environment: String,
    /// What it is called, 64 characters at most.
    pub name: Option<String>,
    /// Where one can read about it, 2,048 characters at most.
    pub url: Option<String>,
    /// When it was begun.
    pub started_at: Option<DateTime<Utc>>,
    /// When it was finished.
    pub finished_at: DateTime<Utc>,
}

/// A deploy of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Deploy {
    /// Its id.
    pub id: i32,
    /// Where to.
    pub environment: String,
    /// What it is called.
    pub name: Option<String>,
    /// Where one can read about it.
    pub url: Option<String>,
    /// When it was begun.
    pub started_at: Option<DateTime<Utc>>,
    /// When it was finished.
    pub finished_at: DateTime<Utc>,
}

/// Notes a deploy of a release.
///
/// # Errors
/// When the database fails or refuses the values.
pub async fn deploy(
    connection: &mut Connection,
    release: &Release,
    new: &NewDeploy,
) -> Result<Deploy, StoreError> {
    let row: JsonRow = statement(
        "INSERT INTO deploys (release_id, environment, name, url, started_at, finished_at)
         VALUES ($1, $2, $3, $4, $5, $6) RETURNING to_jsonb(deploys) AS row",
    )
    .bind::<Integer, _>(release.number)
    .bind::<Text, _>(&new.environment)
    .bind::<Nullable<Text>, _>(&new.name)
    .bind::<Nullable<Text>, _>(&new.url)
    .bind::<Nullable<Timestamptz>, _>(new.started_at)
    .bind::<Timestamptz, _>(new.finished_at)
    .get_result(connection)
    .await?;
    row.read()
}

/// Up to `limit` deploys of a release before the one with the id `before`, the latest first.
///
/// # Errors
/// When the database fails.
pub async fn deploys(
    connection: &mut Connection,
    release: &Release,
    before: Option<i32>,
    limit: usize,
) -> Result<Vec<Deploy>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT to_jsonb(d) AS row FROM deploys d WHERE d.release_id = $1 AND d.id < $2 ORDER BY d.id DESC LIMIT $3",
    )
    .bind::<Integer, _>(release.number)
    .bind::<Integer, _>(before.unwrap_or(i32::MAX))
    .bind::<BigInt, _>(i64::try_from(limit).unwrap_or(i64::MAX))
    .load(connection)
    .await?;
    row::all(rows)
}

/// When the first deploy of a release was finished.
///
/// # Errors
/// When the database fails.
pub async fn first_deploy(
    connection: &mut Connection,
    release: &Release,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    let row: JsonRow = statement(
        "SELECT coalesce(to_jsonb(min(finished_at)), 'null') AS row FROM deploys WHERE release_id = $1",
    )
    .bind::<Integer, _>(release.number)
    .get_result(connection)
    .await?;
    row.read()
}
