//! Consuming, over as many connections as it takes.

use super::Inner;
use super::dead::reject_headers;
use super::link::{Gone, Session};
use super::publisher::{Outgoing, PUBLISHED_AT, Target};
use super::topology;
use crate::bus::{BusError, Queue};
use crate::delivery::{Delivery, Message, Settle};
use crate::metrics::add;
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use lapin::Acker;
use lapin::BasicProperties;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::task_tracker::TaskTrackerToken;
use uuid::Uuid;

/// How long to rest when the broker is there but does not let us consume.
const PAUSE: Duration = Duration::from_secs(1);
/// For the confirm of a dead letter; nobody waits for an answer meanwhile.
const MOVE_TIMEOUT: Duration = Duration::from_secs(5);
/// After this long without a message, and with none unsettled, we consume anew: RabbitMQ 3.10 can go on counting a consumer
/// that it does not deliver to, as when a quorum queue is removed and declared again.
const IDLE: Duration = Duration::from_secs(10);
/// Longer than any list of prefetched messages takes to be given back.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(2);

/// Takes messages from one queue.
pub(crate) struct Consumer {
    queue: Queue,
    arrived: mpsc::Receiver<Arrived>,
    inner: Arc<Inner>,
    stopped: CancellationToken,
    _stop: DropGuard,
}

impl std::fmt::Debug for Consumer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Consumer").field("queue", &self.queue).finish_non_exhaustive()
    }
}

/// A message that waits for [`Consumer::next`].
struct Arrived {
    message: Message,
    unsettled: Unsettled,
}

impl Consumer {
    pub(super) fn start(inner: Arc<Inner>, queue: Queue, prefetch: u16) -> Self {
        let prefetch = prefetch.max(1);
        let (sender, arrived) = mpsc::channel(usize::from(prefetch));
        let stopped = inner.closing.child_token();
        let feed = Feed { inner: Arc::clone(&inner), queue, prefetch, sender, stopped: stopped.clone() };
        tokio::spawn(feed.run());
        let _stop = stopped.clone().drop_guard();
        Self { queue, arrived, inner, stopped, _stop }
    }

    /// See [`crate::Consumer::next`].
    pub(crate) async fn next(&mut self) -> Option<Delivery> {
        loop {
            let arrived = tokio::select! {
                biased;
                () = self.stopped.cancelled() => None,
                arrived = self.arrived.recv() => arrived,
            };
            let Some(Arrived { message, mut unsettled }) = arrived else {
                self.give_back();
                return None;
            };
            if !unsettled.acker.usable() {
                // Its connection is gone: the broker delivers it again.
                continue;
            }
            unsettled.out = Some(self.inner.out.token());
            self.inner.counters.count_delivery(message.redelivered);
            return Some(Delivery::new(message, Box::new(unsettled)));
        }
    }

    /// Returns what has arrived and was not handed out.
    fn give_back(&mut self) {
        self.arrived.close();
        while let Ok(arrived) = self.arrived.try_recv() {
            Box::new(arrived.unsettled).give_back();
        }
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.stopped.cancel();
        self.give_back();
    }
}

/// Why consuming on a session ended.
enum End {
    /// By ourselves: nothing came, or the consumer was stopped.
    Idle,
    /// The broker ended it.
    Cancelled,
}

/// Ends consuming. Deliveries that are out hold the channel, so that they can still be acked; the rest goes back now.
async fn cancel(channel: &lapin::Channel, consumer: &mut lapin::Consumer) -> lapin::Result<()> {
    channel.basic_cancel(consumer.tag(), BasicCancelOptions::default()).await?;
    while let Some(delivery) = consumer.next().await {
        delivery?.acker.nack(requeue()).await?;
    }
    Ok(())
}

/// The task that fills a consumer.
struct Feed {
    inner: Arc<Inner>,
    queue: Queue,
    prefetch: u16,
    sender: mpsc::Sender<Arrived>,
    stopped: CancellationToken,
}

impl Feed {
    async fn run(self) {
        let mut link = self.inner.link.state();
        let mut failed = false;
        loop {
            let session = tokio::select! {
                () = self.stopped.cancelled() => return,
                state = link.wait_for(|state| state.session().is_some()) => match state {
                    Ok(state) => state.session(),
                    Err(_) => return,
                },
            };
            let Some(session) = session else { continue };
            let outcome = session.during(self.consume(&session, failed)).await;
            if self.stopped.is_cancelled() {
                return;
            }
            failed = match outcome {
                Ok(Ok(End::Idle)) => false,
                Ok(Ok(End::Cancelled)) | Err(Gone) => true,
                Ok(Err(error)) => {
                    tracing::warn!(queue = self.queue.name(), %error, "bus: consuming was interrupted");
                    true
                }
            };
            if failed {
                // Time out: the pause is over.
                let _ = tokio::time::timeout(PAUSE, self.wait_for_change(&session)).await;
            }
        }
    }

    /// Waits until the session is another one, or the consumer is stopped.
    async fn wait_for_change(&self, session: &Arc<Session>) {
        let mut link = self.inner.link.state();
        let another = link.wait_for(|state| state.session().is_some_and(|now| !Arc::ptr_eq(&now, session)));
        tokio::select! {
            () = self.stopped.cancelled() => {}
            _ = another => {}
        }
    }

    /// Consumes on one session until it breaks, the consumer is stopped, or nothing has come for a while.
    async fn consume(&self, session: &Arc<Session>, again: bool) -> lapin::Result<End> {
        if again && session.connection.status().connected() {
            // The queue may have been removed.
            topology::declare(&session.connection, &self.inner.endpoint.names).await?;
        }
        let channel = session.connection.create_channel().await?;
        channel.basic_qos(self.prefetch, BasicQosOptions::default()).await?;
        let name = self.inner.endpoint.names.queue(self.queue);
        let options = BasicConsumeOptions::default();
        let mut consumer = channel.basic_consume(name, "".into(), options, FieldTable::default()).await?;
        // Counts what was delivered on this channel and is not settled.
        let unsettled = Arc::new(());
        loop {
            tokio::select! {
                () = self.stopped.cancelled() => break,
                next = consumer.next() => match next {
                    Some(Ok(delivery)) => self.arrive((session, &channel), delivery, &unsettled).await,
                    Some(Err(error)) => return Err(error),
                    None => return Ok(End::Cancelled),
                },
                () = tokio::time::sleep(IDLE) => if Arc::strong_count(&unsettled) == 1 { break },
            }
        }
        let cancelled = tokio::time::timeout(CANCEL_TIMEOUT, cancel(&channel, &mut consumer)).await;
        if let Ok(Err(error)) = cancelled {
            tracing::debug!(queue = self.queue.name(), %error, "bus: cannot cancel; the broker takes back by itself");
        }
        Ok(End::Idle)
    }

    async fn arrive(
        &self,
        (session, channel): (&Arc<Session>, &lapin::Channel),
        delivery: lapin::message::Delivery,
        unsettled: &Arc<()>,
    ) {
        let attempt = attempts(&delivery.properties);
        let message = Message {
            id: message_id(&delivery.properties),
            body: Bytes::from(delivery.data),
            redelivered: delivery.redelivered || attempt > 0,
            attempt,
        };
        let unsettled = Unsettled {
            inner: Arc::clone(&self.inner),
            queue: self.queue,
            session: Arc::clone(session),
            channel: channel.clone(),
            acker: delivery.acker,
            dead: Dead {
                id: message.id,
                body: message.body.clone(),
                attempt,
                published_at: number(&delivery.properties, PUBLISHED_AT),
            },
            stopped: self.stopped.clone(),
            out: None,
            _counted: Arc::clone(unsettled),
        };
        if let Err(refused) = self.sender.send(Arrived { message, unsettled }).await {
            Box::new(refused.0.unsettled).give_back();
        }
    }
}

/// What a dead letter of the message would need.
struct Dead {
    id: Uuid,
    body: Bytes,
    attempt: u32,
    published_at: Option<i64>,
}

struct Unsettled {
    inner: Arc<Inner>,
    queue: Queue,
    session: Arc<Session>,
    /// Held open for the ack.
    channel: lapin::Channel,
    acker: Acker,
    dead: Dead,
    stopped: CancellationToken,
    out: Option<TaskTrackerToken>,
    _counted: Arc<()>,
}

impl Unsettled {
    async fn acknowledge(&self) -> Result<(), BusError> {
        match self.session.during(self.acker.ack(BasicAckOptions::default())).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) | Err(Gone) => Err(BusError::Away("the delivery's connection is gone".to_owned())),
            Ok(Err(error)) => Err(BusError::Away(error.to_string())),
        }
    }
}

#[async_trait]
impl Settle for Unsettled {
    async fn ack(self: Box<Self>) -> Result<(), BusError> {
        self.acknowledge().await?;
        add(&self.inner.counters.acked);
        Ok(())
    }

    async fn reject(self: Box<Self>, reason: &str) -> Result<(), BusError> {
        let Dead { id, body, attempt, published_at } = &self.dead;
        let headers = reject_headers(reason, self.inner.config.now_ms(), attempt + 1, *published_at);
        let target = Target::queue(self.inner.endpoint.names.dead(self.queue));
        let letter = Outgoing { target, id: *id, headers, body: body.clone() };
        if let Err(error) = self.inner.publisher.publish(letter, MOVE_TIMEOUT).await {
            self.give_back();
            return Err(error.into());
        }
        add(&self.inner.counters.dead);
        // Only now: a crash in between leaves it in both, never in neither.
        self.acknowledge().await
    }

    fn give_back(self: Box<Self>) {
        // Without a runtime the connection is going down, and the broker takes the message back.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let pause = self.inner.config.retry_pause.after(self.dead.attempt);
        runtime.spawn(async move {
            if self.out.is_some() && !self.stopped.is_cancelled() {
                // Time out: the pause is over. When the consumer stops, somebody else may take it at once.
                let _ = tokio::time::timeout(pause, self.stopped.cancelled()).await;
            }
            if self.channel.status().connected() {
                // When this fails the channel is gone, and the broker takes the message back.
                let _ = self.session.during(self.acker.nack(requeue())).await;
            }
        });
    }
}

fn requeue() -> BasicNackOptions {
    BasicNackOptions { multiple: false, requeue: true }
}

/// The id a message was published with; nil for one that is not ours.
pub(super) fn message_id(properties: &BasicProperties) -> Uuid {
    let id = properties.message_id().as_ref().and_then(|id| Uuid::try_parse(id.as_str()).ok());
    id.unwrap_or_default()
}

fn attempts(properties: &BasicProperties) -> u32 {
    number(properties, "x-delivery-count").and_then(|count| u32::try_from(count).ok()).unwrap_or(0)
}

/// A header that is a whole number of any width.
pub(super) fn number(properties: &BasicProperties, header: &str) -> Option<i64> {
    match properties.headers().as_ref()?.inner().get(header)? {
        AMQPValue::ShortShortInt(number) => Some(i64::from(*number)),
        AMQPValue::ShortShortUInt(number) => Some(i64::from(*number)),
        AMQPValue::ShortInt(number) => Some(i64::from(*number)),
        AMQPValue::ShortUInt(number) => Some(i64::from(*number)),
        AMQPValue::LongInt(number) => Some(i64::from(*number)),
        AMQPValue::LongUInt(number) => Some(i64::from(*number)),
        AMQPValue::LongLongInt(number) => Some(*number),
        _ => None,
    }
}
