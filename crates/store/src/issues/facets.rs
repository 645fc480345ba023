//! How what a search finds is spread: over statuses, levels, and the like.

use super::filter::Filter;
use super::search::places;
use super::sort::Sort;
use crate::{Connection, StoreError, statement};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Text};
use diesel_async::RunQueryDsl;
use std::collections::BTreeMap;

/// How many issues are looked at; of each, and of each key, as many values as there may be rows.
const SAMPLE: usize = 500;
const MOST_VALUES: usize = 20;

/// How many of the issues looked at have a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// The value.
    pub value: String,
    /// The number of issues.
    pub issues: i64,
}

/// How issues are spread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facets {
    /// How many issues were looked at: the latest active ones.
    pub issues: usize,
    /// There are more.
    pub is_sample: bool,
    /// By `status`, `level`, `priority`, `assigned`, `environment`, `release`: the most frequent values first, 20 at most.
    pub facets: BTreeMap<String, Vec<Tally>>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    facet: String,
    #[diesel(sql_type = Text)]
    value: String,
    #[diesel(sql_type = BigInt)]
    issues: i64,
}

/// Counts the values of what a filter leaves, over the latest active 500 issues at most. Statuses, levels and
/// priorities are their codes.
///
/// # Errors
/// As [`super::search()`].
pub async fn facets(connection: &mut Connection, filter: &Filter) -> Result<Facets, StoreError> {
    let mut found = places(connection, filter, Sort::LastSeen, None, SAMPLE + 1).await?;
    let is_sample = found.len() > SAMPLE;
    found.truncate(SAMPLE);
    let ids: Vec<i64> = found.iter().map(|place| place.id).collect();
    let rows: Vec<Row> = statement(
        "WITH i AS (SELECT status, level, priority, assigned_to FROM issues WHERE id = ANY ($1))
         SELECT 'status' AS facet, status::text AS value, count(*) AS issues FROM i GROUP BY status
         UNION ALL SELECT 'level', level::text, count(*) FROM i GROUP BY level
         UNION ALL SELECT 'priority', priority::text, count(*) FROM i GROUP BY priority
         UNION ALL SELECT 'assigned', coalesce(assigned_to, 'none'), count(*) FROM i GROUP BY assigned_to
         UNION ALL (SELECT t.key, t.value, count(*) FROM UNNEST($1) AS w (id)
             JOIN issue_tags t ON t.issue_id = w.id AND t.key IN ('environment', 'release') GROUP BY t.key, t.value)",
    )
    .bind::<Array<BigInt>, _>(ids.as_slice())
    .load(connection)
    .await?;
    let mut facets: BTreeMap<String, Vec<Tally>> = BTreeMap::new();
    for Row { facet, value, issues } in rows {
        facets.entry(facet).or_default().push(Tally { value, issues });
    }
    for values in facets.values_mut() {
        values.sort_by(|one, other| other.issues.cmp(&one.issues).then_with(|| one.value.cmp(&other.value)));
        values.truncate(MOST_VALUES);
    }
    Ok(Facets { issues: ids.len(), is_sample, facets })
}
