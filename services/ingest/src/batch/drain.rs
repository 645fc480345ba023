//! Brings what waited in the spool to the bus, newest first and at a bounded rate. What is late goes into a queue of its own,
//! so that live traffic never waits behind it; what is not is live traffic.

use super::deliver::Outlet;
use bugle_bus::spool::{Spool, SpoolEntry};
use bugle_bus::{BusState, Queue};
use bugle_model::IntakeBatch;
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

/// A confirm may take longer than a client would wait: nobody does.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(250);
/// Entries on their way at the same time: a confirm takes longer than all the rest.
const DRAINERS: usize = 8;

impl Outlet {
    /// Drains until the stop.
    pub(crate) async fn drain(self: Arc<Self>, stop: CancellationToken) {
        let Some(spool) = self.spool.clone() else { return };
        let next_at = Mutex::new(Instant::now());
        let drainers = (0..DRAINERS).map(|_| self.drain_on(&spool, &next_at));
        // Dropping a future in here gives its entry back to the spool.
        stop.run_until_cancelled(join_all(drainers)).await;
    }

    /// Drains one entry after the other. `next_at` is when the next may go, whoever takes it.
    async fn drain_on(&self, spool: &Spool, next_at: &Mutex<Instant>) {
        loop {
            let entry = match spool.next().await {
                Ok(entry) => entry,
                Err(error) => {
                    tracing::error!(%error, "the spool cannot be read");
                    sleep(PAUSE * 20).await;
                    continue;
                }
            };
            {
                let mut next_at = next_at.lock().await;
                sleep_until(*next_at).await;
                let size = entry.body().len() as f64;
                *next_at = Instant::now() + Duration::from_secs_f64(size / f64::from(self.drain_rate.max(1)));
            }
            self.publish(entry).await;
        }
    }

    async fn publish(&self, entry: SpoolEntry) {
        loop {
            self.bus.connected().await;
            if self.bus.state() == BusState::Connected {
                let late = IntakeBatch::is_late(entry.id(), self.clock.now());
                let queue = if late { Queue::IntakeBacklog } else { Queue::Intake };
                let publish = self.bus.publish(queue, entry.id(), entry.body().clone());
                match timeout(CONFIRM_TIMEOUT, publish).await {
                    Ok(Ok(())) => {
                        entry.ack();
                        self.metrics.drained.inc();
                        return;
                    }
                    Ok(Err(error)) => tracing::debug!(%error, "draining goes on later"),
                    Err(_) => tracing::debug!("draining goes on later: no confirm"),
                }
            }
            sleep(PAUSE).await;
        }
    }
}
