//! How many issues there are, by this and that.

use crate::{Connection, Scope, StoreError, statement};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Date, Integer, Nullable, SmallInt, Text, Timestamptz};
use diesel_async::RunQueryDsl;

/// Issues that have something in common; of each row one field is set.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Total {
    /// The level's code.
    #[diesel(sql_type = Nullable<SmallInt>)]
    pub level: Option<i16>,
    /// The priority's code.
    #[diesel(sql_type = Nullable<SmallInt>)]
    pub priority: Option<i16>,
    /// The status's code.
    #[diesel(sql_type = Nullable<SmallInt>)]
    pub status: Option<i16>,
    /// The project's name.
    #[diesel(sql_type = Nullable<Text>)]
    pub project: Option<String>,
    /// How many.
    #[diesel(sql_type = BigInt)]
    pub issues: i64,
}

/// The issues of a scope by level, by priority, by status and by project.
///
/// # Errors
/// When the database fails.
pub async fn totals(connection: &mut Connection, scope: &Scope) -> Result<Vec<Total>, StoreError> {
    Ok(statement(
        "SELECT r.level, r.priority, r.status, p.name AS project, r.issues
         FROM (SELECT level, priority, status, project_id, count(*) AS issues FROM issue_ranks
             WHERE $1 IS NULL OR project_id IN (SELECT id FROM projects WHERE team_id = ANY ($1))
             GROUP BY GROUPING SETS ((level), (priority), (status), (project_id))) r
         LEFT JOIN projects p ON p.id = r.project_id
         ORDER BY r.level, r.priority, r.status, p.name",
    )
    .bind::<Nullable<Array<Integer>>, _>(scope.bind())
    .load(connection)
    .await?)
}

/// The events of a day.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Day {
    /// The day, in UTC.
    #[diesel(sql_type = Date)]
    pub day: NaiveDate,
    /// How many were recorded.
    #[diesel(sql_type = BigInt)]
    pub events: i64,
}

/// The events of a scope by day, since a time; days without any are left out.
///
/// # Errors
/// When the database fails.
pub async fn days(
    connection: &mut Connection,
    scope: &Scope,
    since: DateTime<Utc>,
) -> Result<Vec<Day>, StoreError> {
    Ok(statement(
        "SELECT (h.hour AT TIME ZONE 'UTC')::date AS day, sum(h.events)::bigint AS events
         FROM projects p JOIN project_hours h ON h.project_id = p.id AND h.hour >= $2
         WHERE $1 IS NULL OR p.team_id = ANY ($1) GROUP BY day ORDER BY day",
    )
    .bind::<Nullable<Array<Integer>>, _>(scope.bind())
    .bind::<Timestamptz, _>(since)
    .load(connection)
    .await?)
}

/// Unresolved issues of one priority that somebody deals with.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Load {
    /// Whom they are assigned to.
    #[diesel(sql_type = Text)]
    pub assigned_to: String,
    /// The account that this is.
    #[diesel(sql_type = Nullable<Integer>)]
    pub assigned_user: Option<i32>,
    /// The priority's code.
    #[diesel(sql_type = SmallInt)]
    pub priority: i16,
    /// How many.
    #[diesel(sql_type = BigInt)]
    pub issues: i64,
}

/// Who has how many unresolved issues of a scope, by name, account and priority.
///
/// # Errors
/// When the database fails.
pub async fn workload(connection: &mut Connection, scope: &Scope) -> Result<Vec<Load>, StoreError> {
    Ok(statement(
        "SELECT assigned_to, assigned_user_id AS assigned_user, priority, count(*) AS issues FROM issues
         WHERE assigned_to IS NOT NULL AND status = 0
           AND ($1 IS NULL OR project_id IN (SELECT id FROM projects WHERE team_id = ANY ($1)))
         GROUP BY assigned_to, assigned_user_id, priority ORDER BY assigned_to, assigned_user_id, priority DESC",
    )
    .bind::<Nullable<Array<Integer>>, _>(scope.bind())
    .load(connection)
    .await?)
}
