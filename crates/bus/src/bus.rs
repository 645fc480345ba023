//! The contract between the services and a backend.

use crate::config::ConfigError;
use crate::delivery::Consumer;
use crate::log::LogError;
use crate::metrics::BusMetrics;
use async_trait::async_trait;
use bytes::Bytes;
use thiserror::Error;
use uuid::Uuid;

/// A queue that services consume from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Queue {
    /// Batches of raw items, live, from ingest to the recorder.
    Intake,
    /// Batches that waited in a spool. Apart from the live ones, so that these never wait behind an outage.
    IntakeBacklog,
    /// The signals that the notifier binds.
    NotifierSignals,
}

impl Queue {
    /// Every queue; each service declares them all.
    pub const ALL: [Self; 3] = [Self::Intake, Self::IntakeBacklog, Self::NotifierSignals];

    /// The queue's name, without the configured prefix. Its dead letters are in `<name>.dead`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Intake => "bugle.intake",
            Self::IntakeBacklog => "bugle.intake.backlog",
            Self::NotifierSignals => "bugle.notifier.signals",
        }
    }

    /// The signals that are routed to this queue: routing keys, or patterns ending in `.#` as in AMQP.
    #[must_use]
    pub const fn signals(self) -> &'static [&'static str] {
        match self {
            Self::Intake | Self::IntakeBacklog => &[],
            Self::NotifierSignals => &[
                "issue.opened",
                "issue.regressed",
                "issue.unignored",
                "issue.escalated",
                "issue.changed",
                "threshold.#",
                "incident.#",
                "monitor.#",
            ],
        }
    }

    /// Whether a signal with this routing key goes to this queue.
    #[must_use]
    pub fn hears(self, routing_key: &str) -> bool {
        self.signals().iter().any(|pattern| match pattern.strip_suffix(".#") {
            Some(stem) => {
                routing_key.strip_prefix(stem).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            }
            None => *pattern == routing_key,
        })
    }
}

impl std::str::FromStr for Queue {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let bare = |queue: Self| queue.name().strip_prefix("bugle.");
        Self::ALL.into_iter().find(|queue| queue.name() == name || bare(*queue) == Some(name)).ok_or_else(
            || {
                let known = Self::ALL.map(Self::name).join(", ");
                format!("no queue is named {name:?}; there are {known}")
            },
        )
    }
}

/// Why a message was not accepted. After any of these it may still turn up; publish it again under the same id.
#[derive(Debug, Clone, Error)]
pub enum PublishError {
    /// There is no connection to the broker.
    #[error("the broker is away")]
    Away,
    /// The broker takes nothing, because it is short of memory or disk.
    #[error("the broker is blocked by a resource alarm")]
    Blocked,
    /// No confirm in time.
    #[error("the broker did not confirm in time")]
    Timeout,
    /// The broker has no queue for it.
    #[error("the broker has no queue for the message")]
    Unroutable,
    /// The broker refused it (`basic.nack`).
    #[error("the broker refused the message")]
    Refused,
    /// The connection broke before the confirm.
    #[error("the connection to the broker broke: {0}")]
    Lost(String),
    /// Larger than a message may be.
    #[error("a message of {size} bytes: {limit} allowed")]
    TooLarge {
        /// The body's size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The log on disk cannot take it: full, failing.
    #[error("cannot write the message to disk: {0}")]
    Disk(LogError),
    /// The bus was closed.
    #[error("the bus is closed")]
    Closed,
}

impl From<LogError> for PublishError {
    fn from(error: LogError) -> Self {
        match error {
            LogError::TooLarge { size, limit } => Self::TooLarge { size, limit },
            LogError::Closed => Self::Closed,
            error => Self::Disk(error),
        }
    }
}

/// Refuses what no backend takes.
pub(crate) fn check_size(body: &Bytes) -> Result<(), PublishError> {
    let (size, limit) = (body.len(), crate::MAX_MESSAGE_BYTES);
    if size > limit { Err(PublishError::TooLarge { size, limit }) } else { Ok(()) }
}

/// Why anything else failed.
#[derive(Debug, Error)]
pub enum BusError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is no connection to the broker, or it broke meanwhile.
    #[error("the broker is away: {0}")]
    Away(String),
    /// A message could not be moved to another queue.
    #[error("cannot move a message: {0}")]
    Move(#[from] PublishError),
    /// The log on disk.
    #[error("the bus's log: {0}")]
    Log(#[from] LogError),
    /// The bus was closed.
    #[error("the bus is closed")]
    Closed,
}

/// Whether the bus takes messages now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BusState {
    /// It does.
    Connected,
    /// The broker is there but short of memory or disk: nothing can be published, consuming goes on.
    Blocked,
    /// The broker cannot be reached, or has stopped confirming.
    Away,
}

/// How much waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Depth {
    /// Messages that wait for a consumer; with the embedded bus also those that are with one.
    pub messages: u64,
    /// Their bytes, where the backend knows them.
    pub bytes: Option<u64>,
    /// Dead letters.
    pub dead: u64,
}

/// A message that was rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The message's id.
    pub id: Uuid,
    /// What the consumer said when it rejected it.
    pub reason: String,
    /// When it was first published, milliseconds since 1970; absent when the broker took it out itself.
    pub published_at: Option<i64>,
    /// When it was rejected, milliseconds since 1970.
    pub rejected_at: Option<i64>,
    /// How often it was delivered before it was rejected.
    pub attempts: u32,
    /// The message, raw: whoever shows it scrubs it first.
    pub body: Bytes,
}

/// Which dead letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeadSelection {
    /// All that are there now.
    All,
    /// Those with these ids.
    Ids(Vec<Uuid>),
}

impl DeadSelection {
    /// Whether a message with this id is meant.
    #[must_use]
    pub fn includes(&self, id: Uuid) -> bool {
        match self {
            Self::All => true,
            Self::Ids(ids) => ids.contains(&id),
        }
    }
}

/// The bus. See the crate's documentation for what holds for every backend.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Puts a message into a queue. `Ok`: it is durable there. Any number may be in flight.
    async fn publish(&self, queue: Queue, id: Uuid, body: Bytes) -> Result<(), PublishError>;

    /// Gives a signal to every queue that hears its routing key. `Ok`: it is durable in each; also when none hears it.
    async fn publish_signal(&self, routing_key: &str, id: Uuid, body: Bytes) -> Result<(), PublishError>;

    /// Starts to consume. The consumer outlives lost connections; drop it to stop, which gives back what it holds.
    async fn consume(&self, queue: Queue, prefetch: u16) -> Result<Consumer, BusError>;

    /// The oldest dead letters of a queue, `limit` at most. They stay where they are.
    async fn dead_letters(&self, queue: Queue, limit: usize) -> Result<Vec<DeadLetter>, BusError>;

    /// Puts dead letters back into their queue, under their ids; answers how many. After an error the others are
    /// still dead.
    async fn redrive(&self, queue: Queue, which: DeadSelection) -> Result<u64, BusError>;

    /// Removes dead letters for good; answers how many.
    async fn discard_dead(&self, queue: Queue, which: DeadSelection) -> Result<u64, BusError>;

    /// Whether messages are taken now.
    fn state(&self) -> BusState;

    /// Waits until [`Bus::state`] is not [`BusState::Away`]; for ever, if need be.
    async fn connected(&self);

    /// How much waits.
    async fn depth(&self, queue: Queue) -> Result<Depth, BusError>;

    /// What it has done since it was opened.
    fn metrics(&self) -> BusMetrics;

    /// Stops: consumers end, publishes in flight and deliveries that are out are waited for (10 s at most), the rest goes
    /// back to the queues.
    async fn close(&self);
}
