//! Names and values of tags, for completing what somebody types.

use crate::{Connection, Scope, StoreError, statement};
use bugle_model::ProjectId;
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text};
use diesel_async::RunQueryDsl;

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

/// The names of tags that begin so, in order, `limit` at most, in one project of a scope or in all of them.
///
/// # Errors
/// When the database fails.
pub async fn keys(
    connection: &mut Connection,
    scope: &Scope,
    project: Option<ProjectId>,
    prefix: &str,
    limit: i64,
) -> Result<Vec<String>, StoreError> {
    // From one name to the next by the index: a name may have a thousand values.
    let rows: Vec<Name> = statement(
        "WITH RECURSIVE k (id, key) AS (
             SELECT p.id, (SELECT min(t.key) FROM project_tags t WHERE t.project_id = p.id AND t.key >= $3)
             FROM projects p WHERE ($1 IS NULL OR p.id = $1) AND ($2 IS NULL OR p.team_id = ANY ($2))
             UNION ALL
             SELECT k.id, (SELECT min(t.key) FROM project_tags t WHERE t.project_id = k.id AND t.key > k.key)
             FROM k WHERE starts_with(k.key, $3))
         SELECT DISTINCT key::text COLLATE \"C\" AS name FROM (SELECT key FROM k WHERE starts_with(key, $3) LIMIT 5000) k
         ORDER BY name LIMIT $4",
    )
    .bind::<Nullable<Integer>, _>(project.map(|project| project.0))
    .bind::<Nullable<Array<Integer>>, _>(scope.bind())
    .bind::<Text, _>(prefix)
    .bind::<BigInt, _>(limit)
    .load(connection)
    .await?;
    Ok(rows.into_iter().map(|row| row.name).collect())
}

/// The values of a tag that begin so, in order, `limit` at most; of the first thousand that a project has had.
///
/// # Errors
/// When the database fails.
pub async fn values(
    connection: &mut Connection,
    scope: &Scope,
    project: Option<ProjectId>,
    key: &str,
    prefix: &str,
    limit: i64,
) -> Result<Vec<String>, StoreError> {
    let rows: Vec<Name> = statement(
        "SELECT DISTINCT v.value::text COLLATE \"C\" AS name FROM projects p CROSS JOIN LATERAL (
             SELECT t.value FROM project_tags t
             WHERE t.project_id = p.id AND t.key = $3 AND t.value >= $4 AND starts_with(t.value, $4) AND t.value <> ''
             ORDER BY t.value LIMIT $5) v
         WHERE ($1 IS NULL OR p.id = $1) AND ($2 IS NULL OR p.team_id = ANY ($2))
         ORDER BY name LIMIT $5",
    )
    .bind::<Nullable<Integer>, _>(project.map(|project| project.0))
    .bind::<Nullable<Array<Integer>>, _>(scope.bind())
    .bind::<Text, _>(key)
    .bind::<Text, _>(prefix)
    .bind::<BigInt, _>(limit)
    .load(connection)
    .await?;
    Ok(rows.into_iter().map(|row| row.name).collect())
}
