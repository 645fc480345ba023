//! Buses for tests, and what every test does with one.

use bugle_bus::{Bus, BusConfig, Consumer, Delivery, Queue, RetryPause};
use bugle_model::ManualClock;
use bugle_testkit::rabbit;
use bytes::Bytes;
use lapin::options::{ExchangeDeleteOptions, QueueDeleteOptions};
use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use url::Url;
use uuid::Uuid;

/// Longer than anything takes; a test that waits for it has failed.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A backend under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    Embedded,
    Rabbit,
}

/// A bus that can be closed and opened again with what is in it.
pub struct World {
    pub clock: Arc<ManualClock>,
    pub bus: Arc<dyn Bus>,
    config: BusConfig,
    _folder: TempDir,
}

impl World {
    pub async fn new(backend: Backend) -> Self {
        let url = match backend {
            Backend::Embedded => None,
            Backend::Rabbit => Some(rabbit::shared_url().await.unwrap().parse().unwrap()),
        };
        // A busy machine must not turn the contract's tests into tests of the time-out.
        let world = Self::with(url, Duration::from_secs(20)).await;
        soon(world.bus.connected()).await;
        world
    }

    /// A bus over the broker at `url`, which need not be there yet.
    pub async fn with(url: Option<Url>, confirm_timeout: Duration) -> Self {
        let folder = TempDir::new().unwrap();
        let clock = Arc::new(ManualClock::new("2026-03-01T12:00:00Z".parse().unwrap()));
        let mut config = BusConfig::new(folder.path().to_path_buf(), clock.clone());
        config.amqp_url = url;
        config.prefix = rabbit::prefix();
        config.confirm_timeout = confirm_timeout;
        config.retry_pause =
            RetryPause { first: Duration::from_millis(1), longest: Duration::from_millis(5) };
        let bus = bugle_bus::connect(config.clone()).await.unwrap();
        Self { clock, bus, config, _folder: folder }
    }

    /// Closes the bus, as a process does that stops, and opens it again.
    pub async fn reopen(&mut self) {
        self.bus.close().await;
        // The old one must be gone before the folder's lock is asked for.
        self.bus = Arc::new(Nothing);
        self.bus = bugle_bus::connect(self.config.clone()).await.unwrap();
        soon(self.bus.connected()).await;
    }

    pub fn queue_name(&self, queue: Queue) -> String {
        format!("{}{}", self.config.prefix, queue.name())
    }

    /// Closes the bus and removes what it declared.
    pub async fn finish(self) {
        self.bus.close().await;
        let Some(url) = &self.config.amqp_url else { return };
        // Around the proxy, if there was one: a test may end with the broker out of reach.
        let url = rabbit::shared_url().await.unwrap_or_else(|_| url.to_string());
        let connection = lapin::Connection::connect(&url, Default::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        for queue in Queue::ALL {
            let name = self.queue_name(queue);
            for name in [format!("{name}.dead"), name] {
                channel.queue_delete(name.into(), QueueDeleteOptions::default()).await.unwrap();
            }
        }
        let exchange = format!("{}bugle.signals", self.config.prefix);
        channel.exchange_delete(exchange.into(), ExchangeDeleteOptions::default()).await.unwrap();
        connection.close(200, "done".into()).await.unwrap();
    }
}

/// Waits for what must come.
pub async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("it did not happen in time")
}

/// Waits until a condition holds that nobody announces.
pub async fn until<F: Future<Output = bool>>(mut condition: impl FnMut() -> F) {
    soon(async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

pub fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// A body that tells its number.
pub fn body(number: u128) -> Bytes {
    Bytes::from(format!("message {number}"))
}

pub async fn publish(bus: &Arc<dyn Bus>, numbers: impl IntoIterator<Item = u128>) {
    for number in numbers {
        bus.publish(Queue::Intake, id(number), body(number)).await.unwrap();
    }
}

pub async fn consume(bus: &Arc<dyn Bus>, prefetch: u16) -> Consumer {
    bus.consume(Queue::Intake, prefetch).await.unwrap()
}

pub async fn next(consumer: &mut Consumer) -> Delivery {
    soon(consumer.next()).await.expect("the consumer ended")
}

/// Acks deliveries until each of these numbers has come; others fail the test, repeated ones do not.
pub async fn expect_all(bus: &Arc<dyn Bus>, numbers: impl IntoIterator<Item = u128>) {
    let expected: BTreeSet<Uuid> = numbers.into_iter().map(id).collect();
    let mut seen = BTreeSet::new();
    let mut consumer = consume(bus, 50).await;
    while seen.len() < expected.len() {
        let delivery = next(&mut consumer).await;
        assert!(expected.contains(&delivery.id()), "a message that was never published");
        assert_eq!(*delivery.body(), body(delivery.id().as_u128()));
        seen.insert(delivery.id());
        delivery.ack().await.unwrap();
    }
}

/// Waits until nothing is in the queue, ready or with a consumer, and asserts that nothing comes.
pub async fn expect_empty(bus: &Arc<dyn Bus>) {
    until(|| async { bus.depth(Queue::Intake).await.unwrap().messages == 0 }).await;
    let mut consumer = consume(bus, 1).await;
    let more = tokio::time::timeout(Duration::from_millis(150), consumer.next()).await;
    assert!(more.is_err(), "a message is still there");
}

/// Stands where the bus was while it is opened again.
struct Nothing;

#[async_trait::async_trait]
impl Bus for Nothing {
    async fn publish(&self, _: Queue, _: Uuid, _: Bytes) -> Result<(), bugle_bus::PublishError> {
        Err(bugle_bus::PublishError::Closed)
    }
    async fn publish_signal(&self, _: &str, _: Uuid, _: Bytes) -> Result<(), bugle_bus::PublishError> {
        Err(bugle_bus::PublishError::Closed)
    }
    async fn consume(&self, _: Queue, _: u16) -> Result<Consumer, bugle_bus::BusError> {
        Err(bugle_bus::BusError::Closed)
    }
    async fn dead_letters(
        &self,
        _: Queue,
        _: usize,
    ) -> Result<Vec<bugle_bus::DeadLetter>, bugle_bus::BusError> {
        Err(bugle_bus::BusError::Closed)
    }
    async fn redrive(&self, _: Queue, _: bugle_bus::DeadSelection) -> Result<u64, bugle_bus::BusError> {
        Err(bugle_bus::BusError::Closed)
    }
    async fn discard_dead(&self, _: Queue, _: bugle_bus::DeadSelection) -> Result<u64, bugle_bus::BusError> {
        Err(bugle_bus::BusError::Closed)
    }
    fn state(&self) -> bugle_bus::BusState {
        bugle_bus::BusState::Away
    }
    async fn connected(&self) {}
    async fn depth(&self, _: Queue) -> Result<bugle_bus::Depth, bugle_bus::BusError> {
        Err(bugle_bus::BusError::Closed)
    }
    fn metrics(&self) -> bugle_bus::BusMetrics {
        bugle_bus::BusMetrics::default()
    }
    async fn close(&self) {}
}
