//! Finding issues. Conditions on what the list's own index holds are met by walking it. For others the first issues of the
//! list are looked at ([`SAMPLE`]); they may be enough, and show how common each condition is. Then one of these finds a page
//! soon:
//!
//! 1. All conditions together hold often enough: the walk goes on from there, the rarest condition first.
//! 2. One of the rarest holds for few issues ([`FEW`]): those are read from its index and looked at.
//! 3. Conditions that are common each, but not together or not among new issues: what the indexes say of the cheapest, or of the
//!    cheapest two together, is read, and of those the others are looked at, the rarest first.
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
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable};
use diesel_async::{AsyncConnection, RunQueryDsl, SimpleAsyncConnection};
use std::collections::HashMap;

/// How many of the first issues are looked at to see how common conditions are.
const SAMPLE: usize = 120;
/// If so many of them are found, the walk goes on: it costs less then than any index.
const OFTEN: usize = 2;
/// The same where words have to stand in an order: the index knows of the words alone, and each text would have to be looked at.
const OFTEN_IN_ORDER: usize = 1;
/// It goes on for so many times as long as it should take, …
const PATIENCE: usize = 3;
/// … but not for longer than this.
const MOST_STEPS: usize = 6_000;
/// How often a condition may hold in the sample, times its [cost](Condition::cost), for all of its index to be read if it is
/// [`FEW`], …
const WORTH_READING: usize = SAMPLE / 5;
/// … and for its index to be joined with the cheapest; to read more costs more than to look at single issues.
const WORTH_JOINING: usize = SAMPLE / 4;
/// What a condition may hold for to be worth reading whole.
const FEW: usize = 3_000;
/// More issues than this are not read one by one: the list is walked, and they are looked for in it.
const MOST_READ: usize = 5_000;
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
/// come; one whose priority was lowered, or that was merged, may be given twice by the orders that this moves it in.
/// In a transaction of the caller's, the limit on the time of statements stays set.
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
            let traced = match filter.trace {
                Some(trace) => Some(crate::events::issues_of_trace(connection, trace).await?),
                None => None,
            };
            let conditions = conditions(filter, projects, tags, traced);
            let question = Question { conditions, sort, after, limit };
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
    #[diesel(sql_type = Nullable<Array<BigInt>>)]
    ids: Option<Vec<i64>>,
}

#[derive(QueryableByName)]
struct IdRow {
    #[diesel(sql_type = BigInt)]
    issue_id: i64,
}

#[derive(QueryableByName)]
struct SampleRow {
    #[diesel(embed)]
    place: PlaceRow,
    #[diesel(sql_type = Array<Bool>)]
    holds: Vec<bool>,
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
    /// Only these, each by itself.
    Among(&'a [i64]),
    /// The list, as far as it has these.
    Within(&'a [i64]),
    /// The first so many of the list.
    Walk(usize),
    /// The whole list.
    List,
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
        let (of_columns, others): (Vec<&Condition>, Vec<&Condition>) = everything
            .iter()
            .partition(|condition| condition.of_columns(self.sort, &mut Binds::default()).is_some());
        if others.is_empty() {
            return self.ask(connection, &Way::List, &everything).await;
        }
        let sample = self.sample(connection, &of_columns, &others).await?;
        let mut found: Vec<Place> = sample
            .iter()
            .filter(|row| row.holds.iter().all(|holds| *holds))
            .map(|row| self.place(&row.place))
            .collect();
        if sample.len() < SAMPLE || found.len() >= self.limit {
            found.truncate(self.limit);
            return Ok(found);
        }
        let mut ordered: Vec<(usize, &Condition)> = others
            .iter()
            .enumerate()
            .map(|(number, condition)| {
                (sample.iter().filter(|row| row.holds.get(number) == Some(&true)).count(), *condition)
            })
            .collect();
        ordered.sort_by_key(|(count, _)| *count);
        let in_order = others.iter().any(|condition| condition.is_phrase());
        let often = if in_order { OFTEN_IN_ORDER } else { OFTEN };
        if let Some(last) = sample.last().filter(|_| found.len() >= often) {
            let steps = (PATIENCE * SAMPLE * self.limit / found.len()).min(MOST_STEPS);
            let mut conditions = of_columns.clone();
            conditions.extend(ordered.iter().map(|(_, condition)| *condition));
            let further = self.after(self.place(&last.place), self.limit - found.len());
            let walked = further.ask(connection, &Way::Walk(steps), &conditions).await?;
            if walked.len() >= further.limit {
                found.extend(walked);
                return Ok(found);
            }
        }
        self.by_indexes(connection, of_columns, &ordered).await
    }

    /// What comes after a place, up to `limit`.
    const fn after(&self, place: Place, limit: usize) -> Self {
        Self { conditions: Vec::new(), sort: self.sort, after: Some(place), limit }
    }

    /// By what indexes say of the rarest conditions; with each, for how many of the sample it held.
    async fn by_indexes(
        &self,
        connection: &mut Connection,
        of_columns: Vec<&Condition>,
        ordered: &[(usize, &Condition)],
    ) -> Result<Vec<Place>, StoreError> {
        let mut rest = of_columns;
        rest.extend(ordered.iter().map(|(_, condition)| *condition));
        let mut sources: Vec<(usize, &Condition)> = ordered
            .iter()
            .filter(|(_, condition)| condition.source(&mut Binds::default()).is_some())
            .map(|(count, condition)| (count * condition.cost(), *condition))
            .collect();
        sources.sort_by_key(|(cost, _)| *cost);
        let without = |rest: &mut Vec<&Condition>, settled: &Condition| {
            if !settled.is_rough() {
                rest.retain(|condition| !std::ptr::eq(*condition, settled));
            }
        };
        for (_, condition) in sources.iter().filter(|(cost, _)| *cost <= WORTH_READING) {
            if let Some(few) = self.few(connection, condition).await? {
                without(&mut rest, condition);
                return self.ask(connection, &Way::Among(&few), &rest).await;
            }
        }
        let [(_, cheapest), others @ ..] = sources.as_slice() else {
            return self.ask(connection, &Way::List, &rest).await;
        };
        let mut joined = vec![*cheapest];
        joined.extend(
            others.iter().take(1).filter(|(cost, _)| *cost <= WORTH_JOINING).map(|(_, second)| *second),
        );
        let ids = self.joined(connection, &joined).await?;
        joined.iter().for_each(|condition| without(&mut rest, condition));
        let way = if ids.len() <= MOST_READ { Way::Among(&ids) } else { Way::Within(&ids) };
        self.ask(connection, &way, &rest).await
    }

    /// The first issues of the list, and which conditions hold for each.
    async fn sample(
        &self,
        connection: &mut Connection,
        of_columns: &[&Condition],
        others: &[&Condition],
    ) -> Result<Vec<SampleRow>, StoreError> {
        let mut binds = Binds::default();
        let inner = self.inner(&Way::Walk(SAMPLE), of_columns, &mut binds);
        let holds: Vec<String> = others.iter().map(|condition| condition.probe("w.id", &mut binds)).collect();
        let text = format!(
            "SELECT w.id, {}::bigint AS key, ARRAY[{}] AS holds FROM ({inner} LIMIT {SAMPLE}) w ORDER BY w.at DESC, w.id DESC",
            self.number(),
            holds.join(", ")
        );
        binds.load(connection, text).await
    }

    /// All issues for which a condition holds, if they are few.
    async fn few(
        &self,
        connection: &mut Connection,
        condition: &Condition,
    ) -> Result<Option<Vec<i64>>, StoreError> {
        let mut binds = Binds::default();
        let Some(source) = condition.source(&mut binds) else { return Ok(None) };
        let text = format!(
            // Without the OFFSET PostgreSQL would put the query in both places, and read everything twice.
            "SELECT CASE WHEN cardinality(ids) <= {FEW} THEN ids END AS ids FROM (SELECT ARRAY({source} LIMIT {}) AS ids OFFSET 0) s",
            FEW + 1
        );
        let rows: Vec<SourceRow> = binds.load(connection, text).await?;
        Ok(rows.into_iter().next().and_then(|row| row.ids).map(sorted))
    }

    /// All issues for which each of these holds, by their indexes.
    async fn joined(
        &self,
        connection: &mut Connection,
        conditions: &[&Condition],
    ) -> Result<Vec<i64>, StoreError> {
        // How common values of tags are is often estimated far too low: hashing both is sure, and fast enough.
        connection.batch_execute("SET LOCAL enable_nestloop = off").await?;
        let mut binds = Binds::default();
        let sources: Vec<String> =
            conditions.iter().filter_map(|condition| condition.source(&mut binds)).collect();
        let mut text = "SELECT s0.issue_id FROM ".to_owned();
        for (number, source) in sources.iter().enumerate() {
            text.push_str(&match number {
                0 => format!("({source}) s0"),
                _ => format!(" JOIN ({source}) s{number} ON s{number}.issue_id = s0.issue_id"),
            });
        }
        let rows: Vec<IdRow> = binds.load(connection, text).await?;
        Ok(sorted(rows.into_iter().map(|row| row.issue_id).collect()))
    }

    async fn ask(
        &self,
        connection: &mut Connection,
        way: &Way<'_>,
        conditions: &[&Condition],
    ) -> Result<Vec<Place>, StoreError> {
        let mut binds = Binds::default();
        let inner = self.inner(way, conditions, &mut binds);
        let outer: Vec<String> = conditions
            .iter()
            .filter(|condition| condition.of_columns(self.sort, &mut Binds::default()).is_none())
            .map(|condition| condition.probe("w.id", &mut binds))
            .collect();
        let looked_at = if outer.is_empty() { "true".to_owned() } else { outer.join(" AND ") };
        let bound = match way {
            _ if outer.is_empty() => format!("LIMIT {}", self.limit),
            Way::Walk(steps) => format!("LIMIT {steps}"),
            Way::List | Way::Within(_) | Way::Among(_) => "OFFSET 0".to_owned(),
        };
        let text = format!(
            "SELECT w.id, {}::bigint AS key FROM ({inner} {bound}) w WHERE {looked_at} ORDER BY w.at DESC, w.id DESC LIMIT {}",
            self.number(),
            self.limit
        );
        let rows: Vec<PlaceRow> = binds.load(connection, text).await?;
        Ok(rows.iter().map(|row| self.place(row)).collect())
    }

    /// The list's part that a statement gets at, in its order. A query around it looks at the issues one by one, until there are
    /// enough.
    fn inner(&self, way: &Way<'_>, conditions: &[&Condition], binds: &mut Binds) -> String {
        let (table, id, key) = self.sort.columns();
        let mut tests = vec!["true".to_owned()];
        match way {
            Way::Among(ids) => tests.push(format!("k.{id} = ANY ({})", binds.add(Bind::Longs(ids.to_vec())))),
            // With the sum there is no index to read them from: they are hashed, and the list is walked.
            Way::Within(ids) => {
                tests.push(format!("k.{id} + 0 = ANY ({})", binds.add(Bind::Longs(ids.to_vec()))))
            }
            Way::Walk(_) | Way::List => {}
        }
        if let Some(place) = self.after {
            let from = if self.sort.is_time() {
                binds.add(Bind::Time(DateTime::from_timestamp_micros(place.key).unwrap_or_default()))
            } else {
                format!("{}::smallint", place.key.clamp(0, i64::from(i16::MAX)))
            };
            tests.push(format!("(k.{key}, k.{id}) < ({from}, {})", place.id));
        }
        tests.extend(conditions.iter().filter_map(|condition| condition.of_columns(self.sort, binds)));
        format!(
            "SELECT k.{id} AS id, k.{key} AS at FROM {table} k WHERE {} ORDER BY k.{key} DESC, k.{id} DESC",
            tests.join(" AND ")
        )
    }

    /// The key of the order, as a number.
    const fn number(&self) -> &'static str {
        if self.sort.is_time() { "(extract(epoch FROM w.at) * 1000000)" } else { "w.at" }
    }

    const fn place(&self, row: &PlaceRow) -> Place {
        Place { sort: self.sort, key: row.key, id: row.id }
    }
}

fn sorted(mut ids: Vec<i64>) -> Vec<i64> {
    ids.sort_unstable();
    ids.dedup();
    ids
}
