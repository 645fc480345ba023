//! What was told, or is to be told, of issues that go.
//!
//! No notification goes with its issue: it may carry what is to be told of others (a bundle), and it says what somebody was
//! told. One that no issue is left for has none from then on.

use crate::{Connection, StoreError, statement};
use bugle_model::IssueId;
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Text, Timestamptz};
use diesel_async::RunQueryDsl;

/// Of several with the same identity the one that was sent, then the one that is on its way or inside another; then the one that
/// waits. A generation of the issue that goes says nothing about those that the other one will have: it is one of the
/// past.
const ADOPT: &str = "
    WITH same AS (
        SELECT DISTINCT ON (n.destination_id, n.kind, least(n.generation, i.generation))
            n.id, n.destination_id, n.kind, least(n.generation, i.generation) AS generation
        FROM notifications n CROSS JOIN issues i WHERE n.issue_id = ANY ($2) AND i.id = $1
        ORDER BY n.destination_id, n.kind, least(n.generation, i.generation),
            array_position(ARRAY[2, 1, 5, 6, 0, 3, 4], n.state::int), n.id)
    UPDATE notifications n SET issue_id = $1, generation = s.generation FROM same s
    WHERE n.id = s.id AND NOT EXISTS (
        SELECT 1 FROM notifications o WHERE o.issue_id = $1 AND o.destination_id = s.destination_id AND o.kind = s.kind
            AND o.generation = s.generation)";

/// Gives what was told of some issues to the one that they are merged into. What that one has been told of already, or
/// will be, is not told again.
pub(super) async fn adopt(
    connection: &mut Connection,
    into: IssueId,
    going: &[i64],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    lock(connection, going).await?;
    statement(ADOPT).bind::<BigInt, _>(into.0).bind::<Array<BigInt>, _>(going).execute(connection).await?;
    give_up(connection, going, "the issue was merged into another one, which is told by itself", now).await
}

/// Leaves what was told of some issues without them, and tells no more of them.
pub(super) async fn detach(
    connection: &mut Connection,
    going: &[i64],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    lock(connection, going).await?;
    give_up(connection, going, "the issue was deleted", now).await
}

/// By itself, so that what follows sees what a claim that held them has bundled into them. A claim leaves out what is locked.
async fn lock(connection: &mut Connection, going: &[i64]) -> Result<(), StoreError> {
    statement("SELECT id FROM notifications WHERE issue_id = ANY ($1) ORDER BY id FOR UPDATE")
        .bind::<Array<BigInt>, _>(going)
        .execute(connection)
        .await?;
    Ok(())
}

/// What carries others goes out without its own part; what is on its way is recorded when it has arrived.
async fn give_up(
    connection: &mut Connection,
    going: &[i64],
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    statement(
        "UPDATE notifications n SET state = 4, error = $2, finished_at = $3, next_at = NULL
         WHERE n.issue_id = ANY ($1) AND n.state = 0
             AND NOT EXISTS (SELECT 1 FROM notifications b WHERE b.bundled_into = n.id)",
    )
    .bind::<Array<BigInt>, _>(going)
    .bind::<Text, _>(reason)
    .bind::<Timestamptz, _>(now)
    .execute(connection)
    .await?;
    statement("UPDATE notifications SET issue_id = NULL WHERE issue_id = ANY ($1)")
        .bind::<Array<BigInt>, _>(going)
        .execute(connection)
        .await?;
    Ok(())
}
