//! Finding issues. Conditions on what the list's own index holds are met by walking it. For others one of these finds
//! a page soon:
//!
//! 1. A short walk: what is wanted is met often enough to be found among the first issues. If it is met now and then,
//!    a longer walk ([`STEPS`]).
//! 2. Some condition holds for few issues ([`FEW`]): those are read from its index and looked at.
//! 3. Conditions that are common each, but not together or not among new issues: what their indexes say is joined.
//!
//! A statement that takes longer than [`LIMIT_MS`] is given up.

use super::condition::{Condition, conditions};
use super::filter::Filter;
use super::sort::{Place, Sort};
use super::sql::{Bind, Binds};
use super::wildcard;
use super::{Issue, get_many};
use crate::{Connection, Scope, StoreError, statement};
use bugle_model::IssueId;
use chrono::DateTime;
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Integer, Nullable};
use diesel_async::{AsyncConnection, RunQueryDsl, SimpleAsyncConnection};
use std::collections::HashMap;

/// What a condition may hold for to be worth reading whole.
const FEW: usize = 3_000;
/// For each issue of a page so many are looked at in a short walk, …
const SHORT: usize = 6;
/// … and so many in a longer one, which is begun when the short one has found a page's share of this.
const STEPS: usize = 60;
const SHARE: usize = 5;
/// However long the page is.
const MOST_STEPS: usize = 6_000;
/// A search that takes longer is refused.
const LIMIT_MS: u32 = 2_000;

/// An issue, and where it stands in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The issue.
    pub issue: Issue,
    /// Its place.
    pub place: Place,
}

/// Up to `limit` issues after a place. An issue that moves to the front meanwhile may be missed by the pages still to
/// come, but none is ever given twice. In a transaction of the caller's, the limit on the time of statements stays set.
///
/// # Errors
/// When the database fails; [`StoreError::is_too_slow`] when the question cannot be answered within two seconds.
pub async fn search(
    connection: &mut Connection,
    filter: &Filter,
    sort: Sort,
    after: Option<Place>,
    limit: usize,
) -> Result<Vec<Found>, StoreError> {
    let places = places(connection, filter, sort, after, limit).await?;
    let ids: Vec<IssueId> = places.iter().map(|place| IssueId(place.id)).collect();
    // Whether they are within the scope was looked at just now.
    let issues = get_many(connection, &Scope::All, &ids).await?;
    let mut issues: HashMap<i64, Issue> = issues.into_iter().map(|issue| (issue.id.0, issue)).collect();
    let found =
        places.into_iter().filter_map(|place| Some(Found { issue: issues.remove(&place.id)?, place }));
    Ok(found.collect())
}

/// The places alone of what [`search`] finds.
///
/// # Errors
/// As [`search`].
pub async fn places(
    connection: &mut Connection,
    filter: &Filter,
    sort: Sort,
    after: Option<Place>,
    limit: usize,
) -> Result<Vec<Place>, StoreError> {
    let after = after.filter(|place| place.sort == sort);
    connection
        .transaction(async |connection| {
            // What is searched is in memory: to read it out of order costs little.
            let settings =
                format!("SET LOCAL statement_timeout = {LIMIT_MS}; SET LOCAL random_page_cost = 1.1");
            connection.batch_execute(&settings).await?;
            let projects = projects(connection, filter).await?;
            let mut tags = Vec::with_capacity(filter.tags.len());
            for tag in &filter.tags {
                let values =
                    wildcard::resolve(connection, &tag.key, &tag.values, projects.as_deref()).await?;
                tags.push((tag.key.clone(), values, tag.negated));
            }
            let question = Question { conditions: conditions(filter, projects, tags), sort, after, limit };
            question.answer(connection).await
        })
        .await
}

#[derive(QueryableByName)]
struct ProjectRow {
    #[diesel(sql_type = Integer)]
    id: i32,
}

/// The projects that are meant; `None` is all there are.
async fn projects(connection: &mut Connection, filter: &Filter) -> Result<Option<Vec<i32>>, StoreError> {
    let scope = filter.scope.bind();
    if scope.is_none() && filter.project.is_none() {
        return Ok(None);
    }
    let rows: Vec<ProjectRow> = statement(
        "SELECT id FROM projects WHERE ($1 IS NULL OR id = $1) AND ($2 IS NULL OR team_id = ANY ($2))",
    )
    .bind::<Nullable<Integer>, _>(filter.project.map(|project| project.0))
    .bind::<Nullable<Array<Integer>>, _>(scope)
    .load(connection)
    .await?;
    Ok(Some(rows.into_iter().map(|row| row.id).collect()))
}

#[derive(QueryableByName)]
struct SourceRow {
    #[diesel(sql_type = Integer)]
    number: i32,
    #[diesel(sql_type = Nullable<Array<BigInt>>)]
    ids: Option<Vec<i64>>,
}

#[derive(QueryableByName)]
struct PlaceRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    key: i64,
}

/// How a statement gets at issues.
enum Way<'a> {
    /// Only these.
    Among(&'a [i64]),
    /// The first so many of the list.
    Walk(usize),
    /// Those that all sources have; without a source, the whole list.
    Join,
}

struct Question {
    conditions: Vec<Condition>,
    sort: Sort,
    after: Option<Place>,
    limit: usize,
}

impl Question {
    async fn answer(&self, connection: &mut Connection) -> Result<Vec<Place>, StoreError> {
        let everything: Vec<&Condition> = self.conditions.iter().collect();
        if self.conditions.iter().all(|condition| self.is_of_columns(condition)) {
            return self.ask(connection, Way::Join, &everything).await;
        }
        for steps in [SHORT, STEPS] {
            let steps = (steps * self.limit).min(MOST_STEPS);
            let walked = self.ask(connection, Way::Walk(steps), &everything).await?;
            if walked.len() >= self.limit {
                return Ok(walked);
            }
            if walked.len() * SHARE < self.limit || steps == MOST_STEPS {
                break;
            }
        }
        let (few, rest) = self.few(connection).await?;
        match few {
            Some(few) if few.is_empty() => Ok(Vec::new()),
            Some(few) => self.ask(connection, Way::Among(&few), &rest).await,
            None => {
                // How common values of tags are is often estimated far too low: hashing all is sure, and fast enough.
                connection.batch_execute("SET LOCAL enable_nestloop = off").await?;
                self.ask(connection, Way::Join, &everything).await
            }
        }
    }

    fn is_of_columns(&self, condition: &Condition) -> bool {
        condition.of_columns(self.sort, &mut Binds::default()).is_some()
    }

    /// What all conditions that hold for few issues leave together, and the conditions that are still to be looked at.
    async fn few(
        &self,
        connection: &mut Connection,
    ) -> Result<(Option<Vec<i64>>, Vec<&Condition>), StoreError> {
        let (mut binds, mut parts) = (Binds::default(), Vec::new());
        for (number, condition) in self.conditions.iter().enumerate() {
            if let Some(source) = condition.source(&mut binds) {
                parts.push(format!("SELECT {number} AS number, ARRAY({source} LIMIT {}) AS ids", FEW + 1));
            }
        }
        let everything = || self.conditions.iter().collect::<Vec<_>>();
        if parts.is_empty() {
            return Ok((None, everything()));
        }
        let text = format!(
            "SELECT number, CASE WHEN cardinality(ids) <= {FEW} THEN ids END AS ids FROM ({}) s",
            parts.join(" UNION ALL ")
        );
        let rows: Vec<SourceRow> = binds.load(connection, text).await?;
        let mut few: Option<Vec<i64>> = None;
        let mut settled = Vec::new();
        for SourceRow { number, ids } in rows {
            let Some(mut ids) = ids else { continue };
            settled.push(number);
            ids.sort_unstable();
            ids.dedup();
            few = Some(match few {
                None => ids,
                Some(before) => before.into_iter().filter(|id| ids.binary_search(id).is_ok()).collect(),
            });
        }
        let open = |(number, condition): (usize, &'_ Condition)| {
            condition.is_rough() || !i32::try_from(number).is_ok_and(|number| settled.contains(&number))
        };
        let rest =
            self.conditions.iter().enumerate().filter(|(number, condition)| open((*number, condition)));
        Ok((few, rest.map(|(_, condition)| condition).collect()))
    }

    async fn ask(
        &self,
        connection: &mut Connection,
        way: Way<'_>,
        conditions: &[&Condition],
    ) -> Result<Vec<Place>, StoreError> {
        let mut binds = Binds::default();
        let text = self.text(&way, conditions, &mut binds);
        let rows: Vec<PlaceRow> = binds.load(connection, text).await?;
        Ok(rows.into_iter().map(|row| Place { sort: self.sort, key: row.key, id: row.id }).collect())
    }

    /// The inner query walks the index of the order, or reads single issues in it; the outer one looks at them one by
    /// one until there are enough.
    fn text(&self, way: &Way<'_>, conditions: &[&Condition], binds: &mut Binds) -> String {
        let (table, id, key) = self.sort.columns();
        let (mut inner, mut outer) = (vec!["true".to_owned()], Vec::new());
        if let Way::Among(ids) = way {
            inner.push(format!("k.{id} = ANY ({})", binds.add(Bind::Longs(ids.to_vec()))));
        }
        if let Some(place) = self.after {
            let from = if self.sort.is_time() {
                binds.add(Bind::Time(DateTime::from_timestamp_micros(place.key).unwrap_or_default()))
            } else {
                format!("{}::smallint", place.key.clamp(0, i64::from(i16::MAX)))
            };
            inner.push(format!("(k.{key}, k.{id}) < ({from}, {})", place.id));
        }
        let mut sources = Vec::new();
        for condition in conditions {
            if let Some(test) = condition.of_columns(self.sort, binds) {
                inner.push(test);
                continue;
            }
            let source = if matches!(way, Way::Join) { condition.source(binds) } else { None };
            if source.is_none() || condition.is_rough() {
                outer.push(condition.probe("w.id", binds));
            }
            sources.extend(source);
        }
        if let Some(ids) = joined(&sources) {
            inner.push(format!("k.{id} = ANY (ARRAY({ids}))"));
        }
        let looked_at = if outer.is_empty() { "true".to_owned() } else { outer.join(" AND ") };
        let number = if self.sort.is_time() { "(extract(epoch FROM w.at) * 1000000)" } else { "w.at" };
        let bound = match way {
            _ if outer.is_empty() => format!("LIMIT {}", self.limit),
            Way::Walk(steps) => format!("LIMIT {steps}"),
            Way::Join | Way::Among(_) => "OFFSET 0".to_owned(),
        };
        format!(
            "SELECT w.id, {number}::bigint AS key FROM (
                 SELECT k.{id} AS id, k.{key} AS at FROM {table} k WHERE {} ORDER BY k.{key} DESC, k.{id} DESC {bound}) w
             WHERE {} ORDER BY w.at DESC, w.id DESC LIMIT {}",
            inner.join(" AND "),
            looked_at,
            self.limit
        )
    }
}

/// The ids that all sources have.
fn joined(sources: &[String]) -> Option<String> {
    let (first, others) = sources.split_first()?;
    let mut text = format!("SELECT s.issue_id FROM ({first}) s");
    for (number, other) in others.iter().enumerate() {
        text.push_str(&format!(" JOIN ({other}) s{number} ON s{number}.issue_id = s.issue_id"));
    }
    Some(text)
}
