//! How much room projects take.

use crate::{Connection, Scope, StoreError, statement};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Double, Integer, Nullable, Text};
use diesel_async::RunQueryDsl;

/// Pages of the events' tables that are looked at, at most: about 60 MB, whatever is stored.
const SAMPLE_PAGES: f64 = 8_000.0;
const PAGE: f64 = 8_192.0;

/// The room of one project.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Room {
    /// Its id.
    #[diesel(sql_type = Integer)]
    pub project: i32,
    /// Its name.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// Bytes of its events with their indexes: its share of all by a sample, exact while there are few.
    #[diesel(sql_type = BigInt)]
    pub events: i64,
    /// Bytes of its attachments; what several have in common is counted for each.
    #[diesel(sql_type = BigInt)]
    pub attachments: i64,
}

#[derive(QueryableByName)]
struct Sizes {
    /// Of the rows alone.
    #[diesel(sql_type = BigInt)]
    heap: i64,
    /// With indexes and what is stored beside the rows.
    #[diesel(sql_type = BigInt)]
    whole: i64,
}

/// The room of each project of the scope, the largest first; 1,000 at most.
///
/// # Errors
/// When the database fails.
pub async fn by_project(connection: &mut Connection, scope: &Scope) -> Result<Vec<Room>, StoreError> {
    let sizes: Sizes = statement(
        "SELECT coalesce(sum(pg_relation_size(relid)), 0)::bigint AS heap,
                coalesce(sum(pg_total_relation_size(relid)), 0)::bigint AS whole
         FROM pg_partition_tree('events') WHERE isleaf",
    )
    .get_result(connection)
    .await?;
    #[expect(clippy::cast_precision_loss, reason = "a share of a size, for people to read")]
    let percent = (100.0 * SAMPLE_PAGES / (sizes.heap as f64 / PAGE).max(1.0)).clamp(0.001, 100.0);
    Ok(statement(
        "WITH sampled AS (
             SELECT project_id, sum(pg_column_size(payload) + 120)::float8 AS bytes
             FROM events TABLESAMPLE SYSTEM ($2) REPEATABLE (1) GROUP BY project_id
         ), kept AS (
             SELECT project_id, sum(size)::bigint AS bytes FROM attachments GROUP BY project_id
         )
         SELECT p.id AS project, p.name,
                coalesce($3 * s.bytes / (SELECT sum(bytes) FROM sampled), 0)::bigint AS events,
                coalesce(k.bytes, 0) AS attachments
         FROM projects p
         LEFT JOIN sampled s ON s.project_id = p.id
         LEFT JOIN kept k ON k.project_id = p.id
         WHERE $1 IS NULL OR p.team_id = ANY ($1)
         ORDER BY coalesce(s.bytes, 0) DESC, p.id LIMIT 1000",
    )
    .bind::<Nullable<Array<Integer>>, _>(scope.bind())
    .bind::<Double, _>(percent)
    .bind::<BigInt, _>(sizes.whole)
    .load(connection)
    .await?)
}
