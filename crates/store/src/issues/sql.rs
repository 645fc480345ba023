//! A statement that is put together for one question.

use crate::{Connection, StoreError};
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::sql_types::{Array, BigInt, Integer, SmallInt, Text, Timestamptz};
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;

/// A value that came from outside, or is too long for the text.
#[derive(Debug, Clone)]
pub(super) enum Bind {
    Text(String),
    Texts(Vec<String>),
    Smalls(Vec<i16>),
    Ints(Vec<i32>),
    Longs(Vec<i64>),
    Time(DateTime<Utc>),
}

/// The values of a statement. What is not asked for is not in its text, so that the planner sees what is.
#[derive(Debug, Clone, Default)]
pub(super) struct Binds(Vec<Bind>);

impl Binds {
    /// The placeholder of a value.
    pub fn add(&mut self, value: Bind) -> String {
        self.0.push(value);
        format!("${}", self.0.len())
    }

    /// Runs a statement with these values. It is not kept prepared: there are as many texts as questions.
    pub async fn load<Row>(self, connection: &mut Connection, text: String) -> Result<Vec<Row>, StoreError>
    where
        Row: QueryableByName<Pg> + Send + 'static,
    {
        let mut query = sql_query(text).into_boxed::<Pg>();
        for value in self.0 {
            query = match value {
                Bind::Text(value) => query.bind::<Text, _>(value),
                Bind::Texts(value) => query.bind::<Array<Text>, _>(value),
                Bind::Smalls(value) => query.bind::<Array<SmallInt>, _>(value),
                Bind::Ints(value) => query.bind::<Array<Integer>, _>(value),
                Bind::Longs(value) => query.bind::<Array<BigInt>, _>(value),
                Bind::Time(value) => query.bind::<Timestamptz, _>(value),
            };
        }
        Ok(query.load(connection).await?)
    }
}
