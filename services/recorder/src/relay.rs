//! From the outbox to the bus: what the recorder has committed at once, and by a sweep what others have written and what a
//! crash left behind. Neither waits for the other.

use bugle_bus::Bus;
use bugle_model::Clock;
use bugle_store::outbox::{self, OutboxRow};
use bugle_store::{Store, StoreError};
use chrono::TimeDelta;
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;

const SWEEP: Duration = Duration::from_millis(500);
/// What is younger is most likely on its way through the channel.
const LEFT_BEHIND: TimeDelta = TimeDelta::seconds(3);
const AT_ONCE: usize = 64;

/// Runs until nothing more is committed, so that a stop leaves no signal behind; what the bus does not take then stays
/// in the outbox.
pub(crate) async fn run(
    committed: Receiver<Vec<OutboxRow>>,
    store: Store,
    bus: Arc<dyn Bus>,
    clock: Arc<dyn Clock>,
) {
    let done = CancellationToken::new();
    let forwarding = async {
        forward_all(committed, &store, &bus).await;
        done.cancel();
    };
    tokio::join!(forwarding, done.run_until_cancelled(sweep(&store, &bus, &clock)));
}

async fn forward_all(mut committed: Receiver<Vec<OutboxRow>>, store: &Store, bus: &Arc<dyn Bus>) {
    let mut batches = Vec::new();
    while committed.recv_many(&mut batches, AT_ONCE).await > 0 {
        let rows: Vec<OutboxRow> = batches.drain(..).flatten().collect();
        if let Err(error) = forward(&rows, store, bus).await {
            tracing::debug!(%error, "signals stay in the outbox for the sweep");
        }
    }
}

async fn sweep(store: &Store, bus: &Arc<dyn Bus>, clock: &Arc<dyn Clock>) {
    let mut tick = tokio::time::interval(SWEEP);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let before = clock.now() - LEFT_BEHIND;
        let publish = |rows: Vec<OutboxRow>| publish(rows, Arc::clone(bus));
        if let Err(error) = outbox::sweep(store, before, publish).await
            && !error.is_away()
        {
            tracing::warn!(%error, "cannot sweep the outbox");
        }
    }
}

async fn forward(rows: &[OutboxRow], store: &Store, bus: &Arc<dyn Bus>) -> Result<(), StoreError> {
    let confirmed = publish(rows.to_vec(), Arc::clone(bus)).await;
    if !confirmed.is_empty() {
        outbox::confirm(&mut *store.conn().await?, &confirmed).await?;
    }
    Ok(())
}

/// Publishes all at once, and returns the ids of those that were confirmed.
async fn publish(rows: Vec<OutboxRow>, bus: Arc<dyn Bus>) -> Vec<i64> {
    let sending = rows.into_iter().map(|row| {
        let bus = Arc::clone(&bus);
        async move {
            match bus.publish_signal(&row.routing_key, row.message_id, row.body.into()).await {
                Ok(()) => Some(row.id),
                Err(error) => {
                    tracing::debug!(%error, routing_key = row.routing_key, "a signal was not taken");
                    None
                }
            }
        }
    });
    join_all(sending).await.into_iter().flatten().collect()
}
