//! How an event is kept in a few hundred bytes: zstd, alone or against an *anchor*, an earlier event of the same
//! issue that is stored alone. The depth is one, never a chain.
//!
//! Form: one byte that says how, then (unless it says "the anchor's document") a zstd frame with its content size,
//! and without checksum and dictionary id. Another form gets another byte; these stay readable.

use crate::StoreError;
use bugle_model::Event;
use serde::{Deserialize, Serialize};
use zstd_safe::{CCtx, CParameter, DCtx, ResetDirective};

const ALONE: u8 = 1;
const AGAINST_ANCHOR: u8 = 2;
/// The anchor's document itself; nothing follows.
const SAME_AS_ANCHOR: u8 = 3;
const LEVEL: i32 = 3;
/// A stored event inflates to at most this: ingest takes events of 1 MiB, and normalising adds little.
const MAX_INFLATED: u64 = 8 * 1024 * 1024;

/// What is compressed: the event, and what was found out about it. JSON; a later version gets another `v`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// The version of this form; 1.
    pub v: u8,
    /// The version of the grouping.
    pub grouping: i16,
    /// The hashes that the event was grouped by, as hex; the primary first.
    pub hashes: Vec<String>,
    /// The event's own title.
    pub title: String,
    /// Where it happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub culprit: Option<String>,
    /// The event, normalised and scrubbed.
    pub event: Event,
}

impl Document {
    /// The form that is compressed.
    ///
    /// # Errors
    /// When it cannot be written as JSON, which an event that was read from JSON can.
    pub fn to_bytes(&self) -> Result<Vec<u8>, StoreError> {
        serde_json::to_vec(self).map_err(|error| StoreError::Damaged(format!("document: {error}")))
    }

    /// Reads a document that [`decode`] has inflated.
    ///
    /// # Errors
    /// When it is not what this version writes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StoreError> {
        serde_json::from_slice(bytes).map_err(|error| StoreError::Damaged(format!("document: {error}")))
    }
}

/// Compresses events. One for a batch: making one costs more than compressing an event, and the anchors have to
/// outlive it.
pub struct Encoder<'a> {
    context: CCtx<'a>,
}

impl std::fmt::Debug for Encoder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoder").finish_non_exhaustive()
    }
}

impl<'a> Encoder<'a> {
    /// An encoder.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn new() -> Result<Self, StoreError> {
        let mut context =
            CCtx::try_create().ok_or_else(|| StoreError::Damaged("zstd: no memory".to_owned()))?;
        for parameter in [
            CParameter::CompressionLevel(LEVEL),
            CParameter::ContentSizeFlag(true),
            CParameter::ChecksumFlag(false),
            CParameter::DictIdFlag(false),
        ] {
            context.set_parameter(parameter).map_err(failed)?;
        }
        Ok(Self { context })
    }

    /// Compresses a document by itself.
    ///
    /// # Errors
    /// When zstd fails, which it does only without memory.
    pub fn alone(&mut self, document: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.compress(ALONE, document)
    }

    /// Compresses a document against an anchor's document.
    ///
    /// # Errors
    /// When zstd fails, which it does only without memory.
    pub fn against(&mut self, anchor: &'a [u8], document: &[u8]) -> Result<Vec<u8>, StoreError> {
        // Besides being shorter: zstd takes no prefix that lies where its input does.
        if anchor == document {
            return Ok(vec![SAME_AS_ANCHOR]);
        }
        self.context.ref_prefix(anchor).map_err(failed)?;
        self.compress(AGAINST_ANCHOR, document)
    }

    fn compress(&mut self, how: u8, document: &[u8]) -> Result<Vec<u8>, StoreError> {
        let mut frame = Vec::with_capacity(zstd_safe::compress_bound(document.len()));
        self.context.compress2(&mut frame, document).map_err(failed)?;
        let mut payload = Vec::with_capacity(frame.len() + 1);
        payload.push(how);
        payload.extend_from_slice(&frame);
        Ok(payload)
    }
}

/// Whether a payload needs its anchor to be read.
#[must_use]
pub fn needs_anchor(payload: &[u8]) -> bool {
    matches!(payload.first(), Some(&(AGAINST_ANCHOR | SAME_AS_ANCHOR)))
}

/// The document in a payload. `anchor` is the anchor's document, inflated.
///
/// # Errors
/// When the payload is of an unknown form, damaged, too large, or lacks its anchor.
pub fn decode(payload: &[u8], anchor: Option<&[u8]>) -> Result<Vec<u8>, StoreError> {
    let mut decoder = Decoder::new()?;
    decoder.decode(payload, anchor)?;
    Ok(decoder.document)
}

/// Inflates payloads. One for several: making one costs more than inflating an event, and the anchors have to outlive it.
pub(crate) struct Decoder<'a> {
    context: DCtx<'a>,
    document: Vec<u8>,
}

impl<'a> Decoder<'a> {
    /// A decoder.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub(crate) fn new() -> Result<Self, StoreError> {
        let context = DCtx::try_create().ok_or_else(|| damaged("no memory"))?;
        Ok(Self { context, document: Vec::new() })
    }

    /// The document in a payload, until the next one. `anchor` is the anchor's document, inflated.
    ///
    /// # Errors
    /// When the payload is of an unknown form, damaged, too large, or lacks its anchor.
    pub(crate) fn decode(&mut self, payload: &[u8], anchor: Option<&'a [u8]>) -> Result<&[u8], StoreError> {
        let (how, frame) = payload.split_first().ok_or_else(|| damaged("empty"))?;
        self.document.clear();
        if (*how, frame.is_empty()) == (SAME_AS_ANCHOR, true) {
            self.document.extend_from_slice(anchor.ok_or_else(|| damaged("its anchor is missing"))?);
            return Ok(&self.document);
        }
        let size = zstd_safe::get_frame_content_size(frame)
            .ok()
            .flatten()
            .filter(|size| *size <= MAX_INFLATED)
            .ok_or_else(|| damaged("no size, or too large"))?;
        // What a payload that could not be read has left behind.
        self.context.reset(ResetDirective::SessionOnly).map_err(failed)?;
        match *how {
            ALONE => {}
            AGAINST_ANCHOR => {
                let anchor = anchor.ok_or_else(|| damaged("its anchor is missing"))?;
                self.context.ref_prefix(anchor).map_err(failed)?;
            }
            _ => return Err(damaged("unknown form")),
        }
        self.document.reserve_exact(usize::try_from(size).map_err(|_| damaged("too large"))?);
        self.context.decompress(&mut self.document, frame).map_err(failed)?;
        Ok(&self.document)
    }
}

fn damaged(what: &str) -> StoreError {
    StoreError::Damaged(format!("payload: {what}"))
}

fn failed(code: usize) -> StoreError {
    StoreError::Damaged(format!("zstd: {}", zstd_safe::get_error_name(code)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(n: usize) -> Vec<u8> {
        let frames: String =
            (0..40).map(|i| format!("{{\"function\":\"f{i}\",\"lineno\":{}}},", i * 7)).collect();
        format!("{{\"id\":{n},\"frames\":[{frames}],\"user\":\"user-{}\"}}", n * 31).into_bytes()
    }

    #[test]
    fn an_event_comes_back_alone_and_against_an_anchor() {
        let (anchor, other) = (event(1), event(2));
        let mut encoder = Encoder::new().unwrap();
        let alone = encoder.alone(&other).unwrap();
        let against = encoder.against(&anchor, &other).unwrap();
        assert_eq!(decode(&alone, None).unwrap(), other);
        assert_eq!(decode(&against, Some(&anchor)).unwrap(), other);
        assert!(against.len() * 3 < alone.len(), "{} against {} alone", against.len(), alone.len());
        // The prefix holds for one event only: the next alone one needs no anchor.
        let after = encoder.alone(&other).unwrap();
        assert_eq!(decode(&after, None).unwrap(), other);
    }

    #[test]
    fn one_decoder_reads_one_payload_after_the_other() {
        let (anchor, other) = (event(1), event(2));
        let mut encoder = Encoder::new().unwrap();
        let against = encoder.against(&anchor, &other).unwrap();
        let (same, alone) = (encoder.against(&anchor, &anchor).unwrap(), encoder.alone(&event(3)).unwrap());
        let mut decoder = Decoder::new().unwrap();
        for _ in 0..2 {
            assert_eq!(decoder.decode(&against, Some(&anchor)).unwrap(), other);
            assert!(decoder.decode(&against[..against.len() / 2], Some(&anchor)).is_err(), "cut");
            assert_eq!(decoder.decode(&alone, None).unwrap(), event(3));
            assert_eq!(decoder.decode(&same, Some(&anchor)).unwrap(), anchor);
        }
    }

    #[test]
    fn the_anchor_itself_takes_one_byte() {
        let anchor = event(1);
        let same = Encoder::new().unwrap().against(&anchor, &anchor).unwrap();
        assert_eq!(same.len(), 1);
        assert!(needs_anchor(&same));
        assert_eq!(decode(&same, Some(&anchor)).unwrap(), anchor);
        assert!(decode(&same, None).is_err(), "the anchor is missing");
        assert!(decode(&[same[0], 0], Some(&anchor)).is_err());
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        let anchor = event(1);
        let against = Encoder::new().unwrap().against(&anchor, &event(2)).unwrap();
        assert!(decode(&against, None).is_err(), "the anchor is missing");
        assert!(decode(&[], None).is_err());
        assert!(decode(&[9, 1, 2, 3], None).is_err());
        for cut in 0..against.len() {
            assert!(decode(&against[..cut], Some(&anchor)).is_err(), "cut at {cut}");
        }
    }
}
