//! Numbers of advisory locks, in one place so that no two things wait for the same one. `0x6275_676c_65ff` is that of the
//! tests' template.

use crate::{Connection, StoreError, statement};
use bugle_model::ProjectId;
use diesel::sql_types::Integer;
use diesel_async::RunQueryDsl;

/// Whoever migrates: several processes can start at once.
pub(crate) const MIGRATIONS: i64 = 0x6275_676c_6501;
/// The one process that maintains.
pub(crate) const UPKEEP: i64 = 0x6275_676c_6502;
/// Whoever makes partitions.
pub(crate) const PARTITIONS: i64 = 0x6275_676c_6503;
/// Whoever changes what a client has named by its version.
pub(crate) const CONDITIONAL: i64 = 0x6275_676c_6504;
/// Whoever begins a round of the canary.
pub(crate) const CANARY: i64 = 0x6275_676c_6506;
/// With a project's number: PostgreSQL keeps pairs apart from the numbers above.
const COMMITS: i32 = 0x6275_6701;

/// Until the end of the transaction, nobody else gives releases of the project commits, or has an issue wait for one. What
/// either has committed is seen by the statements that follow.
pub(crate) async fn commits(connection: &mut Connection, project: ProjectId) -> Result<(), StoreError> {
    statement("SELECT pg_advisory_xact_lock($1, $2)")
        .bind::<Integer, _>(COMMITS)
        .bind::<Integer, _>(project.0)
        .execute(connection)
        .await?;
    Ok(())
}
