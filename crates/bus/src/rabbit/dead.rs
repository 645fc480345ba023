//! Dead letters at the broker: listed by taking and returning, moved by publishing and then acking.

use super::Inner;
use super::consumer::{message_id, number};
use super::link::Gone;
use super::publisher::{Outgoing, PUBLISHED_AT, Target, stamped};
use crate::bus::{BusError, DeadLetter, DeadSelection, Queue};
use bytes::Bytes;
use lapin::BasicProperties;
use lapin::message::BasicGetMessage;
use lapin::options::{BasicAckOptions, BasicGetOptions, BasicNackOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, LongString, ShortString};
use lapin::{Channel, message::Delivery};
use std::future::Future;
use std::time::Duration;

const REASON: &str = "x-bugle-reason";
const REJECTED_AT: &str = "x-bugle-rejected-at";
const ATTEMPTS: &str = "x-bugle-attempts";
/// What the broker writes when it dead-letters by itself.
const BROKERS_REASON: &str = "x-first-death-reason";
/// For the confirm of a message that is moved back.
const MOVE_TIMEOUT: Duration = Duration::from_secs(5);

/// What a dead letter carries.
pub(super) fn reject_headers(reason: &str, now: i64, attempts: u32, published_at: Option<i64>) -> FieldTable {
    let mut headers = published_at.map(stamped).unwrap_or_default();
    headers.insert(REASON.into(), AMQPValue::LongString(LongString::from(reason)));
    headers.insert(REJECTED_AT.into(), AMQPValue::LongLongInt(now));
    headers.insert(ATTEMPTS.into(), AMQPValue::LongLongInt(i64::from(attempts)));
    headers
}

impl Inner {
    /// Runs an errand for as long as the connection is there.
    pub(super) async fn run<T>(
        &self,
        errand: impl Future<Output = Result<T, BusError>>,
    ) -> Result<T, BusError> {
        let session = self.link.state().borrow().session();
        let session = session.ok_or_else(|| BusError::Away("no connection".to_owned()))?;
        session
            .during(errand)
            .await
            .unwrap_or_else(|Gone| Err(BusError::Away("the connection broke".to_owned())))
    }

    /// A channel for one errand; what is taken on it and not acked goes back when it closes.
    async fn errand(&self) -> Result<Channel, BusError> {
        let session = self.link.state().borrow().session();
        let session = session.ok_or_else(|| BusError::Away("no connection".to_owned()))?;
        session.connection.create_channel().await.map_err(away)
    }

    /// See [`crate::Bus::dead_letters`].
    pub(super) async fn list_dead(&self, queue: Queue, limit: usize) -> Result<Vec<DeadLetter>, BusError> {
        let _walk = self.walk.lock().await;
        let channel = self.errand().await?;
        let mut letters = Vec::new();
        while letters.len() < limit
            && let Some(BasicGetMessage { delivery, .. }) = self.take_dead(&channel, queue).await?
        {
            letters.push(letter(delivery));
        }
        give_back(&channel).await?;
        Ok(letters)
    }

    /// Acks the chosen dead letters, after publishing them to their queue when `back`.
    pub(super) async fn each_dead(
        &self,
        queue: Queue,
        which: &DeadSelection,
        back: bool,
    ) -> Result<u64, BusError> {
        let _walk = self.walk.lock().await;
        let channel = self.errand().await?;
        let mut count = 0;
        let start = self.config.now_ms();
        while let Some(BasicGetMessage { delivery, .. }) = self.take_dead(&channel, queue).await? {
            // What is rejected meanwhile is not meant, or a message that fails at once would keep this going.
            if number(&delivery.properties, REJECTED_AT).is_some_and(|rejected_at| rejected_at > start) {
                break;
            }
            if !which.includes(message_id(&delivery.properties)) {
                continue;
            }
            if back {
                self.put_back(queue, &delivery).await?;
            }
            delivery.acker.ack(BasicAckOptions::default()).await.map_err(away)?;
            count += 1;
        }
        give_back(&channel).await?;
        Ok(count)
    }

    async fn put_back(&self, queue: Queue, delivery: &Delivery) -> Result<(), BusError> {
        let headers = number(&delivery.properties, PUBLISHED_AT).map(stamped).unwrap_or_default();
        let message = Outgoing {
            target: Target::queue(self.endpoint.names.queue(queue)),
            id: message_id(&delivery.properties),
            headers,
            body: Bytes::copy_from_slice(&delivery.data),
        };
        Ok(self.publisher.publish(message, MOVE_TIMEOUT).await?)
    }

    async fn take_dead(&self, channel: &Channel, queue: Queue) -> Result<Option<BasicGetMessage>, BusError> {
        let name = self.endpoint.names.dead(queue);
        channel.basic_get(name, BasicGetOptions { no_ack: false }).await.map_err(away)
    }

    /// Messages that wait in a queue.
    pub(super) async fn depth_of(&self, queue: Queue) -> Result<(u64, u64), BusError> {
        let channel = self.errand().await?;
        let names = &self.endpoint.names;
        let live = self.count(&channel, names.queue(queue)).await?;
        let dead = self.count(&channel, names.dead(queue)).await?;
        channel.close(200, "counted".into()).await.map_err(away)?;
        Ok((live, dead))
    }

    async fn count(&self, channel: &Channel, name: ShortString) -> Result<u64, BusError> {
        Ok(u64::from(look_up(channel, name).await?.message_count()))
    }
}

/// Ends an errand. Closing alone gives back what was taken too, but some time later: the next errand would miss it.
async fn give_back(channel: &Channel) -> Result<(), BusError> {
    let all = BasicNackOptions { multiple: true, requeue: true };
    channel.basic_nack(0, all).await.map_err(away)?;
    channel.close(200, "done".into()).await.map_err(away)
}

async fn look_up(channel: &Channel, name: ShortString) -> Result<lapin::Queue, BusError> {
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(name, options, FieldTable::default()).await.map_err(away)
}

fn letter(delivery: Delivery) -> DeadLetter {
    let properties = &delivery.properties;
    let reason = text(properties, REASON).or_else(|| text(properties, BROKERS_REASON)).unwrap_or_default();
    DeadLetter {
        id: message_id(properties),
        reason,
        published_at: number(properties, PUBLISHED_AT),
        rejected_at: number(properties, REJECTED_AT),
        attempts: number(properties, ATTEMPTS).and_then(|count| u32::try_from(count).ok()).unwrap_or(0),
        body: Bytes::from(delivery.data),
    }
}

fn text(properties: &BasicProperties, header: &str) -> Option<String> {
    match properties.headers().as_ref()?.inner().get(header)? {
        AMQPValue::LongString(text) => Some(text.to_string()),
        _ => None,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the form that map_err takes")]
fn away(error: lapin::Error) -> BusError {
    BusError::Away(error.to_string())
}
