//! The bus of a single process, durable on disk: a log for each queue and one for its dead letters.

mod consumer;
mod dead;

pub(crate) use consumer::Consumer;

use crate::bus::{
    Bus, BusError, BusState, DeadLetter, DeadSelection, Depth, PublishError, Queue, check_size,
};
use crate::config::BusConfig;
use crate::delivery::{Consumer as AnyConsumer, Source};
use crate::log::{Log, LogError, LogLimits};
use crate::metrics::{BusMetrics, Counters, add};
use async_trait::async_trait;
use bytes::Bytes;
use dead::DeadLetters;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// How long [`Bus::close`] waits for deliveries that are out.
const DRAIN: Duration = Duration::from_secs(10);
/// Segments of the dead letters are small, so that their space comes back when they expire.
const DEAD_SEGMENT: u32 = 1024 * 1024;

/// See the module.
pub(crate) struct Embedded(Arc<Inner>);

struct Inner {
    config: BusConfig,
    intake: QueueLogs,
    backlog: QueueLogs,
    signals: QueueLogs,
    counters: Counters,
    /// Cancelled when the bus closes.
    closing: CancellationToken,
    /// Holds a token for each delivery that is out.
    out: TaskTracker,
}

struct QueueLogs {
    live: Arc<Log>,
    dead: DeadLetters,
}

impl QueueLogs {
    fn open(dir: &Path, queue: Queue) -> Result<Self, LogError> {
        let dead_dir = dir.join(format!("{}.dead", queue.name()));
        let live = Log::open(&dir.join(queue.name()), LogLimits::default())?;
        let dead = Log::open(&dead_dir, LogLimits { segment_bytes: DEAD_SEGMENT, ..LogLimits::default() })?;
        Ok(Self { live: Arc::new(live), dead: DeadLetters::new(dead) })
    }
}

impl Inner {
    fn queue(&self, queue: Queue) -> &QueueLogs {
        match queue {
            Queue::Intake => &self.intake,
            Queue::IntakeBacklog => &self.backlog,
            Queue::NotifierSignals => &self.signals,
        }
    }

    async fn append(&self, queue: Queue, id: Uuid, body: Bytes) -> Result<(), PublishError> {
        let outcome = match check_size(&body) {
            Ok(()) => self
                .queue(queue)
                .live
                .append(id, self.config.now_ms(), body)
                .await
                .map_err(PublishError::from),
            Err(error) => Err(error),
        };
        self.counters.count_publish(&outcome);
        outcome
    }
}

impl Embedded {
    /// Opens the bus below the data folder.
    pub(crate) async fn open(config: BusConfig) -> Result<Self, BusError> {
        let dir = config.data_dir.join("bus");
        let opened = tokio::task::spawn_blocking(move || {
            let open = |queue| QueueLogs::open(&dir, queue);
            Ok::<_, LogError>((
                open(Queue::Intake)?,
                open(Queue::IntakeBacklog)?,
                open(Queue::NotifierSignals)?,
            ))
        });
        let (intake, backlog, signals) = opened.await.map_err(|_| BusError::Closed)??;
        Ok(Self(Arc::new(Inner {
            config,
            intake,
            backlog,
            signals,
            counters: Counters::default(),
            closing: CancellationToken::new(),
            out: TaskTracker::new(),
        })))
    }
}

#[async_trait]
impl Bus for Embedded {
    async fn publish(&self, queue: Queue, id: Uuid, body: Bytes) -> Result<(), PublishError> {
        self.0.append(queue, id, body).await
    }

    async fn publish_signal(&self, routing_key: &str, id: Uuid, body: Bytes) -> Result<(), PublishError> {
        let mut heard = false;
        for queue in Queue::ALL.into_iter().filter(|queue| queue.hears(routing_key)) {
            heard = true;
            self.0.append(queue, id, body.clone()).await?;
        }
        if !heard {
            add(&self.0.counters.unheard);
        }
        Ok(())
    }

    async fn consume(&self, queue: Queue, prefetch: u16) -> Result<AnyConsumer, BusError> {
        if self.0.closing.is_cancelled() {
            return Err(BusError::Closed);
        }
        Ok(AnyConsumer(Source::Embedded(Consumer::new(Arc::clone(&self.0), queue, prefetch))))
    }

    async fn dead_letters(&self, queue: Queue, limit: usize) -> Result<Vec<DeadLetter>, BusError> {
        self.0.queue(queue).dead.list(self.0.config.now_ms(), limit).await
    }

    async fn redrive(&self, queue: Queue, which: DeadSelection) -> Result<u64, BusError> {
        let QueueLogs { live, dead } = self.0.queue(queue);
        dead.redrive(self.0.config.now_ms(), &which, live).await
    }

    async fn discard_dead(&self, queue: Queue, which: DeadSelection) -> Result<u64, BusError> {
        self.0.queue(queue).dead.discard(self.0.config.now_ms(), &which).await
    }

    fn state(&self) -> BusState {
        if self.0.closing.is_cancelled() { BusState::Away } else { BusState::Connected }
    }

    async fn connected(&self) {}

    async fn depth(&self, queue: Queue) -> Result<Depth, BusError> {
        let QueueLogs { live, dead } = self.0.queue(queue);
        dead.expire(self.0.config.now_ms()).await?;
        let live = live.stats();
        Ok(Depth { messages: live.records, bytes: Some(live.bytes), dead: dead.len() })
    }

    fn metrics(&self) -> BusMetrics {
        self.0.counters.snapshot()
    }

    async fn close(&self) {
        self.0.closing.cancel();
        self.0.out.close();
        if tokio::time::timeout(DRAIN, self.0.out.wait()).await.is_err() {
            tracing::warn!(
                out = self.0.out.len(),
                "bus: closed with deliveries out; they will be delivered again"
            );
        }
        let inner = Arc::clone(&self.0);
        let closed = tokio::task::spawn_blocking(move || {
            for queue in Queue::ALL {
                let logs = inner.queue(queue);
                logs.live.close();
                logs.dead.close();
            }
        });
        if closed.await.is_err() {
            tracing::error!("bus: closing the logs failed");
        }
    }
}
