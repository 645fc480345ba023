//! Moves live deliveries to the backlog, so that they do not stand before what is fresh.

use crate::meters::Meters;
use bugle_bus::{Bus, Consumer, Delivery, Queue};
use bugle_model::{Clock, IntakeBatch};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// When nothing has been written for this long, what has waited for as long steps aside.
const STUCK: Duration = Duration::from_secs(2);

/// See the module. Dropped, what is not moved yet stays where it is.
pub(crate) struct Aside {
    bus: Arc<dyn Bus>,
    clock: Arc<dyn Clock>,
    prefetch: u16,
    moving: JoinSet<()>,
    meters: Meters,
}

impl Aside {
    /// Moves `prefetch` deliveries at the same time.
    pub fn new(bus: Arc<dyn Bus>, clock: Arc<dyn Clock>, prefetch: u16, meters: Meters) -> Self {
        Self { bus, clock, prefetch, moving: JoinSet::new(), meters }
    }

    /// Moves a delivery to the backlog queue: durable there before it is acknowledged here.
    pub fn step(&mut self, delivery: Delivery) {
        while self.moving.try_join_next().is_some() {}
        self.meters.stepped_aside.inc();
        let bus = Arc::clone(&self.bus);
        self.moving.spawn(async move {
            match bus.publish(Queue::IntakeBacklog, delivery.id(), delivery.body().clone()).await {
                Ok(()) => drop(delivery.ack().await),
                Err(_) => delivery.retry(),
            }
        });
    }

    /// Waits until all that steps aside is moved.
    pub async fn moved(&mut self) {
        while self.moving.join_next().await.is_some() {}
    }

    /// Waits for what writing waits for: a database that is away, or slow. Meanwhile live traffic steps aside: when it goes on,
    /// only the last seconds of it stand before a fresh error, and not all that came during the outage.
    pub async fn until<T>(&mut self, ready: impl Future<Output = T>) -> T {
        tokio::pin!(ready);
        if let Ok(ready) = tokio::time::timeout(STUCK, &mut ready).await {
            return ready;
        }
        // A consumer of its own: another one may have handed out all that it may hold.
        let Ok(mut line) = self.bus.consume(Queue::Intake, self.prefetch).await else { return ready.await };
        loop {
            let waited = tokio::select! {
                biased;
                ready = &mut ready => return ready,
                waited = waited(&mut line, &*self.clock) => waited,
            };
            match waited {
                Some(delivery) => self.step(delivery),
                None => return ready.await,
            }
        }
    }
}

/// Waits until the first in a line has waited for [`STUCK`]; `None` when the bus is closed.
async fn waited(line: &mut Consumer, clock: &dyn Clock) -> Option<Delivery> {
    let first = line.next().await?;
    loop {
        let age = IntakeBatch::age(first.id(), clock.now()).and_then(|age| age.to_std().ok());
        let left = STUCK.saturating_sub(age.unwrap_or_default());
        if left.is_zero() {
            return Some(first);
        }
        tokio::time::sleep(left).await;
    }
}
