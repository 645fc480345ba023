//! Lists of issues, the most recently active first.

use super::{Issue, Row};
use crate::{Connection, Scope, StoreError, statement};
use bugle_model::{IssueStatus, Level, Priority, ProjectId};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Integer, Nullable, SmallInt, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};

/// Which issues. The default is none, by its scope.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only of these projects.
    pub scope: Scope,
    /// Only this project's.
    pub project: Option<ProjectId>,
    /// Only with one of these; empty means any.
    pub statuses: Vec<IssueStatus>,
    /// Only with one of these; empty means any.
    pub levels: Vec<Level>,
    /// Only with one of these; empty means any.
    pub priorities: Vec<Priority>,
    /// Only with each of these texts in title, culprit or type, without regard to case.
    pub texts: Vec<String>,
}

/// Where in the list an issue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Its [`Issue::active_at`].
    pub active_at: DateTime<Utc>,
    /// Its id.
    pub id: i64,
}

impl Position {
    /// The position of an issue.
    #[must_use]
    pub const fn of(issue: &Issue) -> Self {
        Self { active_at: issue.active_at, id: issue.id.0 }
    }
}

/// A LIKE pattern for "contains this".
fn contains(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}

/// Up to `limit` issues after a position, in one query. An issue that becomes active meanwhile moves to the front:
/// it may be missed by the pages still to come, but none is ever given twice.
///
/// # Errors
/// When the database fails.
pub async fn list(
    connection: &mut Connection,
    filter: &Filter,
    after: Option<Position>,
    limit: usize,
) -> Result<Vec<Issue>, StoreError> {
    // The inner query walks the index of each project; the limit inside keeps it from reading more.
    let rows: Vec<Row> = statement(
        "SELECT i.id, i.number, i.project_id, p.name AS project_name, p.team_id, p.prefix, i.title, i.culprit, i.error_type,
                i.platform, i.level, i.priority, i.priority_chosen, i.status, i.generation,
                coalesce(c.events, 0) AS count, coalesce(c.users, 0) AS users, i.first_seen,
                coalesce(c.last_seen, i.active_at) AS last_seen, i.active_at, i.resolved_at, i.assigned_to,
                r.version AS first_release
         FROM projects p
         CROSS JOIN LATERAL (
             SELECT * FROM issues i
             WHERE i.project_id = p.id
               AND (i.active_at, i.id) < (coalesce($2, 'infinity'::timestamptz), $3)
               AND ($4 = '{}' OR i.status = ANY ($4))
               AND ($5 = '{}' OR i.level = ANY ($5))
               AND ($6 = '{}' OR concat_ws(' ', i.title, i.culprit, i.error_type) ILIKE ALL ($6))
               AND ($8 = '{}' OR i.priority = ANY ($8))
             ORDER BY i.active_at DESC, i.id DESC LIMIT $7
         ) i
         LEFT JOIN issue_counts c ON c.issue_id = i.id
         LEFT JOIN releases r ON r.id = i.first_release_id
         WHERE ($1 IS NULL OR p.id = $1) AND ($9 IS NULL OR p.team_id = ANY ($9))
         ORDER BY i.active_at DESC, i.id DESC LIMIT $7",
    )
    .bind::<Nullable<Integer>, _>(filter.project.map(|project| project.0))
    .bind::<Nullable<Timestamptz>, _>(after.map(|position| position.active_at))
    .bind::<BigInt, _>(after.map_or(i64::MAX, |position| position.id))
    .bind::<Array<SmallInt>, _>(filter.statuses.iter().map(|status| status.code()).collect::<Vec<_>>())
    .bind::<Array<SmallInt>, _>(filter.levels.iter().map(|level| level.code()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(filter.texts.iter().map(|text| contains(text)).collect::<Vec<_>>())
    .bind::<BigInt, _>(i64::try_from(limit).unwrap_or(i64::MAX))
    .bind::<Array<SmallInt>, _>(filter.priorities.iter().map(|priority| priority.code()).collect::<Vec<_>>())
    .bind::<Nullable<Array<Integer>>, _>(filter.scope.bind())
    .load(connection)
    .await?;
    rows.into_iter().map(Issue::try_from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_never_a_pattern() {
        assert_eq!(contains(r"100%_\x"), r"%100\%\_\\x%");
    }
}
