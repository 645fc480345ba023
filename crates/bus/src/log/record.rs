//! The form of a record on disk, and how a segment's records are found, also past damage.
//!
//! A segment is [`SEGMENT_MAGIC`] and then records: `magic: 4 bytes, body length: u32, crc32: u32, reserved: u32,
//! id: 16 bytes, stamp: i64, body`, numbers little endian. The checksum covers everything but the magic and itself.
//! The magic of each record is there to find the next good one when a byte in the middle has flipped.

use uuid::Uuid;

/// The first bytes of a segment; the last digit is the version.
pub(crate) const SEGMENT_MAGIC: &[u8; 8] = b"BGLSEG01";
/// The bytes before a record's body.
pub(crate) const HEADER_LEN: usize = 40;
/// A record's body has at most this many bytes: the largest message, and the header that its dead letter gets.
pub(crate) const MAX_BODY: usize = crate::MAX_MESSAGE_BYTES + 64 * 1024;

const RECORD_MAGIC: [u8; 4] = *b"BGR1";

/// What stands before a record's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    /// The bytes of the body.
    pub(crate) len: usize,
    /// The message's id.
    pub(crate) id: Uuid,
    /// Milliseconds since 1970 of the writer's clock; the log itself does not look at it.
    pub(crate) stamp: i64,
    crc: u32,
}

impl Header {
    /// Reads a header; `None` when this is not the start of a record.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (magic, rest) = bytes.split_first_chunk::<4>()?;
        let (len, rest) = rest.split_first_chunk::<4>()?;
        let (crc, rest) = rest.split_first_chunk::<4>()?;
        let (_reserved, rest) = rest.split_first_chunk::<4>()?;
        let (id, rest) = rest.split_first_chunk::<16>()?;
        let (stamp, _) = rest.split_first_chunk::<8>()?;
        let len = usize::try_from(u32::from_le_bytes(*len)).ok()?;
        if *magic != RECORD_MAGIC || len > MAX_BODY {
            return None;
        }
        let (crc, stamp) = (u32::from_le_bytes(*crc), i64::from_le_bytes(*stamp));
        Some(Self { len, id: Uuid::from_bytes(*id), stamp, crc })
    }

    /// Whether `body` is what was written with this header.
    pub(crate) fn matches(&self, body: &[u8]) -> bool {
        body.len() == self.len && checksum(self.id, self.stamp, body) == self.crc
    }

    /// The bytes of the whole record.
    pub(crate) const fn record_len(&self) -> usize {
        HEADER_LEN + self.len
    }
}

/// Appends a record to `buffer`. The caller has checked the body against [`MAX_BODY`].
pub(crate) fn encode(buffer: &mut Vec<u8>, id: Uuid, stamp: i64, body: &[u8]) {
    let len = u32::try_from(body.len()).unwrap_or(u32::MAX);
    buffer.reserve(HEADER_LEN + body.len());
    buffer.extend_from_slice(&RECORD_MAGIC);
    buffer.extend_from_slice(&len.to_le_bytes());
    buffer.extend_from_slice(&checksum(id, stamp, body).to_le_bytes());
    buffer.extend_from_slice(&[0; 4]);
    buffer.extend_from_slice(id.as_bytes());
    buffer.extend_from_slice(&stamp.to_le_bytes());
    buffer.extend_from_slice(body);
}

fn checksum(id: Uuid, stamp: i64, body: &[u8]) -> u32 {
    let len = u32::try_from(body.len()).unwrap_or(u32::MAX);
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&len.to_le_bytes());
    hasher.update(&[0; 4]);
    hasher.update(id.as_bytes());
    hasher.update(&stamp.to_le_bytes());
    hasher.update(body);
    hasher.finalize()
}

/// Reads the record at `at` of a segment's bytes; `None` when there is no whole one with a right checksum.
pub(crate) fn at(segment: &[u8], at: usize) -> Option<Header> {
    let rest = segment.get(at..)?;
    let header = Header::decode(rest)?;
    let body = rest.get(HEADER_LEN..header.record_len())?;
    header.matches(body).then_some(header)
}

/// The place of the first good record at or after `from`.
pub(crate) fn find(segment: &[u8], from: usize) -> Option<(usize, Header)> {
    let mut place = from;
    loop {
        if let Some(header) = at(segment, place) {
            return Some((place, header));
        }
        let rest = segment.get(place.checked_add(1)?..)?;
        place += 1 + rest.windows(RECORD_MAGIC.len()).position(|window| window == RECORD_MAGIC)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn segment(bodies: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = SEGMENT_MAGIC.to_vec();
        for (index, body) in bodies.iter().enumerate() {
            encode(&mut bytes, Uuid::from_u128(index as u128), 7, body);
        }
        bytes
    }

    fn ids(segment: &[u8]) -> Vec<u128> {
        let mut found = Vec::new();
        let mut place = SEGMENT_MAGIC.len();
        while let Some((at, header)) = find(segment, place) {
            found.push(header.id.as_u128());
            place = at + header.record_len();
        }
        found
    }

    #[test]
    fn a_flipped_byte_costs_its_own_record_only() {
        let bytes = segment(&[vec![1; 100], vec![2; 100], vec![3; 100]]);
        for place in SEGMENT_MAGIC.len()..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[place] ^= 0x40;
            let hit = ((place - SEGMENT_MAGIC.len()) / 140) as u128;
            let left: Vec<u128> = (0..3).filter(|id| *id != hit).collect();
            // The four reserved bytes are not looked at, so that a later version can use them.
            let reserved = (12..16).contains(&((place - SEGMENT_MAGIC.len()) % 140));
            assert_eq!(ids(&damaged), if reserved { vec![0, 1, 2] } else { left }, "flipped {place}");
        }
    }

    proptest! {
        #[test]
        fn whatever_the_bytes_are_reading_ends(bytes: Vec<u8>, from in 0_usize..64) {
            let found = find(&bytes, from);
            prop_assert!(found.is_none_or(|(place, header)| place + header.record_len() <= bytes.len()));
        }

        #[test]
        fn a_cut_leaves_the_whole_records_before_it(
            bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..6), cut: prop::sample::Index,
        ) {
            let bytes = segment(&bodies);
            let cut = cut.index(bytes.len() + 1);
            let mut end = SEGMENT_MAGIC.len();
            let whole = bodies.iter().take_while(|body| { end += HEADER_LEN + body.len(); end <= cut }).count();
            let found = bytes.get(..cut).map(ids).unwrap_or_default();
            prop_assert_eq!(found, (0..whole as u128).collect::<Vec<_>>());
        }
    }
}
