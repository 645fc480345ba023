//! Consuming from a log.

use super::Inner;
use crate::bus::{BusError, Queue};
use crate::delivery::{Delivery, Message, Settle};
use crate::log::Lease;
use crate::metrics::add;
use async_trait::async_trait;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::task_tracker::TaskTrackerToken;

/// Records and bytes taken from the log at once.
const BATCH: (usize, usize) = (64, 1024 * 1024);
/// How long to rest when the disk cannot be read.
const READ_PAUSE: Duration = Duration::from_secs(1);

/// Takes messages from one queue's log.
pub(crate) struct Consumer {
    inner: Arc<Inner>,
    queue: Queue,
    /// As many as messages may be unsettled; each lease that was taken holds one.
    permits: Arc<Semaphore>,
    taken: VecDeque<(Lease, OwnedSemaphorePermit)>,
    /// Cancelled when this consumer is dropped.
    stopped: CancellationToken,
    _stop: DropGuard,
}

impl std::fmt::Debug for Consumer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Consumer").field("queue", &self.queue).finish_non_exhaustive()
    }
}

impl Consumer {
    pub(super) fn new(inner: Arc<Inner>, queue: Queue, prefetch: u16) -> Self {
        let stopped = inner.closing.child_token();
        let permits = Arc::new(Semaphore::new(usize::from(prefetch.max(1))));
        let _stop = stopped.clone().drop_guard();
        Self { inner, queue, permits, taken: VecDeque::new(), stopped, _stop }
    }

    /// See [`crate::Consumer::next`].
    pub(crate) async fn next(&mut self) -> Option<Delivery> {
        let stopped = self.stopped.clone();
        loop {
            if stopped.is_cancelled() {
                self.taken.clear();
                return None;
            }
            if let Some((lease, permit)) = self.taken.pop_front() {
                return Some(self.deliver(lease, permit));
            }
            tokio::select! {
                () = stopped.cancelled() => {}
                () = self.take() => {}
            }
        }
    }

    /// Takes what fits under the prefetch; waits for room and for messages. May come back with nothing.
    async fn take(&mut self) {
        let Ok(first) = Arc::clone(&self.permits).acquire_owned().await else { return };
        let mut permits = vec![first];
        while permits.len() < BATCH.0
            && let Ok(more) = Arc::clone(&self.permits).try_acquire_owned()
        {
            permits.push(more);
        }
        let log = Arc::clone(&self.inner.queue(self.queue).live);
        let readable = log.readable().notified();
        tokio::pin!(readable);
        readable.as_mut().enable();
        let (count, from) = (permits.len(), Arc::clone(&log));
        // When this future is dropped the leases go back by being dropped with the task's result.
        let lent = tokio::task::spawn_blocking(move || from.lend(count, BATCH.1)).await;
        match lent {
            Ok(Ok(leases)) if leases.is_empty() => readable.await,
            Ok(Ok(leases)) => self.taken.extend(leases.into_iter().zip(permits)),
            Ok(Err(error)) => {
                tracing::error!(queue = self.queue.name(), %error, "bus: cannot read the log");
                tokio::time::sleep(READ_PAUSE).await;
            }
            Err(_) => {}
        }
    }

    fn deliver(&self, lease: Lease, permit: OwnedSemaphorePermit) -> Delivery {
        lease.count_delivery();
        let attempt = lease.delivered;
        self.inner.counters.count_delivery(attempt > 0);
        let message = Message { id: lease.id, body: lease.body.clone(), redelivered: attempt > 0, attempt };
        let held = Held { lease, permit, out: self.inner.out.token() };
        let (inner, stopped) = (Arc::clone(&self.inner), self.stopped.clone());
        Delivery::new(message, Box::new(Unsettled { inner, queue: self.queue, held, stopped }))
    }
}

/// What a delivery holds until it is settled.
struct Held {
    lease: Lease,
    permit: OwnedSemaphorePermit,
    out: TaskTrackerToken,
}

struct Unsettled {
    inner: Arc<Inner>,
    queue: Queue,
    held: Held,
    stopped: CancellationToken,
}

#[async_trait]
impl Settle for Unsettled {
    async fn ack(self: Box<Self>) -> Result<(), BusError> {
        self.held.lease.ack();
        add(&self.inner.counters.acked);
        Ok(())
    }

    async fn reject(self: Box<Self>, reason: &str) -> Result<(), BusError> {
        let dead = &self.inner.queue(self.queue).dead;
        dead.add(self.inner.config.now_ms(), &self.held.lease, reason).await?;
        // Only now: a crash in between leaves it in both, never in neither.
        self.held.lease.ack();
        add(&self.inner.counters.dead);
        Ok(())
    }

    fn give_back(self: Box<Self>) {
        let Self { inner, held, stopped, .. } = *self;
        let runtime = tokio::runtime::Handle::try_current();
        let (Ok(runtime), false) = (runtime, stopped.is_cancelled()) else { return };
        let pause = inner.config.retry_pause.after(held.lease.delivered);
        runtime.spawn(async move {
            // Not run out by a consumer that is gone: somebody else may take it at once.
            let _ = tokio::time::timeout(pause, stopped.cancelled()).await;
            let Held { lease, permit, out } = held;
            drop((lease, permit, out));
        });
    }
}
