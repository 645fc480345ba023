//! The bus over RabbitMQ, 3.10 to 4.x, without plugins.
//!
//! Two connections: a resource alarm stops everything on the one that publishes, acks included, so consuming has its own.

mod consumer;
mod dead;
mod link;
mod publisher;
mod topology;

pub(crate) use consumer::Consumer;

use crate::bus::{
    Bus, BusError, BusState, DeadLetter, DeadSelection, Depth, PublishError, Queue, check_size,
};
use crate::config::{BusConfig, ConfigError};
use crate::delivery::{Consumer as AnyConsumer, Source};
use crate::metrics::{BusMetrics, Counters, add};
use async_trait::async_trait;
use bytes::Bytes;
use link::{Endpoint, Link, LinkState};
use publisher::{Outgoing, Publisher, Target, stamped};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// How long [`Bus::close`] waits for publishes in flight and deliveries that are out.
const DRAIN: Duration = Duration::from_secs(10);

/// See the module.
pub(crate) struct Rabbit(Arc<Inner>);

struct Inner {
    config: BusConfig,
    endpoint: Arc<Endpoint>,
    publisher: Publisher,
    /// The connection for everything but publishing.
    link: Link,
    counters: Arc<Counters>,
    /// Who walks over dead letters holds it: a walk takes what it passes.
    walk: Mutex<()>,
    /// Cancelled when the bus closes.
    closing: CancellationToken,
    /// Holds a token for each delivery that is out.
    out: TaskTracker,
}

impl Rabbit {
    /// Checks the configuration and starts to connect.
    pub(crate) fn start(config: BusConfig) -> Result<Self, ConfigError> {
        let endpoint = Arc::new(Endpoint::new(&config)?);
        let counters = Arc::new(Counters::default());
        let link = |purpose| Link::start(Arc::clone(&endpoint), purpose, Arc::clone(&counters));
        let publisher = Publisher::new(link("publish"), Arc::clone(&endpoint));
        Ok(Self(Arc::new(Inner {
            config,
            publisher,
            link: link("consume"),
            endpoint,
            counters,
            walk: Mutex::new(()),
            closing: CancellationToken::new(),
            out: TaskTracker::new(),
        })))
    }

    async fn send(&self, target: Target, id: Uuid, body: Bytes) -> Result<(), PublishError> {
        let inner = &self.0;
        let outcome = match check_size(&body) {
            Ok(()) => {
                let message = Outgoing { target, id, headers: stamped(inner.config.now_ms()), body };
                inner.publisher.publish(message, inner.config.confirm_timeout).await
            }
            Err(error) => Err(error),
        };
        inner.counters.count_publish(&outcome);
        outcome
    }
}

#[async_trait]
impl Bus for Rabbit {
    async fn publish(&self, queue: Queue, id: Uuid, body: Bytes) -> Result<(), PublishError> {
        self.send(Target::queue(self.0.endpoint.names.queue(queue)), id, body).await
    }

    async fn publish_signal(&self, routing_key: &str, id: Uuid, body: Bytes) -> Result<(), PublishError> {
        if !Queue::ALL.into_iter().any(|queue| queue.hears(routing_key)) {
            // The broker would return it, which is what a missing queue looks like.
            add(&self.0.counters.unheard);
            return Ok(());
        }
        let target = Target { exchange: self.0.endpoint.names.signals(), routing_key: routing_key.into() };
        self.send(target, id, body).await
    }

    async fn consume(&self, queue: Queue, prefetch: u16) -> Result<AnyConsumer, BusError> {
        if self.0.closing.is_cancelled() {
            return Err(BusError::Closed);
        }
        Ok(AnyConsumer(Source::Rabbit(Consumer::start(Arc::clone(&self.0), queue, prefetch))))
    }

    async fn dead_letters(&self, queue: Queue, limit: usize) -> Result<Vec<DeadLetter>, BusError> {
        self.0.run(self.0.list_dead(queue, limit)).await
    }

    async fn redrive(&self, queue: Queue, which: DeadSelection) -> Result<u64, BusError> {
        self.0.run(self.0.each_dead(queue, &which, true)).await
    }

    async fn discard_dead(&self, queue: Queue, which: DeadSelection) -> Result<u64, BusError> {
        self.0.run(self.0.each_dead(queue, &which, false)).await
    }

    fn state(&self) -> BusState {
        self.0.publisher.state(self.0.config.confirm_timeout)
    }

    async fn connected(&self) {
        for link in [self.0.publisher.link(), &self.0.link] {
            let mut state = link.state();
            if state.wait_for(|state| !matches!(state, LinkState::Away)).await.is_err() {
                // Closed: it will never be.
                std::future::pending::<()>().await;
            }
        }
    }

    async fn depth(&self, queue: Queue) -> Result<Depth, BusError> {
        let (messages, dead) = self.0.run(self.0.depth_of(queue)).await?;
        Ok(Depth { messages, bytes: None, dead })
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
        self.0.publisher.close(DRAIN).await;
        self.0.link.close().await;
    }
}
