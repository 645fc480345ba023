//! Issues: read by the API, changed by people. The recorder writes everything else about them.

mod change;
mod condition;
mod facets;
mod filter;
mod list;
mod search;
mod sort;
mod sql;
mod totals;
mod wildcard;

pub use change::{IssueChange, change};
pub use facets::{Facets, Tally, facets};
pub use filter::{Filter, Neighbours, PersonFilter, Range, TagFilter};
pub use list::{Position, known_tags, list};
pub use search::{Found, places, search};
pub use sort::{Place, Sort};
pub use totals::{Day, Load, Total, days, totals, workload};

use crate::{Connection, Scope, StoreError, statement};
use bugle_model::{IssueId, IssueStatus, Level, Priority, ProjectId, TeamId};
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, SmallInt, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use std::collections::HashMap;

/// An issue with its counts and what names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Its id, unique everywhere.
    pub id: IssueId,
    /// Its number within the project.
    pub number: i32,
    /// Its project.
    pub project: ProjectId,
    /// The project's name.
    pub project_name: String,
    /// The team that owns the project.
    pub team: Option<TeamId>,
    /// The project's prefix; with the number it makes the short id.
    pub prefix: String,
    /// What people read first.
    pub title: String,
    /// Where it happens.
    pub culprit: Option<String>,
    /// The type of the exception.
    pub error_type: Option<String>,
    /// The language or runtime of its first event.
    pub platform: String,
    /// The level.
    pub level: Level,
    /// The priority.
    pub priority: Priority,
    /// A person or a client chose the priority.
    pub priority_chosen: bool,
    /// Where it stands.
    pub status: IssueStatus,
    /// How often it has come back.
    pub generation: i32,
    /// How many events.
    pub count: i64,
    /// How many users were affected.
    pub users: i32,
    /// When it was first seen.
    pub first_seen: DateTime<Utc>,
    /// When it was last seen.
    pub last_seen: DateTime<Utc>,
    /// The minute of the last event: the order of lists.
    pub active_at: DateTime<Utc>,
    /// When it was resolved, while it is.
    pub resolved_at: Option<DateTime<Utc>>,
    /// Who deals with it.
    pub assigned_to: Option<String>,
    /// The release of its first event.
    pub first_release: Option<String>,
}

impl Issue {
    /// What people call it: `SHOP-42`.
    #[must_use]
    pub fn short_id(&self) -> String {
        format!("{}-{}", self.prefix, self.number)
    }
}

#[derive(QueryableByName)]
pub(crate) struct Row {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Integer)]
    number: i32,
    #[diesel(sql_type = Integer)]
    project_id: i32,
    #[diesel(sql_type = Text)]
    project_name: String,
    #[diesel(sql_type = Nullable<Integer>)]
    team_id: Option<i32>,
    #[diesel(sql_type = Text)]
    prefix: String,
    #[diesel(sql_type = Text)]
    title: String,
    #[diesel(sql_type = Nullable<Text>)]
    culprit: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    error_type: Option<String>,
    #[diesel(sql_type = Text)]
    platform: String,
    #[diesel(sql_type = SmallInt)]
    level: i16,
    #[diesel(sql_type = SmallInt)]
    priority: i16,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    priority_chosen: bool,
    #[diesel(sql_type = SmallInt)]
    status: i16,
    #[diesel(sql_type = Integer)]
    generation: i32,
    #[diesel(sql_type = BigInt)]
    count: i64,
    #[diesel(sql_type = Integer)]
    users: i32,
    #[diesel(sql_type = Timestamptz)]
    first_seen: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    last_seen: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    active_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    resolved_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    assigned_to: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    first_release: Option<String>,
}

impl TryFrom<Row> for Issue {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let damaged = |field: &str| StoreError::Damaged(format!("issue {}: {field}", row.id));
        Ok(Self {
            level: Level::from_code(row.level).ok_or_else(|| damaged("level"))?,
            priority: Priority::from_code(row.priority).ok_or_else(|| damaged("priority"))?,
            status: IssueStatus::from_code(row.status).ok_or_else(|| damaged("status"))?,
            id: IssueId(row.id),
            number: row.number,
            project: ProjectId(row.project_id),
            project_name: row.project_name,
            team: row.team_id.map(TeamId),
            prefix: row.prefix,
            title: row.title,
            culprit: row.culprit,
            error_type: row.error_type,
            platform: row.platform,
            priority_chosen: row.priority_chosen,
            generation: row.generation,
            count: row.count,
            users: row.users,
            first_seen: row.first_seen,
            last_seen: row.last_seen,
            active_at: row.active_at,
            resolved_at: row.resolved_at,
            assigned_to: row.assigned_to,
            first_release: row.first_release,
        })
    }
}

/// One issue of a scope by its id.
///
/// # Errors
/// When the database fails.
pub async fn get(
    connection: &mut Connection,
    scope: &Scope,
    id: IssueId,
) -> Result<Option<Issue>, StoreError> {
    let rows: Vec<Row> = statement(
        "SELECT i.id, i.number, i.project_id, p.name AS project_name, p.team_id, p.prefix, i.title, i.culprit, i.error_type,
                i.platform, i.level, i.priority, i.priority_chosen, i.status, i.generation,
                coalesce(c.events, 0) AS count, coalesce(c.users, 0) AS users, i.first_seen,
                coalesce(c.last_seen, i.active_at) AS last_seen, i.active_at, i.resolved_at, i.assigned_to,
                r.version AS first_release
         FROM issues i
         JOIN projects p ON p.id = i.project_id
         LEFT JOIN issue_counts c ON c.issue_id = i.id
         LEFT JOIN releases r ON r.id = i.first_release_id
         WHERE i.id = $1 AND ($2 IS NULL OR p.team_id = ANY ($2))",
    )
    .bind::<BigInt, _>(id.0)
    .bind::<Nullable<Array<Integer>>, _>(scope.bind())
    .load(connection)
    .await?;
    rows.into_iter().next().map(Issue::try_from).transpose()
}

/// Issues by their ids.
async fn by_ids(connection: &mut Connection, ids: &[i64]) -> Result<HashMap<i64, Issue>, StoreError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<Row> = statement(
        "SELECT i.id, i.number, i.project_id, p.name AS project_name, p.team_id, p.prefix, i.title, i.culprit, i.error_type,
                i.platform, i.level, i.priority, i.priority_chosen, i.status, i.generation,
                coalesce(c.events, 0) AS count, coalesce(c.users, 0) AS users, i.first_seen,
                coalesce(c.last_seen, i.active_at) AS last_seen, i.active_at, i.resolved_at, i.assigned_to,
                r.version AS first_release
         FROM issues i
         JOIN projects p ON p.id = i.project_id
         LEFT JOIN issue_counts c ON c.issue_id = i.id
         LEFT JOIN releases r ON r.id = i.first_release_id
         WHERE i.id = ANY ($1)",
    )
    .bind::<Array<BigInt>, _>(ids)
    .load(connection)
    .await?;
    rows.into_iter().map(|row| Ok((row.id, Issue::try_from(row)?))).collect()
}

#[derive(QueryableByName)]
struct IdRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// The id of the issue of a scope that a short id such as `SHOP-42` names.
///
/// # Errors
/// When the database fails.
pub async fn find(
    connection: &mut Connection,
    scope: &Scope,
    short_id: &str,
) -> Result<Option<IssueId>, StoreError> {
    let Some((prefix, number)) = short_id.rsplit_once('-') else { return Ok(None) };
    let Ok(number) = number.parse::<i32>() else { return Ok(None) };
    if prefix.contains('\0') {
        return Ok(None);
    }
    let rows: Vec<IdRow> = statement(
        "SELECT i.id FROM issues i JOIN projects p ON p.id = i.project_id
         WHERE p.prefix = $1 AND i.number = $2 AND ($3 IS NULL OR p.team_id = ANY ($3))",
    )
    .bind::<Text, _>(prefix.to_ascii_uppercase())
    .bind::<Integer, _>(number)
    .bind::<Nullable<Array<Integer>>, _>(scope.bind())
    .load(connection)
    .await?;
    Ok(rows.into_iter().next().map(|row| IssueId(row.id)))
}

#[derive(QueryableByName)]
struct VersionRow {
    #[diesel(sql_type = Text)]
    version: String,
}

/// The releases that an issue was seen in, newest first, `limit` at most.
///
/// # Errors
/// When the database fails.
pub async fn releases(
    connection: &mut Connection,
    id: IssueId,
    limit: i64,
) -> Result<Vec<String>, StoreError> {
    let rows: Vec<VersionRow> = statement(
        "SELECT r.version FROM issues i
         JOIN issue_tags t ON t.issue_id = i.id AND t.key = 'release'
         JOIN releases r ON r.project_id = i.project_id AND r.version = t.value
         WHERE i.id = $1 ORDER BY r.created_at DESC, r.id DESC LIMIT $2",
    )
    .bind::<BigInt, _>(id.0)
    .bind::<BigInt, _>(limit)
    .load(connection)
    .await?;
    Ok(rows.into_iter().map(|row| row.version).collect())
}
