//! Group commit: requests that come at the same time share one message and one confirm.
//!
//! A batch leaves at once when none is on its way. While some are, it gathers for a few milliseconds, or until it
//! is large; so the load makes the batches, and nobody waits for nothing.

mod deliver;
mod drain;
mod seal;

pub(crate) use deliver::Outlet;

use bugle_model::{IntakeBatch, RawItem};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use thiserror::Error;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// A batch is closed at this size (bytes, not compressed). With an item of the largest size it stays under 4 MiB.
const CLOSE_AT: usize = 2 * 1024 * 1024;
/// With others on their way, a batch of this size leaves without waiting.
const LEAVE_AT: usize = 192 * 1024;
/// With others on their way, a batch gathers for this long at most.
const LINGER: Duration = Duration::from_millis(3);
/// Batches on their way at the same time.
const MAX_FLIGHTS: usize = 8;

/// Why items could not be made durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum NotDurable {
    /// Less free space than is to be kept.
    #[error("the disk is nearly full")]
    DiskFull,
    /// Neither bus nor spool took it.
    #[error("neither the broker nor the disk took it")]
    Failed,
    /// The process stops.
    #[error("stopping")]
    Stopping,
}

/// Items on their way together.
#[derive(Debug)]
struct Batch {
    frames: Vec<u8>,
    /// Where each item ends.
    ends: Vec<usize>,
    waiting: Vec<oneshot::Sender<Result<(), NotDurable>>>,
    since: Instant,
}

#[derive(Debug, Default)]
struct State {
    open: Option<Batch>,
    full: VecDeque<Batch>,
    is_closed: bool,
}

/// Takes items in and answers when they are durable.
pub(crate) struct Batcher {
    state: Mutex<State>,
    wake: Notify,
    outlet: Arc<Outlet>,
}

impl Batcher {
    pub(crate) fn new(outlet: Arc<Outlet>) -> Self {
        Self { state: Mutex::default(), wake: Notify::new(), outlet }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes items durable. They are in one batch, so they are in together or not at all.
    pub(crate) async fn accept(&self, items: &[RawItem]) -> Result<(), NotDurable> {
        let (sender, answer) = oneshot::channel();
        {
            let mut state = self.state();
            if state.is_closed {
                return Err(NotDurable::Stopping);
            }
            let batch = state.open.get_or_insert_with(Batch::new);
            batch.push(items, sender)?;
            if batch.frames.len() >= CLOSE_AT {
                let full = state.open.take();
                state.full.extend(full);
            }
        }
        self.wake.notify_one();
        answer.await.unwrap_or(Err(NotDurable::Failed))
    }

    /// Sends batches on their way until the stop; then until all are answered.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut flights = JoinSet::new();
        loop {
            while flights.len() < MAX_FLIGHTS
                && let Some(batch) = self.next(flights.is_empty())
            {
                flights.spawn(Arc::clone(&self.outlet).deliver(batch));
            }
            let due = self.due();
            tokio::select! {
                () = self.wake.notified() => {}
                Some(_) = flights.join_next(), if !flights.is_empty() => {}
                () = async { sleep_until(due.unwrap_or_else(Instant::now)).await },
                    if due.is_some() && flights.len() < MAX_FLIGHTS => {}
                () = stop.cancelled(), if flights.is_empty() => {
                    if self.close_when_empty() {
                        return;
                    }
                }
            }
        }
    }

    /// The next batch that may leave.
    fn next(&self, none_on_the_way: bool) -> Option<Batch> {
        let mut state = self.state();
        if let Some(full) = state.full.pop_front() {
            return Some(full);
        }
        state.open.take_if(|batch| {
            none_on_the_way || batch.frames.len() >= LEAVE_AT || batch.since.elapsed() >= LINGER
        })
    }

    fn due(&self) -> Option<Instant> {
        self.state().open.as_ref().map(|batch| batch.since + LINGER)
    }

    fn close_when_empty(&self) -> bool {
        let mut state = self.state();
        state.is_closed = state.open.is_none() && state.full.is_empty();
        state.is_closed
    }
}

impl Batch {
    fn new() -> Self {
        Self { frames: Vec::new(), ends: Vec::new(), waiting: Vec::new(), since: Instant::now() }
    }

    fn push(
        &mut self,
        items: &[RawItem],
        waiting: oneshot::Sender<Result<(), NotDurable>>,
    ) -> Result<(), NotDurable> {
        let (frames, ends) = (self.frames.len(), self.ends.len());
        for item in items {
            if let Err(error) = IntakeBatch::push(&mut self.frames, item) {
                tracing::error!(%error, "an item cannot be framed");
                self.frames.truncate(frames);
                self.ends.truncate(ends);
                return Err(NotDurable::Failed);
            }
            self.ends.push(self.frames.len());
        }
        self.waiting.push(waiting);
        Ok(())
    }
}
