//! What a `*` in a tag's value stands for: most often a few known values, by which an index finds issues.

use super::sql::{Bind, Binds};
use crate::{Connection, StoreError, statement};
use diesel::QueryableByName;
use diesel::sql_types::{Array, Bool, Integer, Nullable, Text};
use diesel_async::RunQueryDsl;

/// With more values than this an index is of no use.
const MOST_VALUES: i64 = 500;
/// As many values of a key and project as `project_tags` keeps.
const KEPT_VALUES: i64 = 1_000;

/// Values of a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Values {
    /// Whatever it is.
    Any,
    /// One of these.
    Exact(Vec<String>),
    /// Like one of these patterns.
    Like(Vec<String>),
}

impl Values {
    /// Whether the index of tags by value finds them.
    pub const fn is_indexed(&self) -> bool {
        matches!(self, Self::Any | Self::Exact(_))
    }

    /// The comparison with `value` of a table, after another one.
    pub fn test(&self, table: &str, binds: &mut Binds) -> String {
        match self {
            Self::Any => String::new(),
            Self::Exact(values) => {
                format!(" AND {table}.value = ANY ({})", binds.add(Bind::Texts(values.clone())))
            }
            Self::Like(patterns) => {
                format!(" AND {table}.value LIKE ANY ({})", binds.add(Bind::Texts(patterns.clone())))
            }
        }
    }
}

/// A LIKE pattern for a value in which `*` stands for anything.
pub(crate) fn pattern(value: &str) -> String {
    value.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_").replace('*', "%")
}

/// What a tag's filter means.
pub(super) struct Meant {
    pub values: Values,
    /// The projects that have one of the values; `None` when that is not known.
    pub projects: Option<Vec<i32>>,
}

#[derive(QueryableByName)]
struct Known {
    #[diesel(sql_type = Array<Text>)]
    values: Vec<String>,
    #[diesel(sql_type = Array<Integer>)]
    projects: Vec<i32>,
    #[diesel(sql_type = Bool)]
    full: bool,
}

/// The values that a tag's filter means, in some projects or in all.
pub(super) async fn resolve(
    connection: &mut Connection,
    key: &str,
    values: &[String],
    projects: Option<&[i32]>,
) -> Result<Meant, StoreError> {
    let anywhere = |values| Meant { values, projects: None };
    if values.is_empty() {
        return Ok(anywhere(Values::Any));
    }
    if !values.iter().any(|value| value.contains('*')) {
        return Ok(anywhere(Values::Exact(values.to_vec())));
    }
    let patterns: Vec<String> = values.iter().map(|value| pattern(value)).collect();
    let known: Known = statement(
        "WITH known AS (SELECT p.id, t.value FROM projects p JOIN project_tags t ON t.project_id = p.id AND t.key = $1
                 WHERE $3 IS NULL OR p.id = ANY ($3))
         SELECT ARRAY(SELECT DISTINCT value::text FROM known WHERE value LIKE ANY ($2) LIMIT $4) AS values,
                ARRAY(SELECT DISTINCT id FROM known WHERE value LIKE ANY ($2)) AS projects,
                EXISTS (SELECT 1 FROM known GROUP BY id HAVING count(*) >= $5) AS full",
    )
    .bind::<Text, _>(key)
    .bind::<Array<Text>, _>(patterns.as_slice())
    .bind::<Nullable<Array<Integer>>, _>(projects.map(<[i32]>::to_vec))
    .bind::<diesel::sql_types::BigInt, _>(MOST_VALUES + 1)
    .bind::<diesel::sql_types::BigInt, _>(KEPT_VALUES)
    .get_result(connection)
    .await?;
    let few = i64::try_from(known.values.len()).is_ok_and(|count| count <= MOST_VALUES);
    if !few || known.full {
        return Ok(anywhere(Values::Like(patterns)));
    }
    Ok(Meant { values: Values::Exact(known.values), projects: Some(known.projects) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_star_is_a_pattern() {
        assert_eq!(pattern(r"1.4.*_%\"), r"1.4.%\_\%\\");
    }
}
