//! One file of the log: its name, what is known of it in memory, and reading it back on open.

use super::journal::Journal;
use super::record::{self, SEGMENT_MAGIC};
use std::collections::{HashMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// What is kept in memory about a segment. Not its records: a backlog of a gigabyte must cost next to nothing.
#[derive(Debug, Default)]
pub(crate) struct Segment {
    /// How many good records it holds.
    pub(crate) records: usize,
    /// Up to where it is durable and may be read.
    pub(crate) end: u32,
    /// The acked ones, by offset.
    pub(crate) acked: HashSet<u32>,
    /// How often un-acked ones were delivered, by offset; absent is never.
    pub(crate) delivered: HashMap<u32, u32>,
}

impl Segment {
    /// Whether nothing of it is needed any more.
    pub(crate) fn is_spent(&self) -> bool {
        self.acked.len() >= self.records
    }
}

/// A segment as it was found on open.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// What to keep of it.
    pub(crate) segment: Segment,
    /// The bytes of its un-acked records.
    pub(crate) bytes: u64,
    /// How many stretches of it could not be read.
    pub(crate) damaged: u64,
}

/// The file of segment `number`.
pub(crate) fn path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:016x}.seg"))
}

/// The journal of segment `number`.
pub(crate) fn journal_path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:016x}.ack"))
}

/// The number in a segment's or a journal's file name, when it has the extension.
pub(crate) fn number(path: &Path, extension: &str) -> Option<u64> {
    if path.extension()?.to_str()? != extension {
        return None;
    }
    u64::from_str_radix(path.file_stem()?.to_str()?, 16).ok()
}

/// Opens a file that only its owner may read: what waits here is raw.
pub(crate) fn private_file(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    options.mode(0o600).open(path)
}

/// Reads a segment and its journal; cuts off what is torn at their ends.
pub(crate) fn load(dir: &Path, number: u64) -> io::Result<Loaded> {
    let file_path = path(dir, number);
    let bytes = std::fs::read(&file_path)?;
    let journal = load_journal(&journal_path(dir, number))?;
    let mut loaded = Loaded { segment: Segment::default(), bytes: 0, damaged: 0 };
    let mut place = SEGMENT_MAGIC.len();
    while let Some((at, header)) = record::find(&bytes, place) {
        loaded.damaged += u64::from(at != place);
        let Ok(offset) = u32::try_from(at) else { break };
        loaded.segment.records += 1;
        if journal.acked.contains(&offset) {
            loaded.segment.acked.insert(offset);
        } else {
            loaded.bytes += header.record_len() as u64;
            if let Some(times) = journal.delivered.get(&offset) {
                loaded.segment.delivered.insert(offset, *times);
            }
        }
        place = at + header.record_len();
    }
    loaded.segment.end = u32::try_from(place).unwrap_or(u32::MAX);
    if place < bytes.len() {
        tracing::warn!(segment = number, torn_bytes = bytes.len() - place, "log: cut off a torn end");
        let file = OpenOptions::new().write(true).open(&file_path)?;
        file.set_len(place as u64)?;
        file.sync_all()?;
    }
    Ok(loaded)
}

fn load_journal(path: &Path) -> io::Result<Journal> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Journal::default()),
        Err(error) => return Err(error),
    };
    let journal = Journal::decode(&bytes);
    if journal.len < bytes.len() as u64 {
        OpenOptions::new().write(true).open(path)?.set_len(journal.len)?;
    }
    Ok(journal)
}
