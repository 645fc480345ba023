//! Issues: read by the API, changed by people. The recorder writes everything else about them.

mod change;
mod condition;
mod facets;
mod filter;
pub mod ignore;
mod known;
mod list;
pub mod merge;
pub mod moves;
pub mod people;
mod question;
mod resolution;
mod search;
mod sort;
mod sql;
mod totals;
mod wildcard;

pub use change::{IssueChange, change};
pub use facets::{Facets, Tally, facets};
pub use filter::{AssigneeFilter, Filter, Neighbours, PersonFilter, Range, TagFilter};
pub use ignore::{IgnoreUntil, Ignored};
pub use known::{Destined, IssueName, destined};
pub use list::{Position, known_tags, list};
pub use people::Assignee;
pub use resolution::Resolution;
pub use search::{Found, places, search};
pub use sort::{Place, Sort};
pub use totals::{Day, Load, Total, days, totals, workload};

pub(crate) use ignore::Standing;
pub(crate) use resolution::{Fix, by_commits, reopens};
pub(crate) use wildcard::pattern;

use crate::{Connection, Scope, StoreError, statement};
use bugle_model::{IssueId, IssueStatus, Level, Priority, ProjectId, TeamId, UserId};
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Integer, Jsonb, Nullable, SmallInt, Text, Timestamptz};
use diesel_async::RunQueryDsl;

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
    /// What resolves it, when it is not simply resolved. An issue that is not resolved waits for the commit.
    pub resolved_in: Option<Resolution>,
    /// Who deals with it, by name.
    pub assigned_to: Option<String>,
    /// The account that this is.
    pub assigned_user: Option<UserId>,
    /// The team that this is.
    pub assigned_team: Option<TeamId>,
    /// What it is ignored until, while it is and not for ever.
    pub ignore_until: Option<IgnoreUntil>,
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
    #[diesel(sql_type = SmallInt)]
    resolution: i16,
    #[diesel(sql_type = Nullable<Text>)]
    resolved_release: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    resolved_commit: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    assigned_to: Option<String>,
    #[diesel(sql_type = Nullable<Integer>)]
    assigned_user_id: Option<i32>,
    #[diesel(sql_type = Nullable<Integer>)]
    assigned_team_id: Option<i32>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    ignore_until: Option<serde_json::Value>,
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
            resolved_in: Resolution::read(row.resolution, row.resolved_release, row.resolved_commit),
            assigned_to: row.assigned_to,
            assigned_user: row.assigned_user_id.map(UserId),
            assigned_team: row.assigned_team_id.map(TeamId),
            ignore_until: Ignored::read(row.ignore_until.as_ref()).map(|ignored| ignored.until),
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
    Ok(get_many(connection, scope, &[id]).await?.into_iter().next())
}

/// One issue of a scope as it is until the end of the caller's transaction: whoever else would change it waits.
///
/// # Errors
/// When the database fails.
pub async fn hold(
    connection: &mut Connection,
    scope: &Scope,
    id: IssueId,
) -> Result<Option<Issue>, StoreError> {
    statement("SELECT FROM issues WHERE id = $1 FOR NO KEY UPDATE")
        .bind::<BigInt, _>(id.0)
        .execute(connection)
        .await?;
    get(connection, scope, id).await
}

/// The issues of a scope with these ids, in the ids' order.
///
/// # Errors
/// When the database fails.
pub async fn get_many(
    connection: &mut Connection,
    scope: &Scope,
    ids: &[IssueId],
) -> Result<Vec<Issue>, StoreError> {
    let rows: Vec<Row> = statement(
        "SELECT i.id, i.number, i.project_id, p.name AS project_name, p.team_id, p.prefix, i.title, i.culprit, i.error_type,
                i.platform, i.level, i.priority, i.priority_chosen, i.status, i.generation,
                coalesce(c.events, 0) AS count, coalesce(c.users, 0) AS users, i.first_seen,
                coalesce(c.last_seen, i.active_at) AS last_seen, i.active_at, i.resolved_at, i.assigned_to,
                i.assigned_user_id, i.assigned_team_id, i.ignore_until, i.resolution, rr.version AS resolved_release,
                i.resolved_commit, r.version AS first_release
         FROM UNNEST($1) WITH ORDINALITY AS w (id, place)
         JOIN issues i ON i.id = w.id
         JOIN projects p ON p.id = i.project_id
         LEFT JOIN issue_counts c ON c.issue_id = i.id
         LEFT JOIN releases r ON r.id = i.first_release_id
         LEFT JOIN releases rr ON rr.id = i.resolved_release_id
         WHERE ($2 IS NULL OR p.team_id = ANY ($2)) ORDER BY w.place",
    )
    .bind::<Array<BigInt>, _>(ids.iter().map(|id| id.0).collect::<Vec<_>>())
    .bind::<Nullable<Array<Integer>>, _>(scope.bind())
    .load(connection)
    .await?;
    rows.into_iter().map(Issue::try_from).collect()
}

#[derive(QueryableByName)]
struct IdRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// The id of the issue of a scope that a short id such as `SHOP-42` names; of a merged one, of that which it is part of.
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
        "SELECT coalesce(i.id, m.issue_id) AS id FROM projects p
         LEFT JOIN issues i ON i.project_id = p.id AND i.number = $2
         LEFT JOIN merged_issues m ON m.project_id = p.id AND m.number = $2
         WHERE p.prefix = $1 AND coalesce(i.id, m.issue_id) IS NOT NULL AND ($3 IS NULL OR p.team_id = ANY ($3))",
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
