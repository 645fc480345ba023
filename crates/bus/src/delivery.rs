//! What a consumer gets, and how it is settled.

use crate::bus::BusError;
use crate::{embedded, rabbit};
use async_trait::async_trait;
use bytes::Bytes;
use uuid::Uuid;

/// A message as it was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Given by the publisher; the same at each delivery.
    pub id: Uuid,
    /// What was published.
    pub body: Bytes,
    /// It was, or may have been, delivered before.
    pub redelivered: bool,
    /// How often it was delivered before, as far as the backend knows; 0 the first time.
    pub attempt: u32,
}

/// How a backend settles a delivery.
#[async_trait]
pub(crate) trait Settle: Send + Sync {
    async fn ack(self: Box<Self>) -> Result<(), BusError>;
    /// Into the dead letters; on an error the message stays in its queue.
    async fn reject(self: Box<Self>, reason: &str) -> Result<(), BusError>;
    /// Back to the queue after a pause, or at once when its consumer is gone. Must not block.
    fn give_back(self: Box<Self>);
}

/// A message that must be settled. Dropped unsettled it goes back to its queue, as with [`Delivery::retry`].
#[must_use = "a delivery that is dropped is delivered again"]
pub struct Delivery {
    message: Message,
    settle: Option<Box<dyn Settle>>,
}

impl Delivery {
    pub(crate) fn new(message: Message, settle: Box<dyn Settle>) -> Self {
        Self { message, settle: Some(settle) }
    }

    /// The message.
    #[must_use]
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// The message's id.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.message.id
    }

    /// The message's body.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.message.body
    }

    /// How often it was delivered before; 0 the first time.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.message.attempt
    }

    /// Done: it never comes back, unless the backend crashes before it has taken note.
    ///
    /// # Errors
    /// When the broker cannot be told; then it comes back.
    pub async fn ack(mut self) -> Result<(), BusError> {
        match self.settle.take() {
            Some(settle) => settle.ack().await,
            None => Ok(()),
        }
    }

    /// Not now: back to the queue after a pause that grows with the attempts. It keeps its place under the prefetch
    /// meanwhile, so that a consumer that can't make progress is held up and not spun.
    pub fn retry(mut self) {
        if let Some(settle) = self.settle.take() {
            settle.give_back();
        }
    }

    /// Never: into the dead letters, with a reason (cut at 256 characters; no client text).
    ///
    /// # Errors
    /// When the dead letters cannot take it; then it goes back to its queue.
    pub async fn reject(mut self, reason: &str) -> Result<(), BusError> {
        match self.settle.take() {
            Some(settle) => settle.reject(&reason.chars().take(256).collect::<String>()).await,
            None => Ok(()),
        }
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if let Some(settle) = self.settle.take() {
            settle.give_back();
        }
    }
}

impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The body is raw and must not reach a log.
        f.debug_struct("Delivery")
            .field("id", &self.message.id)
            .field("attempt", &self.message.attempt)
            .finish()
    }
}

/// Takes messages from one queue. Drop it to stop.
#[derive(Debug)]
pub struct Consumer(pub(crate) Source);

#[derive(Debug)]
pub(crate) enum Source {
    Embedded(embedded::Consumer),
    Rabbit(rabbit::Consumer),
}

impl Consumer {
    /// The next message; waits for one, also while the broker is away. `None` when the bus is closed.
    ///
    /// Safe to cancel: a message is either given or stays.
    pub async fn next(&mut self) -> Option<Delivery> {
        match &mut self.0 {
            Source::Embedded(consumer) => consumer.next().await,
            Source::Rabbit(consumer) => consumer.next().await,
        }
    }
}
