//! Statistics of tables that grow fast.
//!
//! A statement's plan is kept, and made anew when its tables are analysed. PostgreSQL's own daemon looks once a minute: until
//! then a plan that was made for a table of one row reads all of it each time, when an installation is young and everything
//! breaks at once. Then each look at what is due took seconds.

use crate::{Connection, StoreError, statement};
use diesel_async::RunQueryDsl;

/// Tables that have more than twice the pages they had when they were analysed. Partitions are found by their bounds, whatever
/// they hold.
const REFRESH: &str = "
    DO $$
    DECLARE
        grown regclass;
    BEGIN
        FOR grown IN
            SELECT c.oid FROM pg_class c
            WHERE c.relkind = 'r' AND NOT c.relispartition AND c.relnamespace = to_regnamespace(current_schema())
              AND pg_relation_size(c.oid) > current_setting('block_size')::bigint * (4 + 2 * greatest(c.relpages, 0))
            ORDER BY c.oid
        LOOP
            EXECUTE format('ANALYZE (SKIP_LOCKED) %s', grown);
        END LOOP;
    END $$";

/// Analyses the tables that have grown to more than twice their size since they were analysed last. A sample of each is read,
/// whatever its size.
///
/// # Errors
/// When the database fails.
pub async fn refresh(connection: &mut Connection) -> Result<(), StoreError> {
    statement(REFRESH).execute(connection).await?;
    Ok(())
}
