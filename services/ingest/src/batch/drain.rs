//! Brings what waited in the spool to the bus, oldest first, into a queue of its own and at a bounded rate, so that
//! live traffic never waits behind it.

use super::deliver::Outlet;
use bugle_bus::spool::{Spool, SpoolEntry};
use bugle_bus::{BusState, Queue};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

/// A confirm may take longer than a client would wait: nobody does.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(250);

impl Outlet {
    /// Drains until the stop.
    pub(crate) async fn drain(self: Arc<Self>, stop: CancellationToken) {
        let Some(spool) = self.spool.clone() else { return };
        // Dropping a future in here gives its entry back to the spool.
        stop.run_until_cancelled(self.drain_all(&spool)).await;
    }

    async fn drain_all(&self, spool: &Spool) {
        let mut next_at = Instant::now();
        loop {
            let entry = match spool.next().await {
                Ok(entry) => entry,
                Err(error) => {
                    tracing::error!(%error, "the spool cannot be read");
                    sleep(PAUSE * 20).await;
                    continue;
                }
            };
            sleep_until(next_at).await;
            let size = entry.body().len();
            self.publish(entry).await;
            let cost = Duration::from_secs_f64(size as f64 / f64::from(self.drain_rate.max(1)));
            next_at = Instant::now() + cost;
        }
    }

    async fn publish(&self, entry: SpoolEntry) {
        loop {
            self.bus.connected().await;
            if self.bus.state() == BusState::Connected {
                let publish = self.bus.publish(Queue::IntakeBacklog, entry.id(), entry.body().clone());
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
