//! Payloads: which anchor an event is compressed against, and when a new one is made.
//!
//! Measured on captured events: a new anchor when a result exceeds twice the best so far plus 200 bytes is what keeps
//! a changing issue small without many anchors. Some issues hold several kinds of events that take turns: the last few
//! anchors are tried before a new one is made. And some hold events that have nothing in common: once anchors find no
//! use, most events are kept alone.

use super::batch::NewEvent;
use super::cache::Cache;
use super::resolve::{Groups, Slot};
use super::shelf::{self, Anchor, MOST_ANCHORS, Shelf, ShelfKey};
use crate::payload::Encoder;
use crate::{Connection, StoreError};
use bugle_model::RetentionClass;
use chrono::{DateTime, Days, NaiveDate, Utc};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// An anchor takes dependants for this long.
const ANCHOR_DAYS: u64 = 31;
const IDS_AHEAD: usize = 64;
/// A result may exceed what is expected of it by this many bytes.
const SLACK: usize = 200;
/// With this many anchors that nothing was ever kept against, events are kept alone, …
const MOST_UNUSED: usize = 2;
/// … but for every so manieth, which may be the first of a new kind.
const MISSES_PER_ANCHOR: u32 = 16;

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

/// What a batch has made of the anchors of a group.
#[derive(Debug)]
pub(super) struct Used {
    /// The index of an event of the group.
    pub event: usize,
    pub retention: RetentionClass,
    /// Ids and best results, the anchor used last first.
    pub anchors: Vec<(i64, Option<usize>)>,
    pub misses: u32,
}

/// The payloads of a batch.
#[derive(Debug, Default)]
pub(super) struct Encoded {
    /// One for each event.
    pub payloads: Vec<Payload>,
    pub anchors: Vec<MadeAnchor>,
    pub used: Vec<Used>,
}

/// Loads the newest usable anchors of each known issue of the batch that has none in memory.
pub(super) async fn load_anchors(
    connection: &mut Connection,
    cache: &mut Cache,
    events: &[NewEvent],
    groups: &Groups,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let wanted: BTreeSet<ShelfKey> = events
        .iter()
        .enumerate()
        .filter_map(|(index, event)| Some((groups.issue(index)?, event.retention)))
        .filter(|key| !cache.shelves.contains_key(key))
        .collect();
    if !wanted.is_empty() {
        let wanted: Vec<ShelfKey> = wanted.into_iter().collect();
        let anchors = shelf::load(connection, &wanted, now.date_naive()).await?;
        cache.keep_loaded(&wanted, anchors);
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
        let missing = (events.len() - cache.anchor_ids.len()).max(IDS_AHEAD);
        cache.anchor_ids.extend(shelf::take_ids(connection, missing).await?);
    }
    let shelves: Vec<Option<&Shelf>> = (0..events.len())
        .zip(events)
        .map(|(index, event)| cache.shelves.get(&(groups.issue(index)?, event.retention)))
        .collect();
    let mut ids = cache.anchor_ids.iter().copied();
    let mut work = Work::new(&mut ids, now.date_naive())?;
    for (index, (event, shelf)) in events.iter().zip(shelves).enumerate() {
        work.add(index, event, groups.slot(index), shelf)?;
    }
    let encoded = work.finish();
    // Whatever becomes of the transaction: an id that was given is not given again.
    cache.anchor_ids.drain(..encoded.anchors.len());
    Ok(encoded)
}

/// An anchor that may serve: of the memory, or of the batch.
#[derive(Debug, Clone, Copy)]
struct Candidate<'a> {
    id: i64,
    document: &'a [u8],
    alone: usize,
    sealed_on: NaiveDate,
    best: Option<usize>,
}

impl Candidate<'_> {
    /// The largest result with which it serves.
    fn limit(&self) -> usize {
        match self.best {
            Some(best) => best * 2 + SLACK,
            None => self.alone / 2 + SLACK,
        }
    }
}

/// The anchors of a group, the one used last first.
#[derive(Debug, Default)]
struct Row<'a> {
    event: usize,
    candidates: Vec<Candidate<'a>>,
    misses: u32,
}

impl Row<'_> {
    /// Another anchor would most likely find no use either.
    fn is_hopeless(&self) -> bool {
        self.candidates.iter().filter(|candidate| candidate.best.is_none()).count() >= MOST_UNUSED
            && self.misses + 1 < MISSES_PER_ANCHOR
    }
}

struct Work<'a, 'i> {
    encoder: Encoder<'a>,
    ids: &'i mut dyn Iterator<Item = i64>,
    today: NaiveDate,
    rows: HashMap<(Slot, RetentionClass), Row<'a>>,
    encoded: Encoded,
}

impl<'a, 'i> Work<'a, 'i> {
    fn new(ids: &'i mut dyn Iterator<Item = i64>, today: NaiveDate) -> Result<Self, StoreError> {
        Ok(Self { encoder: Encoder::new()?, ids, today, rows: HashMap::new(), encoded: Encoded::default() })
    }

    fn add(
        &mut self,
        index: usize,
        event: &'a NewEvent,
        slot: Slot,
        shelf: Option<&'a Shelf>,
    ) -> Result<(), StoreError> {
        let mut row = self.rows.remove(&(slot, event.retention)).unwrap_or_else(|| open(index, shelf));
        let payload = match self.against_one(&mut row, event)? {
            Some(payload) => payload,
            None if row.is_hopeless() => {
                row.misses += 1;
                Payload { anchor: None, bytes: self.encoder.alone(&event.document)? }
            }
            None => self.as_anchor(&mut row, index, event)?,
        };
        self.encoded.payloads.push(payload);
        self.rows.insert((slot, event.retention), row);
        Ok(())
    }

    /// Compresses against the first anchor that serves.
    fn against_one(&mut self, row: &mut Row<'a>, event: &'a NewEvent) -> Result<Option<Payload>, StoreError> {
        for place in 0..row.candidates.len() {
            let Some(candidate) = row.candidates.get_mut(place) else { break };
            if event.received_at.date_naive() > candidate.sealed_on {
                continue;
            }
            let bytes = self.encoder.against(candidate.document, &event.document)?;
            if bytes.len() <= candidate.limit() {
                candidate.best = Some(candidate.best.map_or(bytes.len(), |best| best.min(bytes.len())));
                let anchor = Some(candidate.id);
                row.candidates.get_mut(..=place).unwrap_or_default().rotate_right(1);
                return Ok(Some(Payload { anchor, bytes }));
            }
        }
        Ok(None)
    }

    /// Makes the event an anchor. It is kept like any other too: against its own copy, in a byte.
    fn as_anchor(
        &mut self,
        row: &mut Row<'a>,
        index: usize,
        event: &'a NewEvent,
    ) -> Result<Payload, StoreError> {
        let id = self.ids.next().ok_or_else(|| StoreError::Damaged("no id for an anchor".to_owned()))?;
        let sealed_on = self.today.checked_add_days(Days::new(ANCHOR_DAYS)).unwrap_or(self.today);
        let document = event.document.as_slice();
        let payload = self.encoder.alone(document)?;
        let alone = payload.len();
        row.candidates.insert(0, Candidate { id, document, alone, sealed_on, best: None });
        row.candidates.truncate(MOST_ANCHORS);
        row.misses = 0;
        let document = Arc::new(event.document.clone());
        let anchor = Anchor { id, document, alone, sealed_on, best: None };
        self.encoded.anchors.push(MadeAnchor { anchor, retention: event.retention, payload, event: index });
        Ok(Payload { anchor: Some(id), bytes: self.encoder.against(&event.document, &event.document)? })
    }

    fn finish(self) -> Encoded {
        let mut encoded = self.encoded;
        encoded.used.extend(self.rows.into_iter().map(|((_, retention), row)| Used {
            event: row.event,
            retention,
            anchors: row.candidates.iter().map(|candidate| (candidate.id, candidate.best)).collect(),
            misses: row.misses,
        }));
        encoded
    }
}

/// The anchors of a group as they are remembered.
fn open(event: usize, shelf: Option<&Shelf>) -> Row<'_> {
    let Some(shelf) = shelf else { return Row { event, ..Row::default() } };
    let candidates = shelf.anchors.iter().map(|anchor| Candidate {
        id: anchor.id,
        document: anchor.document.as_slice(),
        alone: anchor.alone,
        sealed_on: anchor.sealed_on,
        best: anchor.best,
    });
    Row { event, candidates: candidates.collect(), misses: shelf.misses }
}
