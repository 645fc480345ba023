//! Lists of issues, the most recently active first.

use super::Issue;
use super::filter::Filter;
use super::search::search;
use super::sort::{Place, Sort};
use crate::{Connection, Scope, StoreError, statement};
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, Integer, Nullable, Text};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};

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

/// Up to `limit` issues after a position: [`super::search()`] in the order of the last event.
///
/// # Errors
/// As [`super::search()`].
pub async fn list(
    connection: &mut Connection,
    filter: &Filter,
    after: Option<Position>,
    limit: usize,
) -> Result<Vec<Issue>, StoreError> {
    let sort = Sort::LastSeen;
    let after = after.map(|place| Place { sort, key: place.active_at.timestamp_micros(), id: place.id });
    let found = search(connection, filter, sort, after, limit).await?;
    Ok(found.into_iter().map(|found| found.issue).collect())
}

#[derive(QueryableByName)]
struct Key {
    #[diesel(sql_type = Text)]
    key: String,
}

/// Which of these are names of tags that some event of a scope has.
///
/// # Errors
/// When the database fails.
pub async fn known_tags(
    connection: &mut Connection,
    scope: &Scope,
    keys: &[&str],
) -> Result<Vec<String>, StoreError> {
    let rows: Vec<Key> = statement(
        "SELECT k AS key FROM UNNEST($1) AS t (k) WHERE EXISTS (
             SELECT 1 FROM projects p JOIN project_tags t ON t.project_id = p.id AND t.key = k
             WHERE $2 IS NULL OR p.team_id = ANY ($2))",
    )
    .bind::<Array<Text>, _>(keys.to_vec())
    .bind::<Nullable<Array<Integer>>, _>(scope.bind())
    .load(connection)
    .await?;
    Ok(rows.into_iter().map(|row| row.key).collect())
}
