//! Keeps the clock at the database's time.

use bugle_runtime::{DatabaseClock, Shutdown};
use bugle_store::{Store, StoreError, server};
use std::time::{Duration, Instant};

const PERIOD: Duration = Duration::from_secs(5);
/// An answer that took longer tells the time too badly.
const LONGEST_ROUND_TRIP: Duration = Duration::from_secs(1);

/// Asks now and every few seconds, until the hard stop: what drains after the soft one needs the time, too.
pub(super) async fn follow(clock: DatabaseClock, store: Store, shutdown: Shutdown) {
    loop {
        if let Err(error) = ask(&clock, &store).await {
            tracing::debug!(%error, "the clock goes on by itself");
        }
        tokio::select! {
            () = shutdown.hard.cancelled() => return,
            () = tokio::time::sleep(PERIOD) => {}
        }
    }
}

/// Asks once.
pub(super) async fn ask(clock: &DatabaseClock, store: &Store) -> Result<(), StoreError> {
    let mut connection = store.conn().await?;
    let asked = Instant::now();
    let time = server::time(&mut connection).await?;
    let round_trip = asked.elapsed();
    if round_trip <= LONGEST_ROUND_TRIP {
        clock.observe(time, round_trip);
    }
    Ok(())
}
