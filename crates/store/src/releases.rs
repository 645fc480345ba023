//! Releases: one row for each version and project. What `sentry-cli` calls a release of several projects is one of
//! each.

mod commits;
mod declare;
mod deploys;
mod issues;
mod list;
mod version;

pub use commits::{
    Commit, NewCommit, Repository, commits, last_commit, previous_with_commits, repositories, set_commits,
};
pub use declare::{Declared, ReleaseChange, Removed, change, declare, remove};
pub use deploys::{Deploy, NewDeploy, deploy, deploys, first_deploy};
pub use issues::{IssueKind, issues};
pub use list::{Filter, Position, Sort, list};
pub use version::{is_older, sort_key};

use crate::row::{self, JsonRow};
use crate::{Connection, Scope, StoreError, statement};
use bugle_model::{ProjectId, ReleaseStatus, TeamId};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A version has at most this many bytes.
pub const MAX_VERSION: usize = 200;

/// Who has made a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Author {
    /// The name.
    pub name: Option<String>,
    /// The address.
    pub email: Option<String>,
}

/// Where a release runs: the last deploy to an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Deployed {
    /// The environment.
    pub environment: String,
    /// When the deploy was finished.
    pub at: DateTime<Utc>,
}

/// A release of a project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Release {
    /// The row's number. Numbers grow in the order in which releases were made known.
    #[serde(skip_serializing)]
    #[schemars(skip)]
    pub number: i32,
    /// The team that owns its project.
    #[serde(skip_serializing)]
    #[schemars(skip)]
    pub team: Option<TeamId>,
    /// The project's id, a colon, and the version.
    pub id: String,
    /// Its project.
    pub project: ProjectId,
    /// The project's name.
    pub project_name: String,
    /// What apps send.
    pub version: String,
    /// Whether it is still looked at.
    pub status: ReleaseStatus,
    /// What it was built from: a branch, a tag or a commit.
    #[serde(rename = "ref")]
    pub reference: Option<String>,
    /// Where one can read about it.
    pub url: Option<String>,
    /// When it was made known, by an event or by a tool.
    pub created_at: DateTime<Utc>,
    /// When work on it was begun.
    pub started_at: Option<DateTime<Utc>>,
    /// When it was released.
    pub released_at: Option<DateTime<Utc>>,
    /// Its first event.
    pub first_seen: Option<DateTime<Utc>>,
    /// Its last event.
    pub last_seen: Option<DateTime<Utc>>,
    /// How many events.
    pub events: i64,
    /// Issues that were first seen in it.
    pub new_issues: i64,
    /// Issues that came back with it.
    pub regressed_issues: i64,
    /// Issues that are resolved by it, or were while it was the newest.
    pub resolved_issues: i64,
    /// How many commits it has.
    pub commit_count: i64,
    /// Who made the commits, 20 at most.
    pub authors: Vec<Author>,
    /// Where it runs.
    pub deployed: Vec<Deployed>,
}

/// Reads releases from what gives their rows, `r`, in an order. Everything that is counted is counted by an index.
macro_rules! select_releases {
    ($rows:literal, $order:literal) => {
        concat!(
            "SELECT to_jsonb(x) AS row FROM (
                 SELECT r.id AS number, p.team_id AS team, r.project_id || ':' || r.version AS id, r.project_id AS project,
                     p.name AS project_name, r.version, CASE r.status WHEN 0 THEN 'open' ELSE 'archived' END AS status,
                     r.ref, r.url, r.created_at, r.started_at, r.released_at,
                     c.first_event AS first_seen, c.last_event AS last_seen, coalesce(c.events, 0) AS events,
                     (SELECT count(*) FROM issues i WHERE i.first_release_id = r.id) AS new_issues,
                     (SELECT count(DISTINCT a.issue_id) FROM issue_activity a JOIN issues i ON i.id = a.issue_id
                      WHERE a.kind = 'regressed' AND a.data ->> 'release' = r.version AND i.project_id = r.project_id)
                         AS regressed_issues,
                     (SELECT count(*) FROM issues i WHERE i.resolved_release_id = r.id AND i.resolution <> 1)
                         + (SELECT count(*) FROM issues i WHERE i.resolution = 1 AND i.resolved_release_id =
                            bugle_previous_release(r.project_id, r.id, r.created_at, r.sort_key)) AS resolved_issues,
                     (SELECT count(*) FROM release_commits m WHERE m.release_id = r.id) AS commit_count,
                     (SELECT coalesce(jsonb_agg(jsonb_build_object('name', o.author_name, 'email', o.author_email)), '[]')
                      FROM (SELECT m.author_name, m.author_email FROM release_commits m
                            WHERE m.release_id = r.id AND (m.author_name IS NOT NULL OR m.author_email IS NOT NULL)
                            GROUP BY 1, 2 ORDER BY count(*) DESC, 1, 2 LIMIT 20) o) AS authors,
                     (SELECT coalesce(jsonb_agg(jsonb_build_object('environment', d.environment, 'at', d.at)
                             ORDER BY d.at DESC, d.environment), '[]')
                      FROM (SELECT d.environment, max(d.finished_at) AS at FROM deploys d WHERE d.release_id = r.id
                            GROUP BY 1 ORDER BY 2 DESC LIMIT 20) d) AS deployed
                 FROM (", $rows, ") r
                 JOIN projects p ON p.id = r.project_id
                 LEFT JOIN release_counts c ON c.release_id = r.id
                 ORDER BY ", $order, ") x"
        )
    };
}
use select_releases;

/// A release of a project by its version.
///
/// # Errors
/// When the database fails.
pub async fn get(
    connection: &mut Connection,
    project: ProjectId,
    version: &str,
) -> Result<Option<Release>, StoreError> {
    if !can_be_stored(version) {
        return Ok(None);
    }
    let rows: Vec<JsonRow> =
        statement(select_releases!("SELECT * FROM releases WHERE project_id = $1 AND version = $2", "r.id"))
            .bind::<Integer, _>(project.0)
            .bind::<Text, _>(version)
            .load(connection)
            .await?;
    row::first(rows)
}

/// The releases with a version in the projects of a scope, or in those of them that are named, by project; 100 at most.
///
/// # Errors
/// When the database fails.
pub async fn of_version(
    connection: &mut Connection,
    scope: &Scope,
    version: &str,
    projects: Option<&[ProjectId]>,
) -> Result<Vec<Release>, StoreError> {
    if !can_be_stored(version) {
        return Ok(Vec::new());
    }
    let rows: Vec<JsonRow> = statement(select_releases!(
        "SELECT r.* FROM projects p JOIN releases r ON r.project_id = p.id AND r.version = $1
         WHERE ($2 IS NULL OR p.team_id = ANY ($2)) AND ($3 IS NULL OR p.id = ANY ($3)) ORDER BY p.id LIMIT 100",
        "r.project_id"
    ))
    .bind::<Text, _>(version)
    .bind::<Nullable<Array<Integer>>, _>(scope.bind())
    .bind::<Nullable<Array<Integer>>, _>(projects.map(|all| all.iter().map(|id| id.0).collect::<Vec<_>>()))
    .load(connection)
    .await?;
    row::all(rows)
}

/// PostgreSQL takes no NUL in a text.
fn can_be_stored(version: &str) -> bool {
    version.len() <= MAX_VERSION && !version.contains('\0')
}

/// A release on a chart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Marker {
    /// What apps send.
    pub version: String,
    /// Its first event; of one without any, when it was made known.
    pub first_seen: DateTime<Utc>,
}

/// The releases of a project that were made known in a time, up to `limit` of the newest, the oldest first.
///
/// # Errors
/// When the database fails.
pub async fn markers(
    connection: &mut Connection,
    project: ProjectId,
    since: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Marker>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT jsonb_build_object('version', r.version, 'first_seen', r.seen) AS row FROM (
             SELECT r.id, r.version, coalesce(c.first_event, r.created_at) AS seen
             FROM releases r LEFT JOIN release_counts c ON c.release_id = r.id
             WHERE r.project_id = $1 AND r.created_at >= $2 ORDER BY r.created_at DESC, r.id DESC LIMIT $3) r
         WHERE r.seen >= $2 ORDER BY r.seen, r.id",
    )
    .bind::<Integer, _>(project.0)
    .bind::<Timestamptz, _>(since)
    .bind::<BigInt, _>(limit)
    .load(connection)
    .await?;
    row::all(rows)
}
