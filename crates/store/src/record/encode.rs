//! Payloads: which anchor an event is compressed against, and when a new one is made.
//!
//! Measured on captured events: a new anchor when a result exceeds twice the best so far plus 200 bytes is what keeps
//! a changing issue small without many anchors.

use super::batch::NewEvent;
use super::cache::{Anchor, Cache};
use super::resolve::{Groups, Slot};
use crate::payload::{self, Encoder};
use crate::{Connection, StoreError, statement};
use bugle_model::{IssueId, RetentionClass};
use chrono::{DateTime, Days, NaiveDate, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Binary, Date, Integer, SmallInt};
use diesel_async::RunQueryDsl;
use std::collections::HashMap;
use std::sync::Arc;

/// An anchor takes dependants for this long.
const ANCHOR_DAYS: u64 = 31;
const IDS_AHEAD: i32 = 64;

/// The payload of one event.
#[derive(Debug)]
pub(super) struct Payload {
    pub anchor: Option<i64>,
    pub bytes: Vec<u8>,
}

/// An anchor that this batch makes.
#[derive(Debug)]
pub(super) struct MadeAnchor {
    pub anchor: Anchor,
    pub retention: RetentionClass,
    pub payload: Vec<u8>,
    /// The index of the event whose document it is.
    pub event: usize,
}

/// The payloads of a batch.
#[derive(Debug, Default)]
pub(super) struct Encoded {
    /// One for each event.
    pub payloads: Vec<Payload>,
    pub anchors: Vec<MadeAnchor>,
    /// The smallest payload against an anchor that was known before, by issue.
    pub best: HashMap<(IssueId, RetentionClass), usize>,
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

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// Loads the newest usable anchor of each known issue of the batch that has none in memory.
pub(super) async fn load_anchors(
    connection: &mut Connection,
    cache: &mut Cache,
    events: &[NewEvent],
    groups: &Groups,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let mut wanted: Vec<(i64, i16)> = events
        .iter()
        .enumerate()
        .filter_map(|(index, event)| Some((groups.issue(index)?, event.retention)))
        .filter(|key| !cache.anchors.contains_key(key))
        .map(|(issue, retention)| (issue.0, retention.days()))
        .collect();
    wanted.sort_unstable();
    wanted.dedup();
    if wanted.is_empty() {
        return Ok(());
    }
    let rows: Vec<AnchorRow> = statement(
        "SELECT a.id, a.issue_id, a.retention, a.sealed_on, a.payload FROM UNNEST($1, $2) AS w (issue_id, retention)
         CROSS JOIN LATERAL (SELECT * FROM anchors a WHERE a.issue_id = w.issue_id AND a.retention = w.retention
             AND a.sealed_on >= $3 ORDER BY a.id DESC LIMIT 1) a",
    )
    .bind::<Array<BigInt>, _>(wanted.iter().map(|key| key.0).collect::<Vec<_>>())
    .bind::<Array<SmallInt>, _>(wanted.iter().map(|key| key.1).collect::<Vec<_>>())
    .bind::<Date, _>(now.date_naive())
    .load(connection)
    .await?;
    for row in rows {
        let Ok(retention) = RetentionClass::try_from(row.retention) else { continue };
        let document = Arc::new(payload::decode(&row.payload, None)?);
        let anchor = Anchor { id: row.id, document, sealed_on: row.sealed_on, best: None, used: 0 };
        cache.keep_anchor((IssueId(row.issue_id), retention), anchor);
    }
    Ok(())
}

/// Compresses every event of the batch.
pub(super) async fn encode(
    connection: &mut Connection,
    cache: &mut Cache,
    events: &[NewEvent],
    groups: &Groups,
    now: DateTime<Utc>,
) -> Result<Encoded, StoreError> {
    if cache.anchor_ids.len() < events.len() {
        let missing = i32::try_from(events.len() - cache.anchor_ids.len()).unwrap_or(i32::MAX).max(IDS_AHEAD);
        let ids: Vec<Id> = statement("SELECT nextval('anchors_id_seq') AS id FROM generate_series(1, $1)")
            .bind::<Integer, _>(missing)
            .load(connection)
            .await?;
        cache.anchor_ids.extend(ids.into_iter().map(|row| row.id));
    }
    let mut ids = std::mem::take(&mut cache.anchor_ids);
    let result = compress(cache, &mut ids, events, groups, now.date_naive());
    cache.anchor_ids = ids;
    result
}

/// The anchor in use for a group within this batch.
struct Current<'a> {
    id: i64,
    document: &'a [u8],
    sealed_on: NaiveDate,
    best: Option<usize>,
    /// The batch has made it.
    is_new: bool,
}

fn compress(
    cache: &Cache,
    ids: &mut Vec<i64>,
    events: &[NewEvent],
    groups: &Groups,
    today: NaiveDate,
) -> Result<Encoded, StoreError> {
    // Both kinds of anchor outlive the encoder: those known before, and the batch's own documents.
    let known: Vec<Option<Anchor>> = events
        .iter()
        .enumerate()
        .map(|(index, event)| groups.issue(index).and_then(|issue| cache.anchors.get(&(issue, event.retention)).cloned()))
        .collect();
    let mut encoder = Encoder::new()?;
    let mut encoded = Encoded::default();
    let mut current: HashMap<(Slot, RetentionClass), Current<'_>> = HashMap::new();
    for (index, (event, known)) in events.iter().zip(&known).enumerate() {
        let key = (groups.slot(index), event.retention);
        if let Some(known) = known {
            current.entry(key).or_insert_with(|| Current {
                id: known.id,
                document: known.document.as_slice(),
                sealed_on: known.sealed_on,
                best: known.best,
                is_new: false,
            });
        }
        let usable = current.get_mut(&key).filter(|anchor| event.received_at.date_naive() <= anchor.sealed_on);
        if let Some(anchor) = usable {
            let bytes = encoder.against(anchor.document, &event.document)?;
            if anchor.best.is_none_or(|best| bytes.len() <= best * 2 + 200) {
                anchor.best = Some(anchor.best.map_or(bytes.len(), |best| best.min(bytes.len())));
                if !anchor.is_new && let Some(issue) = groups.issue(index) {
                    let best = encoded.best.entry((issue, event.retention)).or_insert(bytes.len());
                    *best = (*best).min(bytes.len());
                }
                encoded.payloads.push(Payload { anchor: Some(anchor.id), bytes });
                continue;
            }
        }
        let Some(id) = ids.pop() else { return Err(StoreError::Damaged("no id for an anchor".to_owned())) };
        let sealed_on = today.checked_add_days(Days::new(ANCHOR_DAYS)).unwrap_or(today);
        let document = event.document.as_slice();
        // The event itself is kept like any other: against its own copy, in a few bytes.
        let bytes = encoder.against(document, document)?;
        encoded.payloads.push(Payload { anchor: Some(id), bytes });
        encoded.anchors.push(MadeAnchor {
            anchor: Anchor { id, document: Arc::new(event.document.clone()), sealed_on, best: None, used: 0 },
            retention: event.retention,
            payload: encoder.alone(document)?,
            event: index,
        });
        current.insert(key, Current { id, document, sealed_on, best: None, is_new: true });
    }
    Ok(encoded)
}
