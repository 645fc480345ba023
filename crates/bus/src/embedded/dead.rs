//! The dead letters of one queue: a log whose records carry a header about the end of the message.

use crate::DEAD_LETTER_AGE;
use crate::bus::{BusError, DeadLetter, DeadSelection};
use crate::log::{Lease, Log, LogError};
use bytes::{BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tokio::sync::Mutex;

/// The header before the message: `length: u32, JSON`.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Header {
    reason: String,
    published_at: Option<i64>,
    attempts: u32,
}

/// See the module.
pub(super) struct DeadLetters {
    log: Arc<Log>,
    /// Who walks over the log holds it: a walk lends what it passes.
    walk: Mutex<()>,
}

impl DeadLetters {
    pub(super) fn new(log: Log) -> Self {
        Self { log: Arc::new(log), walk: Mutex::new(()) }
    }

    pub(super) fn len(&self) -> u64 {
        self.log.stats().records
    }

    pub(super) fn close(&self) {
        self.log.close();
    }

    /// Adds a message that is out.
    pub(super) async fn add(&self, now: i64, lease: &Lease, reason: &str) -> Result<(), BusError> {
        self.expire(now).await?;
        let header = Header {
            reason: reason.to_owned(),
            published_at: Some(lease.stamp),
            attempts: lease.delivered + 1,
        };
        self.log.append(lease.id, now, encode(&header, &lease.body)).await?;
        Ok(())
    }

    /// Removes those that are older than they may be.
    pub(super) async fn expire(&self, now: i64) -> Result<(), BusError> {
        let _walk = self.walk.lock().await;
        self.expire_walking(now).await
    }

    async fn expire_walking(&self, now: i64) -> Result<(), BusError> {
        let age = i64::try_from(DEAD_LETTER_AGE.as_millis()).unwrap_or(i64::MAX);
        let mut expired = 0_u64;
        while let Some(lease) = self.lend().await?
            && lease.stamp < now.saturating_sub(age)
        {
            lease.ack();
            expired += 1;
        }
        if expired > 0 {
            tracing::warn!(expired, "bus: dead letters expired");
        }
        Ok(())
    }

    /// The oldest `limit`.
    pub(super) async fn list(&self, now: i64, limit: usize) -> Result<Vec<DeadLetter>, BusError> {
        let _walk = self.walk.lock().await;
        self.expire_walking(now).await?;
        let mut passed = Vec::new();
        let mut letters = Vec::new();
        while letters.len() < limit
            && let Some(mut lease) = self.lend().await?
        {
            let (header, body) = decode(&std::mem::take(&mut lease.body));
            letters.push(DeadLetter {
                id: lease.id,
                reason: header.reason,
                published_at: header.published_at,
                rejected_at: Some(lease.stamp),
                attempts: header.attempts,
                body,
            });
            passed.push(lease);
        }
        Ok(letters)
    }

    /// Puts messages back into `live`.
    pub(super) async fn redrive(&self, now: i64, which: &DeadSelection, live: &Log) -> Result<u64, BusError> {
        self.each(now, which, Some(live)).await
    }

    /// Removes messages.
    pub(super) async fn discard(&self, now: i64, which: &DeadSelection) -> Result<u64, BusError> {
        self.each(now, which, None).await
    }

    async fn each(&self, now: i64, which: &DeadSelection, live: Option<&Log>) -> Result<u64, BusError> {
        let _walk = self.walk.lock().await;
        self.expire_walking(now).await?;
        let mut passed = Vec::new();
        let mut count = 0;
        // What is rejected meanwhile is not part of "all", or a message that fails at once would keep this going.
        let mut left = self.len();
        while left > 0
            && let Some(mut lease) = self.lend().await?
        {
            left -= 1;
            let stored = std::mem::take(&mut lease.body);
            if !which.includes(lease.id) {
                passed.push(lease);
                continue;
            }
            if let Some(live) = live {
                let (header, body) = decode(&stored);
                let published_at = header.published_at.unwrap_or(lease.stamp);
                live.append(lease.id, published_at, body).await?;
            }
            lease.ack();
            count += 1;
        }
        Ok(count)
    }

    async fn lend(&self) -> Result<Option<Lease>, BusError> {
        let log = Arc::clone(&self.log);
        let lent = tokio::task::spawn_blocking(move || log.lend(1, usize::MAX)).await;
        Ok(lent.map_err(|_| LogError::Closed)??.pop())
    }
}

fn encode(header: &Header, body: &Bytes) -> Bytes {
    // A struct of strings and numbers always serialises; an empty header would still keep the message.
    let json = serde_json::to_vec(header).unwrap_or_default();
    let mut record = BytesMut::with_capacity(4 + json.len() + body.len());
    record.put_u32_le(u32::try_from(json.len()).unwrap_or(0));
    record.put_slice(&json);
    record.put_slice(body);
    record.freeze()
}

fn decode(record: &Bytes) -> (Header, Bytes) {
    let Some((len, rest)) = record.split_first_chunk::<4>() else {
        return (Header::default(), record.clone());
    };
    let len = usize::try_from(u32::from_le_bytes(*len)).unwrap_or(usize::MAX);
    match rest.split_at_checked(len) {
        Some((json, body)) => {
            let header = serde_json::from_slice(json).unwrap_or_default();
            (header, record.slice_ref(body))
        }
        None => (Header::default(), record.clone()),
    }
}
