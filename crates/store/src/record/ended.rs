//! Items that leave no row behind by which a second delivery could be noticed: their messages are remembered.

use super::batch::Batch;
use crate::{Connection, StoreError, statement};
use bugle_model::OutcomeCount;
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, SmallInt, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use std::collections::{BTreeSet, HashSet};
use uuid::Uuid;

#[derive(QueryableByName)]
struct Message {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// The outcomes of the batch that were not counted before. A message that was recorded as a whole is not counted again in
/// parts.
pub(super) async fn uncounted(
    connection: &mut Connection,
    batch: &Batch,
    now: DateTime<Utc>,
) -> Result<Vec<OutcomeCount>, StoreError> {
    if batch.outcomes.is_empty() {
        return Ok(Vec::new());
    }
    // Sorted: two recorders with the same messages wait for each other, and not in a circle.
    let messages: BTreeSet<Uuid> = batch.outcomes.iter().map(|ended| ended.message).collect();
    let new: Vec<Message> = statement(
        "INSERT INTO consumed_messages (id, part, consumed_at)
         SELECT t.id, $2, $3 FROM UNNEST($1) AS t (id)
         WHERE NOT EXISTS (SELECT 1 FROM consumed_messages c WHERE c.id = t.id AND c.part = 0) ORDER BY t.id
         ON CONFLICT DO NOTHING RETURNING id",
    )
    .bind::<Array<SqlUuid>, _>(messages.into_iter().collect::<Vec<_>>())
    .bind::<SmallInt, _>(batch.part)
    .bind::<Timestamptz, _>(now)
    .load(connection)
    .await?;
    let new: HashSet<Uuid> = new.into_iter().map(|row| row.id).collect();
    let counted = batch.outcomes.iter().filter(|ended| new.contains(&ended.message));
    Ok(counted.map(|ended| ended.count.clone()).collect())
}
