//! The journal beside a segment: which records are acked, and how often the others were delivered.
//!
//! Entries of 12 bytes, little endian: `offset of the record: u32, deliveries so far: u32 (0 = acked), crc32 of the
//! two: u32`. It is written without fsync, because a lost entry only means one more delivery.

use std::collections::{HashMap, HashSet};

/// The bytes of an entry.
pub(crate) const ENTRY_LEN: usize = 12;

/// One fact about one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The segment's number.
    pub(crate) segment: u64,
    /// Where in the segment the record starts.
    pub(crate) offset: u32,
    /// How often it was delivered; `None` when it is acked.
    pub(crate) delivered: Option<u32>,
}

impl Entry {
    /// Appends the entry's bytes.
    pub(crate) fn encode(&self, buffer: &mut Vec<u8>) {
        let delivered = self.delivered.map_or(0, |times| times.max(1));
        let mut bytes = [0; 8];
        bytes[..4].copy_from_slice(&self.offset.to_le_bytes());
        bytes[4..].copy_from_slice(&delivered.to_le_bytes());
        buffer.extend_from_slice(&bytes);
        buffer.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
    }
}

/// What a journal says.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    /// Offsets of acked records.
    pub(crate) acked: HashSet<u32>,
    /// Deliveries of records that are not acked.
    pub(crate) delivered: HashMap<u32, u32>,
    /// The bytes of whole entries; what comes after is torn.
    pub(crate) len: u64,
}

impl Journal {
    /// Reads a journal. Damaged entries are passed over: each stands alone.
    pub(crate) fn decode(bytes: &[u8]) -> Self {
        let mut journal = Self::default();
        let (entries, _torn) = bytes.as_chunks::<ENTRY_LEN>();
        for entry in entries {
            let [o0, o1, o2, o3, d0, d1, d2, d3, crc @ ..] = *entry;
            if crc32fast::hash(&[o0, o1, o2, o3, d0, d1, d2, d3]) != u32::from_le_bytes(crc) {
                continue;
            }
            let offset = u32::from_le_bytes([o0, o1, o2, o3]);
            match u32::from_le_bytes([d0, d1, d2, d3]) {
                0 => {
                    journal.acked.insert(offset);
                    journal.delivered.remove(&offset);
                }
                times => {
                    journal.delivered.insert(offset, times);
                }
            }
        }
        journal.len = (entries.len() * ENTRY_LEN) as u64;
        journal
    }
}
