//! The log's memory: segments, what is read next, what is lent out. Knows nothing of threads.

use super::journal::Entry;
use super::record::{self, HEADER_LEN, Header, SEGMENT_MAGIC};
use super::segment::{self, Segment};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use uuid::Uuid;

/// How many of the latest records can be lent newest first.
const MAX_RECENT: usize = 65_536;

/// Where a record stands; the order of places is the order of appending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    pub(crate) segment: u64,
    pub(crate) offset: u32,
}

/// A record read back.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) place: Place,
    pub(crate) id: Uuid,
    pub(crate) stamp: i64,
    /// How often it was handed out before.
    pub(crate) delivered: u32,
    pub(crate) body: Bytes,
}

/// What is in the log.
#[derive(Debug)]
pub(crate) struct Index {
    dir: PathBuf,
    segments: BTreeMap<u64, Segment>,
    /// The highest number so far. Never given twice while the log is open: the cursor and the journal go by it.
    last: u64,
    /// The segment that is written to; never dropped by an ack, because its file is open.
    active: Option<u64>,
    cursor: Place,
    returned: BTreeSet<Place>,
    /// The latest records, oldest first, for [`Index::lend_newest`]. Some may be lent out or acked by now.
    recent: VecDeque<Place>,
    /// What is lent out, with the size of its record.
    lent: HashMap<Place, u64>,
    open: Option<(u64, Arc<File>)>,
    records: u64,
    bytes: u64,
    damaged: u64,
    /// Another process may have the folder: nothing is touched any more.
    closed: bool,
}

impl Index {
    /// Reads the segments that are in `dir`. Spent ones are removed.
    pub(crate) fn open(dir: &Path) -> io::Result<Self> {
        let mut index = Self {
            dir: dir.to_path_buf(),
            segments: BTreeMap::new(),
            last: 0,
            active: None,
            cursor: Place { segment: 0, offset: 0 },
            returned: BTreeSet::new(),
            recent: VecDeque::new(),
            lent: HashMap::new(),
            open: None,
            records: 0,
            bytes: 0,
            damaged: 0,
            closed: false,
        };
        let mut journals = Vec::new();
        for entry in std::fs::read_dir(dir)? {
            let path = entry?.path();
            if let Some(number) = segment::number(&path, "seg") {
                index.load(number)?;
            } else if let Some(number) = segment::number(&path, "ack") {
                journals.push((number, path));
            }
        }
        // A journal without its segment would be taken for the next segment of that number.
        for (number, path) in journals {
            if !index.segments.contains_key(&number) {
                remove_if_there(&path)?;
            }
        }
        Ok(index)
    }

    fn load(&mut self, number: u64) -> io::Result<()> {
        let loaded = segment::load(&self.dir, number)?;
        self.damaged += loaded.damaged;
        if loaded.damaged > 0 {
            tracing::error!(segment = number, stretches = loaded.damaged, "log: records cannot be read back");
        }
        if loaded.segment.is_spent() {
            return remove(&self.dir, number);
        }
        self.last = self.last.max(number);
        self.records += (loaded.segment.records - loaded.segment.acked.len()) as u64;
        self.bytes += loaded.bytes;
        self.segments.insert(number, loaded.segment);
        Ok(())
    }

    /// The number that the next segment gets.
    pub(crate) const fn next_number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Records and bytes that are not acked.
    pub(crate) const fn depth(&self) -> (u64, u64) {
        (self.records, self.bytes)
    }

    /// How many stretches could not be read since the log was opened.
    pub(crate) const fn damaged(&self) -> u64 {
        self.damaged
    }

    /// Takes note that `number` is the segment being written now, or that none is.
    pub(crate) fn set_active(&mut self, number: Option<u64>) {
        let before = std::mem::replace(&mut self.active, number);
        if let Some(number) = number {
            self.segments.entry(number).or_default();
        }
        if let Some(before) = before.filter(|before| Some(*before) != number) {
            self.drop_if_spent(before);
        }
    }

    /// Takes note of records that are durable now: the last `bytes` of the segment, which ends at `end`. They begin at
    /// `starts`, counted from the first.
    pub(crate) fn extend(&mut self, number: u64, end: u32, starts: &[usize], bytes: usize) {
        let segment = self.segments.entry(number).or_default();
        segment.end = end;
        segment.records += starts.len();
        self.records += starts.len() as u64;
        self.bytes += bytes as u64;
        let first = end as usize - bytes;
        let offsets = starts.iter().filter_map(|start| u32::try_from(first + start).ok());
        self.recent.extend(offsets.map(|offset| Place { segment: number, offset }));
        self.recent.drain(..self.recent.len().saturating_sub(MAX_RECENT));
    }

    /// Ends everything: nothing is lent any more, and acks do nothing.
    pub(crate) fn close(&mut self) {
        self.closed = true;
        self.lent.clear();
    }

    /// Lends out the next record: returned ones first, then the oldest unread.
    pub(crate) fn lend(&mut self) -> io::Result<Option<Stored>> {
        if self.closed {
            return Ok(None);
        }
        loop {
            let (place, from_cursor) = match self.returned.pop_first() {
                Some(place) => (place, false),
                None => match self.seek() {
                    Some(place) => (place, true),
                    None => return Ok(None),
                },
            };
            let stored = self.read(place).inspect_err(|_| {
                if !from_cursor {
                    self.returned.insert(place);
                }
            })?;
            let Some(stored) = stored else {
                self.skip_damage(place)?;
                continue;
            };
            let len = HEADER_LEN as u64 + stored.body.len() as u64;
            if from_cursor {
                self.cursor.offset = place.offset.saturating_add(u32::try_from(len).unwrap_or(u32::MAX));
            }
            if self.is_taken(place) {
                continue;
            }
            self.lent.insert(place, len);
            return Ok(Some(stored));
        }
    }

    /// Lends out the newest record of those that were appended or returned since the log was opened, as far as they are
    /// remembered; when there is none, the next as [`Index::lend`] does.
    pub(crate) fn lend_newest(&mut self) -> io::Result<Option<Stored>> {
        while !self.closed
            && let Some(place) = self.newest()
        {
            let stored = self.read(place)?;
            if self.recent.back() == Some(&place) {
                self.recent.pop_back();
            }
            self.returned.remove(&place);
            if let Some(stored) = stored {
                self.lent.insert(place, HEADER_LEN as u64 + stored.body.len() as u64);
                return Ok(Some(stored));
            }
            self.skip_damage(place)?;
        }
        self.lend()
    }

    fn newest(&mut self) -> Option<Place> {
        while let Some(place) = self.recent.back().copied()
            && self.is_taken(place)
        {
            self.recent.pop_back();
        }
        self.recent.back().max(self.returned.last()).copied()
    }

    /// Counts a delivery of a lent record; gives what the journal should say.
    pub(crate) fn delivered(&mut self, place: Place) -> Option<Entry> {
        let segment = self.segments.get_mut(&place.segment)?;
        let times = segment.delivered.entry(place.offset).or_default();
        *times = times.saturating_add(1);
        Some(Entry { segment: place.segment, offset: place.offset, delivered: Some(*times) })
    }

    /// Gives a lent record back, to be lent again.
    pub(crate) fn give_back(&mut self, place: Place) {
        if self.lent.remove(&place).is_some() {
            self.returned.insert(place);
        }
    }

    /// Acks a lent record; gives what the journal should say.
    pub(crate) fn ack(&mut self, place: Place) -> Option<Entry> {
        let len = self.lent.remove(&place)?;
        let segment = self.segments.get_mut(&place.segment)?;
        segment.delivered.remove(&place.offset);
        segment.acked.insert(place.offset);
        self.records = self.records.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(len);
        while let Some(oldest) = self.recent.front().copied()
            && self.is_acked(oldest)
        {
            self.recent.pop_front();
        }
        self.drop_if_spent(place.segment);
        Some(Entry { segment: place.segment, offset: place.offset, delivered: None })
    }

    /// Whether a segment is still known; a journal for another would be left over.
    pub(crate) fn holds(&self, number: u64) -> bool {
        self.segments.contains_key(&number)
    }

    /// Whether the segment being written holds records, all of them acked.
    pub(crate) fn active_is_spent(&self) -> bool {
        self.active
            .and_then(|number| self.segments.get(&number))
            .is_some_and(|segment| segment.records > 0 && segment.is_spent())
    }

    fn drop_if_spent(&mut self, number: u64) {
        let spent = self.segments.get(&number).is_some_and(Segment::is_spent);
        if !spent || self.active == Some(number) {
            return;
        }
        self.segments.remove(&number);
        if self.open.as_ref().is_some_and(|(open, _)| *open == number) {
            self.open = None;
        }
        if let Err(error) = remove(&self.dir, number) {
            // It is read again on the next start and removed then.
            tracing::warn!(segment = number, %error, "log: cannot remove a segment that is done");
        }
    }

    fn is_acked(&self, place: Place) -> bool {
        self.segments.get(&place.segment).is_none_or(|segment| segment.acked.contains(&place.offset))
    }

    /// Whether a record is lent out or acked.
    fn is_taken(&self, place: Place) -> bool {
        self.lent.contains_key(&place) || self.is_acked(place)
    }

    /// The place of the next unread record, moving the cursor over the ends of segments.
    fn seek(&mut self) -> Option<Place> {
        loop {
            let (number, segment) = self.segments.range(self.cursor.segment..).next()?;
            if *number != self.cursor.segment {
                self.cursor = Place { segment: *number, offset: SEGMENT_MAGIC.len() as u32 };
            }
            if self.cursor.offset < segment.end {
                return Some(self.cursor);
            }
            let (next, _) = self.segments.range(self.cursor.segment + 1..).next()?;
            self.cursor = Place { segment: *next, offset: SEGMENT_MAGIC.len() as u32 };
        }
    }

    fn read(&mut self, place: Place) -> io::Result<Option<Stored>> {
        let file = self.file(place.segment)?;
        let mut head = [0; HEADER_LEN];
        if !read_whole(&file, &mut head, u64::from(place.offset))? {
            return Ok(None);
        }
        let Some(header) = Header::decode(&head) else { return Ok(None) };
        let mut body = vec![0; header.len];
        if !read_whole(&file, &mut body, u64::from(place.offset) + HEADER_LEN as u64)?
            || !header.matches(&body)
        {
            return Ok(None);
        }
        let segment = self.segments.get(&place.segment);
        let delivered =
            segment.and_then(|segment| segment.delivered.get(&place.offset)).copied().unwrap_or(0);
        Ok(Some(Stored { place, id: header.id, stamp: header.stamp, delivered, body: Bytes::from(body) }))
    }

    /// Moves on past a stretch that was good when it was written and is not any more.
    fn skip_damage(&mut self, place: Place) -> io::Result<()> {
        let bytes = std::fs::read(segment::path(&self.dir, place.segment))?;
        let Some(segment) = self.segments.get_mut(&place.segment) else { return Ok(()) };
        let readable = bytes.get(..segment.end as usize).map_or(0, |bytes| count_live(bytes, &segment.acked));
        let before = segment.records.saturating_sub(segment.acked.len());
        // The cursor may come by where the newest were taken before.
        if segment.acked.insert(place.offset) {
            tracing::error!(
                segment = place.segment,
                offset = place.offset,
                "log: a record cannot be read back"
            );
            self.damaged += 1;
        }
        segment.records = segment.acked.len() + readable;
        self.records = self.records.saturating_sub(before.saturating_sub(readable) as u64);
        if self.records == 0 {
            self.bytes = 0;
        }
        if self.cursor == place {
            let next = record::find(&bytes, place.offset as usize + 1);
            let offset =
                next.and_then(|(at, _)| u32::try_from(at).ok()).filter(|offset| *offset < segment.end);
            self.cursor.offset = offset.unwrap_or(segment.end);
        }
        self.drop_if_spent(place.segment);
        Ok(())
    }

    fn file(&mut self, number: u64) -> io::Result<Arc<File>> {
        if let Some((open, file)) = &self.open
            && *open == number
        {
            return Ok(Arc::clone(file));
        }
        let file = Arc::new(File::open(segment::path(&self.dir, number))?);
        self.open = Some((number, Arc::clone(&file)));
        Ok(file)
    }
}

/// How many records of a segment can be read and are not acked.
fn count_live(segment: &[u8], acked: &HashSet<u32>) -> usize {
    let mut live = 0;
    let mut from = SEGMENT_MAGIC.len();
    while let Some((at, header)) = record::find(segment, from) {
        live += usize::from(u32::try_from(at).is_ok_and(|offset| !acked.contains(&offset)));
        from = at + header.record_len();
    }
    live
}

/// Fills `buffer` from `offset`; false when the file ends before.
fn read_whole(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<bool> {
    match file.read_exact_at(buffer, offset) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// Removes a segment, then its journal: after a crash in between, the journal is recognised as left over.
fn remove(dir: &Path, number: u64) -> io::Result<()> {
    remove_if_there(&segment::path(dir, number))?;
    remove_if_there(&segment::journal_path(dir, number))
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
