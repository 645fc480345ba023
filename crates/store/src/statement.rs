//! Hand-written statements that are prepared once per connection.
//!
//! `diesel::sql_query` prepares, runs and forgets: two more round trips and a new plan each time. This is the
//! same interface over the connection's statement cache. The text must be `'static`: values go through `bind`,
//! so the cache stays as small as the source.

use crate::{Connection, StoreError};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, Untyped};
use diesel_async::SimpleAsyncConnection;
use std::marker::PhantomData;

/// A statement with its values. Made by [`statement`]; run it with `diesel_async::RunQueryDsl`.
#[derive(Debug, Clone)]
pub struct Statement<Binds> {
    text: &'static str,
    binds: Binds,
}

/// One more value after those before it.
#[derive(Debug, Clone)]
pub struct Bound<Before, SqlType, Value> {
    before: Before,
    value: Value,
    sql_type: PhantomData<SqlType>,
}

/// A statement with the placeholders `$1`, `$2`, … that are given, in this order, with [`Statement::bind`].
/// Rows are read with `QueryableByName`.
#[must_use]
pub const fn statement(text: &'static str) -> Statement<()> {
    Statement { text, binds: () }
}

/// Plans are made once, and begin with an index.
const BY_KEYS: &str = "SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off";

/// For transactions of which a hundred may come in a second, and whose statements read few rows by their keys: until their end no
/// statement is planned anew for the values at hand, which takes one that joins ten tables longer than to run; and no table is read
/// whole, whatever PostgreSQL thinks of values that it does not know. A statement that others of the connection have run in the same way
/// keeps the plan that it has.
///
/// # Errors
/// When the database fails.
pub async fn by_keys(connection: &mut Connection) -> Result<(), StoreError> {
    Ok(connection.batch_execute(BY_KEYS).await?)
}

impl<Binds> Statement<Binds> {
    /// Gives the value of the next placeholder.
    #[must_use]
    pub fn bind<SqlType, Value>(self, value: Value) -> Statement<Bound<Binds, SqlType, Value>> {
        Statement { text: self.text, binds: Bound { before: self.binds, value, sql_type: PhantomData } }
    }
}

impl<Before, SqlType, Value> QueryFragment<Pg> for Bound<Before, SqlType, Value>
where
    Before: QueryFragment<Pg>,
    Pg: HasSqlType<SqlType>,
    Value: ToSql<SqlType, Pg>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.before.walk_ast(out.reborrow())?;
        out.push_bind_param_value_only(&self.value)
    }
}

impl<Binds: QueryFragment<Pg>> QueryFragment<Pg> for Statement<Binds> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(self.text);
        self.binds.walk_ast(out)
    }
}

impl<Binds> QueryId for Statement<Binds> {
    type QueryId = ();
    // Keyed by its text instead.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Binds> Query for Statement<Binds> {
    type SqlType = Untyped;
}
