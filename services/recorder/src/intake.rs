//! Which deliveries come next: fresh ones first, the backlog in what time they leave, but never less than its share.

use crate::meters::Meters;
use bugle_bus::{Bus, BusError, Consumer, Delivery, Queue};
use bugle_model::{Clock, IntakeBatch};
use futures_util::FutureExt;
use std::sync::Arc;
use tokio::sync::mpsc::Sender;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// While there is live traffic, one transaction in this many is the backlog's.
const BACKLOG_SHARE: u32 = 4;
/// What goes into one transaction, in compressed bytes: a few hundred events. More would save little time and cost
/// memory, three times over.
const WANTED_BYTES: usize = 256 * 1024;

/// Deliveries that are recorded together.
pub(crate) struct Taken {
    pub deliveries: Vec<Delivery>,
}

struct Intake {
    bus: Arc<dyn Bus>,
    live: Consumer,
    backlog: Consumer,
    clock: Arc<dyn Clock>,
    aside: JoinSet<()>,
    since_backlog: u32,
    most: usize,
    meters: Meters,
}

/// Takes deliveries until it is stopped. Waits while the stages behind are busy.
///
/// # Errors
/// When the bus is closed.
pub(crate) async fn run(
    bus: Arc<dyn Bus>,
    prefetch: usize,
    clock: Arc<dyn Clock>,
    taken: Sender<Taken>,
    stop: CancellationToken,
    meters: Meters,
) -> Result<(), BusError> {
    // Three batches of deliveries are under way: one in each stage.
    let most = prefetch.max(1);
    let prefetch = u16::try_from(most * 4).unwrap_or(u16::MAX);
    let live = bus.consume(Queue::Intake, prefetch).await?;
    let backlog = bus.consume(Queue::IntakeBacklog, prefetch).await?;
    let mut intake =
        Intake { bus, live, backlog, clock, aside: JoinSet::new(), since_backlog: 0, most, meters };
    loop {
        // Room first, deliveries then: what is taken last is freshest.
        let Some(Ok(room)) = stop.run_until_cancelled(taken.reserve()).await else { break };
        let Some(Some(next)) = stop.run_until_cancelled(intake.next()).await else { break };
        room.send(next);
    }
    intake.aside.abort_all();
    Ok(())
}

impl Intake {
    /// The next deliveries; `None` when the bus is closed.
    async fn next(&mut self) -> Option<Taken> {
        loop {
            while self.aside.try_join_next().is_some() {}
            let (first, from_backlog) = self.first().await?;
            if !from_backlog && self.steps_aside(&first) {
                self.step_aside(first);
                continue;
            }
            self.since_backlog = if from_backlog { 0 } else { self.since_backlog + 1 };
            let mut bytes = first.body().len();
            let mut deliveries = vec![first];
            while bytes < WANTED_BYTES && deliveries.len() < self.most * 8 {
                let queue = if from_backlog { &mut self.backlog } else { &mut self.live };
                let Some(Some(delivery)) = queue.next().now_or_never() else { break };
                if !from_backlog && self.steps_aside(&delivery) {
                    self.step_aside(delivery);
                    continue;
                }
                bytes += delivery.body().len();
                deliveries.push(delivery);
            }
            return Some(Taken { deliveries });
        }
    }

    /// Waits for a delivery, and says whether it is the backlog's.
    async fn first(&mut self) -> Option<(Delivery, bool)> {
        if self.since_backlog >= BACKLOG_SHARE {
            self.since_backlog = 0;
            if let Some(Some(delivery)) = self.backlog.next().now_or_never() {
                return Some((delivery, true));
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

    /// Moves a delivery to the backlog queue: durable there before it is acknowledged here.
    fn step_aside(&mut self, delivery: Delivery) {
        self.meters.stepped_aside.inc();
        let bus = Arc::clone(&self.bus);
        self.aside.spawn(async move {
            match bus.publish(Queue::IntakeBacklog, delivery.id(), delivery.body().clone()).await {
                Ok(()) => drop(delivery.ack().await),
                Err(_) => delivery.retry(),
            }
        });
    }
}
