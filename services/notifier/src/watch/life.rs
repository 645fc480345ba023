//! Shows the other processes that this notifier works.

use super::{Auditor, Pulse};
use bugle_model::Clock;
use bugle_runtime::Shutdown;
use bugle_store::heartbeats::{self, Heartbeat};
use bugle_store::{Store, StoreError, oncall};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

const PERIOD: Duration = Duration::from_secs(10);
/// A database that is away must not hold up the stop: the row is pruned later.
const LEAVING: Duration = Duration::from_secs(1);

/// This notifier's sign of life, with the end of its last round, what is overdue, and when something last went out.
pub(super) struct Life {
    store: Store,
    clock: Arc<dyn Clock>,
    pulse: Pulse,
    auditor: Arc<Auditor>,
    beat: Heartbeat,
}

impl Life {
    pub(super) fn new(store: Store, clock: Arc<dyn Clock>, pulse: Pulse, auditor: Arc<Auditor>) -> Self {
        let now = clock.now();
        let beat = Heartbeat {
            service: "notifier".to_owned(),
            instance: Uuid::now_v7(),
            started_at: now,
            seen_at: now,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            state: json!({}),
        };
        Self { store, clock, pulse, auditor, beat }
    }

    async fn show(&mut self) -> Result<(), StoreError> {
        let overdue = self.auditor.look().await?;
        let mut connection = self.store.conn().await?;
        let last_sent = oncall::last_sent(&mut connection).await?;
        self.beat.state =
            json!({ "last_round": self.pulse.last_round(), "overdue": overdue, "last_sent": last_sent });
        self.beat.seen_at = self.clock.now();
        heartbeats::beat(&mut connection, &self.beat).await
    }

    /// Shows itself until the soft stop.
    pub(super) async fn run(mut self, shutdown: Shutdown) {
        while !shutdown.soft.is_cancelled() {
            if let Err(error) = self.show().await {
                tracing::debug!(%error, "no sign of life could be written");
            }
            tokio::select! {
                () = shutdown.soft.cancelled() => {}
                () = tokio::time::sleep(PERIOD) => {}
            }
        }
        let Self { store, beat, .. } = self;
        let leaving =
            async { heartbeats::leave(&mut *store.conn().await?, &beat.service, beat.instance).await };
        drop(tokio::time::timeout(LEAVING, leaving).await);
    }
}
