//! Lists of releases.

use super::{Release, select_releases, sort_key};
use crate::issues::pattern;
use crate::row::{self, JsonRow};
use crate::{Connection, Scope, StoreError, statement};
use bugle_model::{ProjectId, ReleaseStatus};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Integer, Nullable, SmallInt, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};

/// Which releases. The default is none, by its scope.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only of these projects.
    pub scope: Scope,
    /// Only this project's.
    pub project: Option<ProjectId>,
    /// Only of this version, in which `*` stands for anything.
    pub version: Option<String>,
    /// Only with this status.
    pub status: Option<ReleaseStatus>,
}

/// In which order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    /// The last made known first.
    #[default]
    Created,
    /// The highest semantic version first; after those, others, the last made known first.
    Version,
}

/// Where in a list a release is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    at: DateTime<Utc>,
    version: String,
    number: i32,
}

impl Position {
    /// The position of a release.
    #[must_use]
    pub fn of(release: &Release) -> Self {
        // Others all sort alike, and their names could be too long for a cursor.
        let version = sort_key(&release.version).map(|_| release.version.clone()).unwrap_or_default();
        Self { at: release.created_at, version, number: release.number }
    }
}

/// Up to `limit` releases after a position.
///
/// # Errors
/// When the database fails.
pub async fn list(
    connection: &mut Connection,
    filter: &Filter,
    sort: Sort,
    after: Option<&Position>,
    limit: usize,
) -> Result<Vec<Release>, StoreError> {
    // Each walks the index of each project; the limit inside keeps it from reading more.
    let text = match sort {
        Sort::Created => select_releases!(
            "SELECT r.* FROM projects p CROSS JOIN LATERAL (
                 SELECT * FROM releases r
                 WHERE r.project_id = p.id AND (r.created_at, r.id) < (coalesce($5, 'infinity'::timestamptz), $7)
                   AND ($3 IS NULL OR r.version LIKE $3) AND ($4 IS NULL OR r.status = $4) AND ($6 IS NULL OR true)
                 ORDER BY r.created_at DESC, r.id DESC LIMIT $8) r
             WHERE ($1 IS NULL OR p.id = $1) AND ($2 IS NULL OR p.team_id = ANY ($2))
             ORDER BY r.created_at DESC, r.id DESC LIMIT $8",
            "r.created_at DESC, r.id DESC"
        ),
        Sort::Version => select_releases!(
            "SELECT r.* FROM projects p CROSS JOIN LATERAL (
                 SELECT * FROM releases r
                 WHERE r.project_id = p.id AND ($6 IS NULL OR (r.sort_key, r.id) < (bugle_version_key($6), $7))
                   AND ($3 IS NULL OR r.version LIKE $3) AND ($4 IS NULL OR r.status = $4) AND ($5 IS NULL OR true)
                 ORDER BY r.sort_key DESC, r.id DESC LIMIT $8) r
             WHERE ($1 IS NULL OR p.id = $1) AND ($2 IS NULL OR p.team_id = ANY ($2))
             ORDER BY r.sort_key DESC, r.id DESC LIMIT $8",
            "r.sort_key DESC, r.id DESC"
        ),
    };
    let rows: Vec<JsonRow> = statement(text)
        .bind::<Nullable<Integer>, _>(filter.project.map(|project| project.0))
        .bind::<Nullable<Array<Integer>>, _>(filter.scope.bind())
        .bind::<Nullable<Text>, _>(filter.version.as_deref().map(pattern))
        .bind::<Nullable<SmallInt>, _>(filter.status.map(ReleaseStatus::code))
        .bind::<Nullable<Timestamptz>, _>(after.map(|position| position.at))
        .bind::<Nullable<Text>, _>(after.map(|position| position.version.as_str()))
        .bind::<Integer, _>(after.map_or(i32::MAX, |position| position.number))
        .bind::<BigInt, _>(i64::try_from(limit).unwrap_or(i64::MAX))
        .load(connection)
        .await?;
    row::all(rows)
}
