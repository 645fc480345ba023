//! The statements of a search: a way to get at issues, and what is asked of each.

use super::condition::Condition;
use super::sort::{Place, Sort};
use super::sql::{Bind, Binds};
use crate::{Connection, StoreError};
use chrono::DateTime;
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool};

#[derive(QueryableByName)]
pub(super) struct PlaceRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    key: i64,
}

#[derive(QueryableByName)]
struct StepRow {
    #[diesel(embed)]
    place: PlaceRow,
    #[diesel(sql_type = Bool)]
    holds: bool,
    #[diesel(sql_type = Bool)]
    last: bool,
}

#[derive(QueryableByName)]
struct LengthRow {
    #[diesel(sql_type = BigInt)]
    length: i64,
}

/// How a statement gets at issues.
pub(super) enum Way<'a> {
    /// Only these, each by itself.
    Among(&'a [i64]),
    /// The list, as far as it has these.
    Within(&'a [i64]),
    /// The list, as far as the source of this condition has it.
    Source(&'a Condition),
    /// The whole list.
    List,
}

/// A search, or what is left of it.
pub(super) struct Question {
    pub conditions: Vec<Condition>,
    pub sort: Sort,
    pub after: Option<Place>,
    /// How many are asked for.
    pub limit: usize,
}

impl Question {
    /// What comes after a place, up to `limit`.
    pub const fn after(&self, place: Place, limit: usize) -> Self {
        Self { conditions: Vec::new(), sort: self.sort, after: Some(place), limit }
    }

    /// The first issues of a way for which the conditions hold.
    pub async fn ask(
        &self,
        connection: &mut Connection,
        way: &Way<'_>,
        conditions: &[&Condition],
    ) -> Result<Vec<Place>, StoreError> {
        let mut binds = Binds::default();
        let inner = self.inner(way, conditions, &mut binds);
        let holds = self.holds(conditions, &mut binds);
        // Without the OFFSET the issues would be looked at before they are in their order.
        let bound = if holds.is_some() { "OFFSET 0".to_owned() } else { format!("LIMIT {}", self.limit) };
        let text = format!(
            "SELECT w.id, {}::bigint AS key FROM ({inner} {bound}) w WHERE {} ORDER BY w.at DESC, w.id DESC LIMIT {}",
            self.number(),
            holds.as_deref().unwrap_or("true"),
            self.limit
        );
        let rows: Vec<PlaceRow> = binds.load(connection, text).await?;
        Ok(rows.iter().map(|row| self.place(row)).collect())
    }

    /// The issues among the first `steps` of the list for which the conditions hold, and where to go on: nowhere when there are
    /// enough, or no more.
    pub async fn stretch(
        &self,
        connection: &mut Connection,
        steps: usize,
        conditions: &[&Condition],
    ) -> Result<(Vec<Place>, Option<Place>), StoreError> {
        let mut binds = Binds::default();
        let inner = self.inner(&Way::List, conditions, &mut binds);
        let holds = self.holds(conditions, &mut binds).unwrap_or_else(|| "true".to_owned());
        // The OFFSET keeps the conditions from being looked at twice. What only filters keeps the order of what it filters; to sort
        // once more would be to look at all steps, also when the first have enough.
        let text = format!(
            "SELECT * FROM (SELECT w.id, {}::bigint AS key, {holds} AS holds, w.step = {steps} AS last
                 FROM (SELECT l.*, row_number() OVER (ORDER BY l.at DESC, l.id DESC) AS step FROM ({inner}) l LIMIT {steps}) w
                 ORDER BY w.at DESC, w.id DESC OFFSET 0) s
             WHERE holds OR last LIMIT {}",
            self.number(),
            self.limit
        );
        let rows: Vec<StepRow> = binds.load(connection, text).await?;
        let found = rows.iter().filter(|row| row.holds).map(|row| self.place(&row.place)).collect();
        let last = rows.last().filter(|row| row.last).map(|row| self.place(&row.place));
        Ok((found, last))
    }

    /// How many issues the list has, counted up to `most`.
    pub async fn length(
        &self,
        connection: &mut Connection,
        most: usize,
        conditions: &[&Condition],
    ) -> Result<usize, StoreError> {
        let mut binds = Binds::default();
        let inner = self.inner(&Way::List, conditions, &mut binds);
        let text = format!("SELECT count(*) AS length FROM ({inner} LIMIT {most}) l");
        let rows: Vec<LengthRow> = binds.load(connection, text).await?;
        Ok(rows.first().and_then(|row| usize::try_from(row.length).ok()).unwrap_or(most))
    }

    /// The conditions that the list's index does not answer, in their order; `None` without any.
    fn holds(&self, conditions: &[&Condition], binds: &mut Binds) -> Option<String> {
        let each: Vec<String> = conditions
            .iter()
            .filter(|condition| condition.of_columns(self.sort, &mut Binds::default()).is_none())
            .map(|condition| format!("WHEN NOT ({}) THEN false", condition.probe("w.id", binds)))
            .collect();
        // Not with AND: PostgreSQL would look first at what it takes for the cheapest, not for the rarest.
        (!each.is_empty()).then(|| format!("CASE {} ELSE true END", each.join(" ")))
    }

    /// The list's part that a statement gets at, in its order. A query around it looks at the issues one by one, until there are
    /// enough.
    pub fn inner(&self, way: &Way<'_>, conditions: &[&Condition], binds: &mut Binds) -> String {
        let (table, id, key) = self.sort.columns();
        let mut tests = vec!["true".to_owned()];
        match way {
            Way::Among(ids) => tests.push(format!("k.{id} = ANY ({})", binds.add(Bind::Longs(ids.to_vec())))),
            Way::Within(ids) => {
                tests.push(hashed(id, &format!("SELECT unnest({})", binds.add(Bind::Longs(ids.to_vec())))));
            }
            Way::Source(condition) => {
                tests.extend(condition.source(binds).map(|source| hashed(id, &source)));
            }
            Way::List => {}
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
    pub const fn number(&self) -> &'static str {
        if self.sort.is_time() { "(extract(epoch FROM w.at) * 1000000)" } else { "w.at" }
    }

    pub const fn place(&self, row: &PlaceRow) -> Place {
        Place { sort: self.sort, key: row.key, id: row.id }
    }
}

/// Whether an issue of the list is among those of a query, which is hashed and not joined: the list is walked in its order, up to
/// what is asked for.
fn hashed(id: &str, query: &str) -> String {
    format!("(k.{id} IN ({query})) IS TRUE")
}
