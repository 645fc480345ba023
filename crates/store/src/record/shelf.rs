//! The anchors of one issue and retention class that are worth trying.

use crate::{Connection, StoreError, payload, statement};
use bugle_model::{IssueId, RetentionClass};
use chrono::NaiveDate;
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Binary, Date, Integer, SmallInt};
use diesel_async::RunQueryDsl;
use std::sync::Arc;

/// As many kinds of events as take turns in one issue without making new anchors.
pub(super) const MOST_ANCHORS: usize = 4;

/// Whose anchors they are.
pub(super) type ShelfKey = (IssueId, RetentionClass);

/// An anchor and how well it serves.
#[derive(Debug, Clone)]
pub(super) struct Anchor {
    pub id: i64,
    pub document: Arc<Vec<u8>>,
    /// The size of its own payload, which stands alone.
    pub alone: usize,
    pub sealed_on: NaiveDate,
    /// The smallest payload so far that was made against it.
    pub best: Option<usize>,
}

/// Anchors, the one used last first.
#[derive(Debug, Clone, Default)]
pub(super) struct Shelf {
    pub anchors: Vec<Anchor>,
    /// How many events were kept alone since the last anchor was made.
    pub misses: u32,
    /// When it was used last, by the cache's clock.
    pub used: u64,
}

impl Shelf {
    pub fn bytes(&self) -> usize {
        self.anchors.iter().map(|anchor| anchor.document.len()).sum()
    }
}

#[derive(QueryableByName)]
struct AnchorRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    issue_id: i64,
    #[diesel(sql_type = SmallInt)]
    retention: i16,
    #[diesel(sql_type = Date)]
    sealed_on: NaiveDate,
    #[diesel(sql_type = Binary)]
    payload: Vec<u8>,
}

/// Reads the newest anchors that still take dependants on `today`.
pub(super) async fn load(
    connection: &mut Connection,
    wanted: &[ShelfKey],
    today: NaiveDate,
) -> Result<Vec<(ShelfKey, Anchor)>, StoreError> {
    let rows: Vec<AnchorRow> = statement(
        "SELECT a.id, a.issue_id, a.retention, a.sealed_on, a.payload FROM UNNEST($1, $2) AS w (issue_id, retention)
         CROSS JOIN LATERAL (SELECT * FROM anchors a WHERE a.issue_id = w.issue_id AND a.retention = w.retention
             AND a.sealed_on >= $3 ORDER BY a.id DESC LIMIT $4) a ORDER BY a.id DESC",
    )
    .bind::<Array<BigInt>, _>(wanted.iter().map(|key| key.0.0).collect::<Vec<_>>())
    .bind::<Array<SmallInt>, _>(wanted.iter().map(|key| key.1.days()).collect::<Vec<_>>())
    .bind::<Date, _>(today)
    .bind::<BigInt, _>(i64::try_from(MOST_ANCHORS).unwrap_or(i64::MAX))
    .load(connection)
    .await?;
    let mut anchors = Vec::with_capacity(rows.len());
    for row in rows {
        let Ok(retention) = RetentionClass::try_from(row.retention) else { continue };
        let document = Arc::new(payload::decode(&row.payload, None)?);
        let AnchorRow { id, sealed_on, .. } = row;
        let anchor = Anchor { id, document, alone: row.payload.len(), sealed_on, best: None };
        anchors.push(((IssueId(row.issue_id), retention), anchor));
    }
    Ok(anchors)
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// Takes `count` ids for anchors to come. Those that are not used are gaps.
pub(super) async fn take_ids(connection: &mut Connection, count: usize) -> Result<Vec<i64>, StoreError> {
    let rows: Vec<Id> = statement("SELECT nextval('anchors_id_seq') AS id FROM generate_series(1, $1)")
        .bind::<Integer, _>(i32::try_from(count).unwrap_or(i32::MAX))
        .load(connection)
        .await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}
