//! The intake message: a batch of raw items on the way from ingest to the recorder.
//!
//! Form, version 1: `BGI1`, the inflated size as u32 (little endian), then one zstd frame of items, each
//! `header length: u32, body length: u32, header: JSON, body: bytes`. A later version gets another magic, and
//! this one stays readable for a release; `tests/fixtures` keeps a batch of each.

use crate::{KeyId, ProjectId};
use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use thiserror::Error;
use uuid::Uuid;

const MAGIC: &[u8; 4] = b"BGI1";
/// A batch inflates to at most this many bytes; ingest closes a batch well before.
const MAX_INFLATED: usize = 64 * 1024 * 1024;
const COMPRESSION_LEVEL: i32 = 1;
/// A batch older than this belongs to the backlog.
const LATE: TimeDelta = TimeDelta::seconds(10);

/// What a raw item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    /// An event's JSON, from an envelope or `/store/`.
    Event,
    /// A `user_report` item.
    UserReport,
    /// A `feedback` item.
    Feedback,
    /// An attachment: the body is empty, [`RawItem::attachment`] says where the bytes are.
    Attachment,
    /// A `client_report` item: what the SDK dropped itself.
    ClientReport,
    /// A browser's security report; [`RawItem::content_type`] says which.
    Security,
    /// `webhook/laravel`.
    WebhookLaravel,
    /// `webhook/java`.
    WebhookJava,
    /// `webhook/frontend`.
    WebhookFrontend,
    /// `webhook/mobile`.
    WebhookMobile,
    /// `webhook/generic` and `POST /api/error-logging/errors/`.
    WebhookGeneric,
    /// One error of `POST /api/v1/logs/frontend/`.
    Frontend,
}

/// An attachment's bytes, kept beside the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachmentRef {
    /// SHA-256 of the bytes, lower-case hex; also the key in the object store.
    pub sha256: String,
    /// How many bytes.
    pub size: u64,
    /// The file's name as the client gave it.
    pub filename: String,
    /// The media type as the client gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// The protocol's `attachment_type`, as in `event.minidump`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attachment_type: Option<String>,
}

/// One item as accepted at the door: framing undone, content not looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawItem {
    /// Given before the item is durable; travels with it. UUIDv7.
    pub id: Uuid,
    /// What it is.
    pub kind: ItemKind,
    /// The project in the URL, or the key's.
    pub project: ProjectId,
    /// The key; absent when it could not be checked (see [`RawItem::unverified_key`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyId>,
    /// The public key of an item that was accepted while the database was away and the key unknown. The
    /// recorder decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unverified_key: Option<String>,
    /// When ingest had the whole request.
    pub received_at: DateTime<Utc>,
    /// Who sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_addr: Option<IpAddr>,
    /// `sentry_client`, or the user agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The `User-Agent` header, 512 characters at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// The request id, taken or made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The request's or the item's content type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// The event id of the envelope's header; wins over the payload's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<Uuid>,
    /// The client's time at sending, for its clock's drift.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<DateTime<Utc>>,
    /// The environment given in the query (security reports).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The release given in the query (security reports).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// Where an attachment's bytes are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attachment: Option<AttachmentRef>,
    /// The payload. Not part of the JSON header.
    #[serde(skip)]
    pub body: Vec<u8>,
}

/// A batch that cannot be read.
#[derive(Debug, Error)]
pub enum BatchError {
    /// Not an intake batch, or of a version this build does not know.
    #[error("intake batch: unknown format")]
    UnknownFormat,
    /// Larger than a batch may be.
    #[error("intake batch: {0} bytes inflated, {MAX_INFLATED} allowed")]
    TooLarge(usize),
    /// Damaged.
    #[error("intake batch: damaged: {0}")]
    Damaged(&'static str),
    /// zstd failed.
    #[error("intake batch: {0}")]
    Compression(#[from] std::io::Error),
    /// A header is not what this version writes.
    #[error("intake batch: header: {0}")]
    Header(#[from] serde_json::Error),
}

/// Encoding and decoding of batches.
#[derive(Debug)]
pub struct IntakeBatch;

impl IntakeBatch {
    /// Whether the batch with this message id was made more than ten seconds ago, so that it must not hold up live
    /// traffic.
    #[must_use]
    pub fn is_late(id: Uuid, now: DateTime<Utc>) -> bool {
        Self::age(id, now).is_some_and(|age| age > LATE)
    }

    /// How long ago the batch with this message id was made. The id is a UUIDv7, which carries the time (RFC 9562, 5.7); with
    /// any other id nobody knows.
    #[must_use]
    pub fn age(id: Uuid, now: DateTime<Utc>) -> Option<TimeDelta> {
        let (seconds, nanos) = id.get_timestamp()?.to_unix();
        let made_at = DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanos)?;
        Some(now - made_at)
    }

    /// Appends one item's frame to `buffer`, for a later [`IntakeBatch::seal`].
    ///
    /// # Errors
    /// When the item's body does not fit a batch (64 MiB).
    pub fn push(buffer: &mut Vec<u8>, item: &RawItem) -> Result<(), BatchError> {
        let header = serde_json::to_vec(item)?;
        let total = buffer.len() + 8 + header.len() + item.body.len();
        if total > MAX_INFLATED {
            return Err(BatchError::TooLarge(total));
        }
        let length = |n: usize| u32::try_from(n).map_err(|_| BatchError::TooLarge(n));
        buffer.extend_from_slice(&length(header.len())?.to_le_bytes());
        buffer.extend_from_slice(&length(item.body.len())?.to_le_bytes());
        buffer.extend_from_slice(&header);
        buffer.extend_from_slice(&item.body);
        Ok(())
    }

    /// Compresses the frames in `buffer` into one message.
    ///
    /// # Errors
    /// When zstd fails, which it does only without memory.
    pub fn seal(buffer: &[u8]) -> Result<Vec<u8>, BatchError> {
        let size = u32::try_from(buffer.len()).map_err(|_| BatchError::TooLarge(buffer.len()))?;
        let mut message = Vec::with_capacity(buffer.len() / 4 + 64);
        message.extend_from_slice(MAGIC);
        message.extend_from_slice(&size.to_le_bytes());
        message.extend_from_slice(&zstd::bulk::compress(buffer, COMPRESSION_LEVEL)?);
        Ok(message)
    }

    /// Encodes a batch in one go.
    ///
    /// # Errors
    /// As [`IntakeBatch::push`] and [`IntakeBatch::seal`].
    pub fn encode(items: &[RawItem]) -> Result<Vec<u8>, BatchError> {
        let mut buffer = Vec::new();
        for item in items {
            Self::push(&mut buffer, item)?;
        }
        Self::seal(&buffer)
    }

    /// Decodes a message, bounded in memory by 64 MiB.
    ///
    /// # Errors
    /// When the message is of an unknown version or damaged.
    pub fn decode(message: &[u8]) -> Result<Vec<RawItem>, BatchError> {
        let rest = message.strip_prefix(MAGIC.as_slice()).ok_or(BatchError::UnknownFormat)?;
        let (size, frame) = split_u32(rest)?;
        if size > MAX_INFLATED {
            return Err(BatchError::TooLarge(size));
        }
        let inflated = zstd::bulk::decompress(frame, size)?;
        let mut rest = inflated.as_slice();
        let mut items = Vec::new();
        while !rest.is_empty() {
            let (header_length, after) = split_u32(rest)?;
            let (body_length, after) = split_u32(after)?;
            let (header, after) =
                after.split_at_checked(header_length).ok_or(BatchError::Damaged("header"))?;
            let (body, after) = after.split_at_checked(body_length).ok_or(BatchError::Damaged("body"))?;
            let mut item: RawItem = serde_json::from_slice(header)?;
            item.body = body.to_vec();
            items.push(item);
            rest = after;
        }
        Ok(items)
    }
}

fn split_u32(bytes: &[u8]) -> Result<(usize, &[u8]), BatchError> {
    let (head, rest) = bytes.split_first_chunk::<4>().ok_or(BatchError::Damaged("length"))?;
    Ok((u32::from_le_bytes(*head) as usize, rest))
}
