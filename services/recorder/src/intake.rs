//! Which deliveries come next: fresh ones first, the backlog in what time they leave, but never less than its share.

use crate::aside::Aside;
use bugle_bus::{Bus, BusError, Consumer, Delivery, Queue};
use bugle_model::{Clock, IntakeBatch};
use futures_util::FutureExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::Sender;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// While there is live traffic, one transaction in this many is the backlog's.
const BACKLOG_SHARE: u32 = 4;
/// What goes into one transaction, in compressed bytes: a few hundred events. More would save little time and cost
/// memory, three times over.
const WANTED_BYTES: usize = 256 * 1024;

/// For so long late deliveries are moved aside before anything of the backlog is taken.
const ASIDE_FIRST: Duration = Duration::from_secs(1);
/// Batches under way: one is written while the next is prepared. A third would only wait, and what is taken last is
/// freshest.
const UNDER_WAY: usize = 2;

/// Deliveries that are recorded together.
pub(crate) struct Taken {
    pub deliveries: Vec<Delivery>,
    /// Held until they are written.
    pub turn: OwnedSemaphorePermit,
}

struct Intake<'a> {
    live: Consumer,
    backlog: Consumer,
    clock: Arc<dyn Clock>,
    aside: &'a mut Aside,
    since_backlog: u32,
    most: usize,
    turns: Arc<Semaphore>,
}

/// Takes deliveries until it is stopped. Waits while enough is under way.
///
/// # Errors
/// When the bus is closed.
pub(crate) async fn run(
    bus: Arc<dyn Bus>,
    most: usize,
    clock: Arc<dyn Clock>,
    aside: &mut Aside,
    taken: Sender<Taken>,
    stop: CancellationToken,
) -> Result<(), BusError> {
    let live = bus.consume(Queue::Intake, prefetch(most)).await?;
    let backlog = bus.consume(Queue::IntakeBacklog, prefetch(most)).await?;
    let turns = Arc::new(Semaphore::new(UNDER_WAY));
    let mut intake = Intake { live, backlog, clock, aside, since_backlog: 0, most: most.max(1), turns };
    let taking = async {
        loop {
            let Some(turn) = intake.turn().await else { return };
            let Some(deliveries) = intake.next().await else { return };
            if taken.send(Taken { deliveries, turn }).await.is_err() {
                return;
            }
        }
    };
    stop.run_until_cancelled(taking).await;
    Ok(())
}

/// So many for each batch under way, and the next. Deliveries are small when there are few events a second: with too few of them
/// at once, transactions stay small as well, and those cost nearly the same whatever is in them.
pub(crate) fn prefetch(most: usize) -> u16 {
    u16::try_from(most.max(1) * (UNDER_WAY + 1)).unwrap_or(u16::MAX)
}

impl Intake<'_> {
    /// Waits until a batch may be taken.
    async fn turn(&mut self) -> Option<OwnedSemaphorePermit> {
        self.aside.until(Arc::clone(&self.turns).acquire_owned()).await.ok()
    }

    /// The next deliveries; `None` when the bus is closed.
    async fn next(&mut self) -> Option<Vec<Delivery>> {
        let mut aside_since = None;
        loop {
            let (first, from_backlog) = self.first(aside_since).await?;
            if !from_backlog && self.steps_aside(&first) {
                aside_since.get_or_insert_with(Instant::now);
                self.aside.step(first);
                continue;
            }
            self.since_backlog = if from_backlog { 0 } else { self.since_backlog + 1 };
            let mut bytes = first.body().len();
            let mut deliveries = vec![first];
            while bytes < WANTED_BYTES && deliveries.len() < self.most {
                let queue = if from_backlog { &mut self.backlog } else { &mut self.live };
                let Some(Some(delivery)) = queue.next().now_or_never() else { break };
                if !from_backlog && self.steps_aside(&delivery) {
                    self.aside.step(delivery);
                    continue;
                }
                bytes += delivery.body().len();
                deliveries.push(delivery);
            }
            return Some(deliveries);
        }
    }

    /// Waits for a delivery, and says whether it is the backlog's. While late ones step aside, what is behind them comes first;
    /// for a while only, or nothing would be recorded as long as they are more than can be moved.
    async fn first(&mut self, aside_since: Option<Instant>) -> Option<(Delivery, bool)> {
        let too_long = aside_since.is_some_and(|since| since.elapsed() > ASIDE_FIRST);
        if too_long || self.since_backlog >= BACKLOG_SHARE {
            self.since_backlog = 0;
            if let Some(Some(delivery)) = self.backlog.next().now_or_never() {
                return Some((delivery, true));
            }
        }
        if aside_since.is_some() && !too_long {
            tokio::select! {
                biased;
                delivery = self.live.next() => return Some((delivery?, false)),
                () = self.aside.moved() => {}
            }
        }
        tokio::select! {
            biased;
            delivery = self.live.next() => Some((delivery?, false)),
            delivery = self.backlog.next() => Some((delivery?, true)),
        }
    }

    fn steps_aside(&self, delivery: &Delivery) -> bool {
        IntakeBatch::is_late(delivery.id(), self.clock.now())
    }
}
