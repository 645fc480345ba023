//! Finding issues. Conditions on what the list's own index holds are met by walking it. For others the first issues of the
//! list are looked at ([`SAMPLE`]); they may be enough, and show how common each condition is. Then one of these finds a page
//! soon:
//!
//! 1. All conditions together hold often enough: the walk goes on from there, the rarest condition first, as long as that is so.
//! 2. The list is short: it is walked to its end.
//! 3. One of the rarest holds for few issues ([`FEW`]): those are read from its index and looked at.
//! 4. Two that are common each, but not together or not among new issues: what the indexes say of the cheapest two is joined, and of
//!    those the others are looked at, the rarest first; or the list is walked for what the index says of the cheapest.
//! 5. They hold seldom, or no index is worth reading: the walk goes on all the same, as long as a page can be expected.
//!
//! A statement that takes longer than [`LIMIT_MS`] is given up.

use super::condition::{Condition, conditions};
use super::filter::{Filter, projects};
use super::question::{PlaceRow, Question, Way};
use super::sort::{Place, Sort};
use super::sql::Binds;
use super::wildcard;
use super::{Issue, get_many};
use crate::{Connection, Scope, StoreError};
use bugle_model::IssueId;
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Nullable};
use diesel_async::{AsyncConnection, SimpleAsyncConnection};
use std::collections::HashMap;
use std::ops::RangeInclusive;

/// How many of the first issues are looked at to see how common conditions are, …
const SAMPLE: RangeInclusive<usize> = 40..=120;
/// … the fewer, the more conditions each is looked at for: about so many looks in all.
const LOOKS: usize = 320;
/// If so many of a thousand are found, an index hardly names few.
const OFTEN: usize = 25;
/// The walk goes on by so many at least, and by as many again as it has come, …
const STRETCH: usize = 1_000;
/// … as long as a page can be expected within this, before any index is asked, …
const MOST_STEPS_WITHOUT_INDEX: usize = 3_000;
/// … and when none has helped.
const MOST_STEPS: usize = 6_000;
/// A list that has no more is walked to its end at once, without any index.
const SHORT: usize = 2_000;
/// For how many of a thousand a condition may hold, times its [cost](Condition::cost), for all of its index to be read if it is
/// [`FEW`], …
const WORTH_READING: usize = 400;
/// … and for its index to be joined with the cheapest; to read more costs more than to look at single issues.
const WORTH_JOINING: usize = 250;
/// What a condition may hold for to be worth reading whole, …
const FEW: usize = 3_000;
/// … and what a word may: it is [dear](Condition::cost).
const FEW_OF_WORDS: usize = 1_000;
/// More issues than this are not read one by one: the list is walked, and they are looked for in it. A list that has no more is walked
/// to its end, unless an index has a tenth of them at most.
const MOST_READ: usize = 5_000;
/// Memory for the issues of an index that the list is walked for, over two million of them. With more than fit, PostgreSQL would go
/// through all of them for each step.
const MEMORY: &str = "64MB";
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
            let mut projects = projects(connection, filter).await?;
            let mut tags = Vec::with_capacity(filter.tags.len());
            for tag in &filter.tags {
                let meant = wildcard::resolve(connection, &tag.key, &tag.values, projects.as_deref()).await?;
                // Releases, transactions, servers: what only one project has spares the others.
                projects = meant.projects.filter(|_| !tag.negated).or(projects);
                tags.push((tag.key.clone(), meant.values, tag.negated));
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

/// How far a walk through the list has come.
struct Walk {
    found: Vec<Place>,
    from: Place,
    steps: usize,
}

#[derive(QueryableByName)]
struct SourceRow {
    #[diesel(sql_type = Nullable<Array<BigInt>>)]
    ids: Option<Vec<i64>>,
}

#[derive(QueryableByName)]
struct SampleRow {
    #[diesel(embed)]
    place: PlaceRow,
    #[diesel(sql_type = Array<Bool>)]
    holds: Vec<bool>,
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
        let size = (LOOKS / others.len()).clamp(*SAMPLE.start(), *SAMPLE.end());
        let sample = self.sample(connection, size, &of_columns, &others).await?;
        let mut found: Vec<Place> = sample
            .iter()
            .filter(|row| row.holds.iter().all(|holds| *holds))
            .map(|row| self.place(&row.place))
            .collect();
        if sample.len() < size || found.len() >= self.limit {
            found.truncate(self.limit);
            return Ok(found);
        }
        let Some(last) = sample.last().map(|row| self.place(&row.place)) else { return Ok(found) };
        let shares = shares(&others, &sample);
        let mut conditions = of_columns;
        conditions.extend(rarest_first(&shares));
        let walk = Walk { found, from: last, steps: size };
        self.by_walking_or_indexes(connection, &conditions, &sources(&shares), walk).await
    }

    async fn by_walking_or_indexes(
        &self,
        connection: &mut Connection,
        conditions: &[&Condition],
        sources: &[(usize, &Condition)],
        mut walk: Walk,
    ) -> Result<Vec<Place>, StoreError> {
        let often = per_thousand(walk.found.len(), walk.steps) >= OFTEN;
        if often && self.walk(connection, conditions, &mut walk, MOST_STEPS_WITHOUT_INDEX).await? {
            return Ok(walk.found);
        }
        let length = self.length(connection, MOST_READ + 1, conditions).await?;
        let worth_reading: Vec<&Condition> = sources
            .iter()
            .filter(|source| is_worth_reading(source, length))
            .map(|(_, condition)| *condition)
            .collect();
        for condition in &worth_reading {
            if let Some(few) = self.few(connection, condition, length).await? {
                return self.ask(connection, &Way::Among(&few), &without(conditions, &[condition])).await;
            }
        }
        if length <= MOST_READ {
            return self.to_the_end(connection, conditions, walk).await;
        }
        let are_joinable = sources.get(1).is_some_and(|(cost, _)| *cost <= WORTH_JOINING);
        let may_walk = often || !are_joinable && (!walk.found.is_empty() || worth_reading.is_empty());
        if may_walk && self.walk(connection, conditions, &mut walk, MOST_STEPS).await? {
            return Ok(walk.found);
        }
        self.by_common(connection, conditions, sources).await
    }

    /// Goes on, stretch by stretch, until there are enough or the list ends; `false` when a page would take more than `most` steps by
    /// what was found so far.
    async fn walk(
        &self,
        connection: &mut Connection,
        conditions: &[&Condition],
        walk: &mut Walk,
        most: usize,
    ) -> Result<bool, StoreError> {
        loop {
            let further = self.after(walk.from, self.limit - walk.found.len());
            let stretch = walk.steps.max(STRETCH);
            let (more, end) = further.stretch(connection, stretch, conditions).await?;
            walk.found.extend(more);
            walk.steps += stretch;
            match end {
                Some(place) if walk.found.len() < self.limit => walk.from = place,
                _ => return Ok(true),
            }
            if walk.steps * self.limit > most * walk.found.len() {
                return Ok(false);
            }
        }
    }

    /// Goes on until there are enough or the list ends, however long that takes.
    async fn to_the_end(
        &self,
        connection: &mut Connection,
        conditions: &[&Condition],
        mut walk: Walk,
    ) -> Result<Vec<Place>, StoreError> {
        let further = self.after(walk.from, self.limit - walk.found.len());
        let rest = further.ask(connection, &Way::List, conditions).await?;
        walk.found.extend(rest);
        Ok(walk.found)
    }

    /// By what the indexes say of conditions that hold for many issues each, the cheapest or the cheapest two.
    async fn by_common(
        &self,
        connection: &mut Connection,
        conditions: &[&Condition],
        sources: &[(usize, &Condition)],
    ) -> Result<Vec<Place>, StoreError> {
        let [(_, cheapest), others @ ..] = sources else {
            return self.ask(connection, &Way::List, conditions).await;
        };
        connection.batch_execute(&format!("SET LOCAL work_mem = '{MEMORY}'")).await?;
        let Some((_, second)) = others.first().filter(|(cost, _)| *cost <= WORTH_JOINING) else {
            return self.ask(connection, &Way::Source(cheapest), &without(conditions, &[cheapest])).await;
        };
        let ids = self.joined(connection, [cheapest, second]).await?;
        let way = if ids.len() <= MOST_READ { Way::Among(&ids) } else { Way::Within(&ids) };
        self.ask(connection, &way, &without(conditions, &[cheapest, second])).await
    }

    /// The first issues of the list, and which conditions hold for each.
    async fn sample(
        &self,
        connection: &mut Connection,
        size: usize,
        of_columns: &[&Condition],
        others: &[&Condition],
    ) -> Result<Vec<SampleRow>, StoreError> {
        let mut binds = Binds::default();
        let inner = self.inner(&Way::List, of_columns, &mut binds);
        let holds: Vec<String> = others.iter().map(|condition| condition.probe("w.id", &mut binds)).collect();
        let text = format!(
            "SELECT w.id, {}::bigint AS key, ARRAY[{}] AS holds FROM ({inner} LIMIT {size}) w ORDER BY w.at DESC, w.id DESC",
            self.number(),
            holds.join(", ")
        );
        binds.load(connection, text).await
    }

    /// All issues for which a condition holds, if they are few for a list of this length.
    async fn few(
        &self,
        connection: &mut Connection,
        condition: &Condition,
        length: usize,
    ) -> Result<Option<Vec<i64>>, StoreError> {
        let mut binds = Binds::default();
        let Some(source) = condition.source(&mut binds) else { return Ok(None) };
        let few = if condition.cost() > 1 { FEW_OF_WORDS } else { FEW };
        let most = if length <= MOST_READ { few.min(length / 10) } else { few };
        let text = format!(
            // Without the OFFSET PostgreSQL would put the query in both places, and read everything twice.
            "SELECT CASE WHEN cardinality(ids) <= {most} THEN ids END AS ids FROM (SELECT ARRAY({source} LIMIT {}) AS ids OFFSET 0) s",
            most + 1
        );
        ids(connection, binds, text).await
    }

    /// All issues for which both hold, by their indexes.
    async fn joined(
        &self,
        connection: &mut Connection,
        conditions: [&Condition; 2],
    ) -> Result<Vec<i64>, StoreError> {
        // How common values of tags are is often estimated far too low: hashing both is sure, and fast enough.
        connection.batch_execute("SET LOCAL enable_nestloop = off").await?;
        let mut binds = Binds::default();
        let [Some(one), Some(other)] = conditions.map(|condition| condition.source(&mut binds)) else {
            return Ok(Vec::new());
        };
        let text = format!(
            "SELECT ARRAY(SELECT issue_id FROM ({one}) one JOIN ({other}) other USING (issue_id)) AS ids"
        );
        Ok(ids(connection, binds, text).await?.unwrap_or_default())
    }
}

/// How many of a thousand that is.
const fn per_thousand(count: usize, of: usize) -> usize {
    count * 1_000 / of
}

/// The conditions, with for how many of a thousand issues of the sample each holds.
fn shares<'a>(conditions: &[&'a Condition], sample: &[SampleRow]) -> Vec<(usize, &'a Condition)> {
    let holds = |number| sample.iter().filter(|row| row.holds.get(number) == Some(&true)).count();
    let share = |number| per_thousand(holds(number), sample.len());
    conditions.iter().enumerate().map(|(number, condition)| (share(number), *condition)).collect()
}

/// The conditions in the order that needs the fewest looks.
fn rarest_first<'a>(shares: &[(usize, &'a Condition)]) -> Vec<&'a Condition> {
    let mut ordered = shares.to_vec();
    ordered.sort_by_key(|(share, _)| *share);
    ordered.into_iter().map(|(_, condition)| condition).collect()
}

/// The conditions that an index can be asked for, the cheapest first, with what it costs to ask: for how many of a thousand each
/// holds, times what one costs.
fn sources<'a>(shares: &[(usize, &'a Condition)]) -> Vec<(usize, &'a Condition)> {
    let mut sources: Vec<(usize, &Condition)> = shares
        .iter()
        .filter(|(_, condition)| condition.source(&mut Binds::default()).is_some())
        .map(|(share, condition)| (share * condition.cost(), *condition))
        .collect();
    sources.sort_by_key(|(cost, _)| *cost);
    sources
}

/// Whether an index may have so few issues that reading them is less than to walk a list of this length.
fn is_worth_reading((cost, condition): &(usize, &Condition), length: usize) -> bool {
    // A word's index is read whole to see that it is too long: not for a short list when the sample has the word.
    let most = if length > MOST_READ || condition.cost() == 1 { WORTH_READING } else { 0 };
    length > SHORT && *cost <= most
}

/// What is still to be asked of issues that the indexes of `settled` name.
fn without<'a>(conditions: &[&'a Condition], settled: &[&Condition]) -> Vec<&'a Condition> {
    let is_settled = |condition: &Condition| {
        !condition.is_rough() && settled.iter().any(|settled| std::ptr::eq(condition, *settled))
    };
    conditions.iter().copied().filter(|condition| !is_settled(condition)).collect()
}

/// What a query for one array of issues, `ids`, gives: each once, in their order.
async fn ids(
    connection: &mut Connection,
    binds: Binds,
    text: String,
) -> Result<Option<Vec<i64>>, StoreError> {
    let rows: Vec<SourceRow> = binds.load(connection, text).await?;
    let mut ids = rows.into_iter().next().and_then(|row| row.ids);
    if let Some(ids) = &mut ids {
        ids.sort_unstable();
        ids.dedup();
    }
    Ok(ids)
}
