//! Lists of issues, the most recently active first.

use super::filter::{Filter, Range};
use super::{Issue, Row};
use crate::{Connection, StoreError, statement};
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, SmallInt, Text, Timestamptz};
use diesel::{QueryableByName, sql_query};
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

/// A LIKE pattern for "contains this".
fn contains(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}

/// A LIKE pattern for a value in which `*` stands for anything.
pub(crate) fn pattern(value: &str) -> String {
    value.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_").replace('*', "%")
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
    let mut query = sql_query(text(filter))
        .into_boxed::<Pg>()
        .bind::<Nullable<Integer>, _>(filter.project.map(|project| project.0))
        .bind::<Nullable<Timestamptz>, _>(after.map(|position| position.active_at))
        .bind::<BigInt, _>(after.map_or(i64::MAX, |position| position.id))
        .bind::<Array<SmallInt>, _>(filter.statuses.iter().map(|status| status.code()).collect::<Vec<_>>())
        .bind::<Array<SmallInt>, _>(filter.levels.iter().map(|level| level.code()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(filter.texts.iter().map(|text| contains(text)).collect::<Vec<_>>())
        .bind::<BigInt, _>(i64::try_from(limit).unwrap_or(i64::MAX))
        .bind::<Array<SmallInt>, _>(filter.priorities.iter().map(|one| one.code()).collect::<Vec<_>>())
        .bind::<Nullable<Bool>, _>(filter.is_assigned)
        .bind::<Array<Text>, _>(filter.assigned_to.clone())
        .bind::<Nullable<BigInt>, _>(filter.events.from)
        .bind::<Nullable<BigInt>, _>(filter.events.to)
        .bind::<Nullable<BigInt>, _>(filter.users.from)
        .bind::<Nullable<BigInt>, _>(filter.users.to)
        .bind::<Nullable<Timestamptz>, _>(filter.first_seen.from)
        .bind::<Nullable<Timestamptz>, _>(filter.first_seen.to)
        .bind::<Nullable<Timestamptz>, _>(filter.last_seen.from)
        .bind::<Nullable<Timestamptz>, _>(filter.last_seen.to)
        .bind::<Nullable<Array<Integer>>, _>(filter.scope.bind());
    for tag in &filter.tags {
        query = query.bind::<Text, _>(tag.key.clone());
        query =
            query.bind::<Array<Text>, _>(tag.values.iter().map(|value| pattern(value)).collect::<Vec<_>>());
    }
    let rows: Vec<Row> = query.load(connection).await?;
    rows.into_iter().map(Issue::try_from).collect()
}

/// The number of the last placeholder before those of tags.
const FIXED: usize = 19;

/// The statement. The inner query walks the index of each project; the limit inside keeps it from reading more. What is
/// not asked for is not in the text, so that the planner sees what is; placeholders that are left over are named once, because PostgreSQL
/// has to know their types.
fn text(filter: &Filter) -> String {
    let mut conditions = String::new();
    let counted = [filter.events, filter.users].iter().any(|range| *range != Range::default());
    if counted {
        conditions.push_str(
            " AND EXISTS (SELECT 1 FROM issue_counts c WHERE c.issue_id = i.id
                  AND c.events BETWEEN coalesce($11, 0) AND coalesce($12, 9223372036854775807)
                  AND c.users BETWEEN coalesce($13, 0) AND coalesce($14, 9223372036854775807))",
        );
    }
    for (number, tag) in filter.tags.iter().enumerate() {
        let key = FIXED + 1 + 2 * number;
        let values = key + 1;
        let has = match tag.values.as_slice() {
            [] => format!("${values}::text[] IS NOT NULL"),
            // Equality can use the index on values.
            values_given if values_given.iter().all(|value| !value.contains(['*', '%', '_', '\\'])) => {
                format!("t.value = ANY (${values})")
            }
            _ => format!("t.value LIKE ANY (${values})"),
        };
        let not = if tag.negated { "NOT " } else { "" };
        conditions.push_str(&format!(
            " AND {not}EXISTS (SELECT 1 FROM issue_tags t WHERE t.issue_id = i.id AND t.key = ${key} AND {has})"
        ));
    }
    // A person is found by their account: others may have the same name.
    let assigned = match (filter.mine, filter.assigned_to.as_slice()) {
        (None, []) => "$10 IS NOT NULL".to_owned(),
        (None, _) => "i.assigned_to = ANY ($10)".to_owned(),
        (Some(user), _) => format!("(i.assigned_to = ANY ($10) OR i.assigned_user_id = {user})"),
    };
    if let Some((user, yes)) = filter.bookmarked {
        let not = if yes { "" } else { "NOT " };
        conditions.push_str(&format!(
            " AND {not}EXISTS (SELECT 1 FROM bookmarks b WHERE b.issue_id = i.id AND b.user_id = {user})"
        ));
    }
    format!(
        "SELECT i.id, i.number, i.project_id, p.name AS project_name, p.team_id, p.prefix, i.title, i.culprit, i.error_type,
                i.platform, i.level, i.priority, i.priority_chosen, i.status, i.generation,
                coalesce(c.events, 0) AS count, coalesce(c.users, 0) AS users, i.first_seen,
                coalesce(c.last_seen, i.active_at) AS last_seen, i.active_at, i.resolved_at, i.assigned_to,
                i.assigned_user_id, i.assigned_team_id, i.ignore_until, i.resolution, rr.version AS resolved_release,
                i.resolved_commit, r.version AS first_release
         FROM projects p
         CROSS JOIN LATERAL (
             SELECT * FROM issues i
             WHERE i.project_id = p.id
               AND (i.active_at, i.id) < (coalesce($2, 'infinity'::timestamptz), $3)
               AND ($4 = '{{}}' OR i.status = ANY ($4))
               AND ($5 = '{{}}' OR i.level = ANY ($5))
               AND ($6 = '{{}}' OR concat_ws(' ', i.title, i.culprit, i.error_type) ILIKE ALL ($6))
               AND ($8 = '{{}}' OR i.priority = ANY ($8))
               AND ($9 IS NULL OR (i.assigned_to IS NOT NULL) = $9)
               AND {assigned}
               AND (coalesce($11, $12, $13, $14) IS NULL OR true)
               AND ($15 IS NULL OR i.first_seen >= $15) AND ($16 IS NULL OR i.first_seen <= $16)
               AND ($17 IS NULL OR i.active_at >= $17) AND ($18 IS NULL OR i.active_at <= $18)
               {conditions}
             ORDER BY i.active_at DESC, i.id DESC LIMIT $7
         ) i
         LEFT JOIN issue_counts c ON c.issue_id = i.id
         LEFT JOIN releases r ON r.id = i.first_release_id
         LEFT JOIN releases rr ON rr.id = i.resolved_release_id
         WHERE ($1 IS NULL OR p.id = $1) AND ($19 IS NULL OR p.team_id = ANY ($19))
         ORDER BY i.active_at DESC, i.id DESC LIMIT $7"
    )
}

#[derive(QueryableByName)]
struct Key {
    #[diesel(sql_type = Text)]
    key: String,
}

/// Which of these are names of tags that some event has.
///
/// # Errors
/// When the database fails.
pub async fn known_tags(connection: &mut Connection, keys: &[&str]) -> Result<Vec<String>, StoreError> {
    let rows: Vec<Key> = statement(
        "SELECT k AS key FROM UNNEST($1) AS t (k) WHERE EXISTS (SELECT 1 FROM issue_tags i WHERE i.key = k)",
    )
    .bind::<Array<Text>, _>(keys.to_vec())
    .load(connection)
    .await?;
    Ok(rows.into_iter().map(|row| row.key).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_never_a_pattern() {
        assert_eq!(contains(r"100%_\x"), r"%100\%\_\\x%");
        assert_eq!(pattern(r"1.4.*_%"), r"1.4.%\_\%");
    }
}
