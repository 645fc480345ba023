//! What the server says of itself.

use crate::{Connection, StoreError, statement};
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Integer, Timestamptz};
use diesel_async::RunQueryDsl;

/// The oldest PostgreSQL that Bugle runs on, as `server_version_num`.
pub const MIN_VERSION: i32 = 150_000;

#[derive(QueryableByName)]
struct NowRow {
    #[diesel(sql_type = Timestamptz)]
    now: DateTime<Utc>,
}

/// The server's time, for the clock that all processes go by. The only statement that asks for the time.
///
/// # Errors
/// When the database fails.
pub async fn time(connection: &mut Connection) -> Result<DateTime<Utc>, StoreError> {
    let row: NowRow = statement("SELECT clock_timestamp() AS now").get_result(connection).await?;
    Ok(row.now)
}

#[derive(QueryableByName)]
struct VersionRow {
    #[diesel(sql_type = Integer)]
    version: i32,
}

/// The server's version as a number: 150004 for 15.4.
///
/// # Errors
/// When the database fails.
pub async fn version(connection: &mut Connection) -> Result<i32, StoreError> {
    let row: VersionRow = statement("SELECT current_setting('server_version_num')::int4 AS version")
        .get_result(connection)
        .await?;
    Ok(row.version)
}
