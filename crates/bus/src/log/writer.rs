//! The thread that writes a log: it takes everything that has gathered, writes it, syncs once, and answers all.

use super::journal::{self, Entry};
use super::record::{self, SEGMENT_MAGIC};
use super::{LogError, Shared, segment, sync_dir};
use bytes::Bytes;
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;
use uuid::Uuid;

/// With nothing to do for this long, a segment whose records are all acked is removed, full or not: it is raw data.
const IDLE: Duration = Duration::from_secs(5);
/// A group of appends is written in pieces of about this many bytes, to bound the buffer.
const PIECE: usize = 1024 * 1024;
/// Journals kept open at once.
const MAX_OPEN_JOURNALS: usize = 16;

/// An append that waits.
#[derive(Debug)]
pub(super) struct Append {
    pub(super) id: Uuid,
    pub(super) stamp: i64,
    pub(super) body: Bytes,
    pub(super) done: oneshot::Sender<Result<(), LogError>>,
}

/// What waits for the writer.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    waiting: Mutex<Work>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct Work {
    appends: Vec<Append>,
    journal: Vec<Entry>,
    closing: bool,
}

impl Inbox {
    pub(super) fn append(&self, append: Append) -> Result<(), LogError> {
        let mut work = self.lock();
        if work.closing {
            return Err(LogError::Closed);
        }
        work.appends.push(append);
        drop(work);
        self.wake.notify_one();
        Ok(())
    }

    pub(super) fn journal(&self, entry: Option<Entry>) {
        let Some(entry) = entry else { return };
        let mut work = self.lock();
        if !work.closing {
            work.journal.push(entry);
            drop(work);
            self.wake.notify_one();
        }
    }

    pub(super) fn close(&self) {
        self.lock().closing = true;
        self.wake.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Work> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for something to do, at most [`IDLE`].
    fn take(&self) -> Work {
        let idle = |work: &mut Work| work.appends.is_empty() && work.journal.is_empty() && !work.closing;
        let (mut work, _) =
            self.wake.wait_timeout_while(self.lock(), IDLE, idle).unwrap_or_else(PoisonError::into_inner);
        let closing = work.closing;
        std::mem::replace(&mut *work, Work { closing, ..Work::default() })
    }
}

/// Starts the writer of a log.
pub(super) fn start(shared: Arc<Shared>) -> io::Result<JoinHandle<()>> {
    let writer = Writer { shared, active: None, journals: HashMap::new() };
    std::thread::Builder::new().name("bugle-log".into()).spawn(move || writer.run())
}

struct Writer {
    shared: Arc<Shared>,
    active: Option<Active>,
    journals: HashMap<u64, File>,
}

/// The segment being written.
struct Active {
    number: u64,
    file: File,
    end: u32,
}

/// Appends that are written together.
#[derive(Default)]
struct Group {
    bytes: Vec<u8>,
    /// Where each record begins.
    starts: Vec<usize>,
    waiting: Vec<oneshot::Sender<Result<(), LogError>>>,
}

impl Writer {
    fn run(mut self) {
        loop {
            let work = self.shared.inbox.take();
            let idle = work.appends.is_empty() && work.journal.is_empty();
            self.append(work.appends);
            self.journal(&work.journal);
            if idle && !work.closing {
                self.remove_if_spent();
            }
            if idle && work.closing {
                break;
            }
        }
        self.sync_journals();
        self.shared.index().set_active(None);
    }

    fn append(&mut self, appends: Vec<Append>) {
        let mut group = Group::default();
        for Append { id, stamp, body, done } in appends {
            group.starts.push(group.bytes.len());
            record::encode(&mut group.bytes, id, stamp, &body);
            group.waiting.push(done);
            if group.bytes.len() >= PIECE {
                self.write(std::mem::take(&mut group));
            }
        }
        if !group.waiting.is_empty() {
            self.write(group);
        }
    }

    /// Writes and syncs a group, tells the index, then the appenders.
    fn write(&mut self, group: Group) {
        let records = group.waiting.len();
        let outcome = self.write_bytes(&group.bytes).map_err(LogError::from);
        match &outcome {
            Ok((number, end)) => {
                self.shared.index().extend(*number, *end, &group.starts, group.bytes.len());
                self.shared.appended.fetch_add(records as u64, Ordering::Relaxed);
            }
            Err(error) => tracing::warn!(%error, records, "log: cannot append"),
        }
        for done in group.waiting {
            // Who dropped the append does not want to know.
            let _ = done.send(outcome.clone().map(|_| ()));
        }
        self.shared.readable.notify_waiters();
        if self.active.as_ref().is_some_and(|active| active.end >= self.shared.limits.segment_bytes) {
            self.seal();
        }
    }

    fn write_bytes(&mut self, bytes: &[u8]) -> io::Result<(u64, u32)> {
        let active = match &mut self.active {
            Some(active) => active,
            none => none.insert(create(&self.shared)?),
        };
        let end = active.end.checked_add(u32::try_from(bytes.len()).map_err(io::Error::other)?);
        let end = end.ok_or_else(|| io::Error::other("the segment is full"))?;
        if let Err(error) = active.file.write_all_at(bytes, u64::from(active.end)) {
            // A full disk: what got through would be a torn end, and others can use the room.
            let cut = active.file.set_len(u64::from(active.end));
            if cut.is_err() || active.end as usize == SEGMENT_MAGIC.len() {
                self.seal();
            }
            return Err(error);
        }
        self.shared.syncs.fetch_add(1, Ordering::Relaxed);
        if let Err(error) = active.file.sync_data() {
            // After a failed sync the kernel may call the pages clean: nothing more goes into this file.
            self.seal();
            return Err(error);
        }
        active.end = end;
        Ok((active.number, end))
    }

    fn seal(&mut self) {
        self.active = None;
        self.shared.index().set_active(None);
    }

    fn remove_if_spent(&mut self) {
        let spent = self.shared.index().active_is_spent();
        if spent {
            self.seal();
        }
    }

    fn journal(&mut self, entries: &[Entry]) {
        let mut by_segment: HashMap<u64, Vec<u8>> = HashMap::new();
        {
            let index = self.shared.index();
            for entry in entries.iter().filter(|entry| index.holds(entry.segment)) {
                entry.encode(by_segment.entry(entry.segment).or_default());
            }
        }
        for (number, bytes) in by_segment {
            if let Err(error) = self.write_journal(number, &bytes) {
                tracing::warn!(segment = number, %error, "log: cannot journal acks; they may be delivered again");
                self.journals.remove(&number);
            }
        }
        let index = self.shared.index();
        self.journals.retain(|number, _| index.holds(*number));
    }

    fn write_journal(&mut self, number: u64, bytes: &[u8]) -> io::Result<()> {
        if self.journals.len() >= MAX_OPEN_JOURNALS {
            self.journals.clear();
        }
        let file = match self.journals.entry(number) {
            std::collections::hash_map::Entry::Occupied(open) => open.into_mut(),
            std::collections::hash_map::Entry::Vacant(slot) => {
                let path = segment::journal_path(&self.shared.dir, number);
                let file = segment::private_file(OpenOptions::new().create(true).append(true), &path)?;
                // Its segment may have been removed since: then this file would be left over.
                if !self.shared.index().holds(number) {
                    return std::fs::remove_file(path);
                }
                // A write that a full disk cut short must not shift the entries after it.
                let len = file.metadata()?.len();
                file.set_len(len - len % journal::ENTRY_LEN as u64)?;
                slot.insert(file)
            }
        };
        file.write_all(bytes)
    }

    fn sync_journals(&mut self) {
        for (number, file) in self.journals.drain() {
            if let Err(error) = file.sync_data() {
                tracing::warn!(segment = number, %error, "log: cannot sync acks; they may be delivered again");
            }
        }
    }
}

/// Creates the next segment and makes its name durable.
fn create(shared: &Shared) -> io::Result<Active> {
    let number = shared.index().next_number();
    let path = segment::path(&shared.dir, number);
    let result =
        segment::private_file(OpenOptions::new().create_new(true).write(true), &path).and_then(|mut file| {
            file.write_all(SEGMENT_MAGIC)?;
            file.sync_all()?;
            sync_dir(&shared.dir)?;
            Ok(file)
        });
    let file = result.inspect_err(|_| {
        // Nothing is promised in it, and the name must be free for the next try.
        let _ = std::fs::remove_file(&path);
    })?;
    shared.index().set_active(Some(number));
    Ok(Active { number, file, end: SEGMENT_MAGIC.len() as u32 })
}
