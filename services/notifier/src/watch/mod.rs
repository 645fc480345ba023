//! The engine watched: does what is due happen?
//!
//! [`Auditor`] looks every minute for what is overdue, and has incidents begin that would page nobody for ever. [`Heartbeat`] tells somebody
//! outside that all is well, and falls silent otherwise. A sign of life tells the other processes. Any number of these may run.

mod audit;
mod heartbeat;
mod life;
mod pulse;

pub use audit::Auditor;
pub use heartbeat::{Beat, Heartbeat};
pub use pulse::{Part, Pulse};

use crate::channels::SetupError;
use bugle_model::Clock;
use bugle_runtime::{Config, Metrics, Shutdown};
use bugle_store::Store;
use life::Life;
use std::sync::Arc;
use tokio::sync::Notify;

/// All that watches the engine of this process.
pub struct Watch {
    pulse: Pulse,
    auditor: Arc<Auditor>,
    heartbeat: Option<Heartbeat>,
    life: Life,
}

impl Watch {
    /// `escalator` is told when incidents are armed again.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn new(
        config: &Config,
        store: &Store,
        clock: &Arc<dyn Clock>,
        escalator: &Arc<Notify>,
        metrics: &Metrics,
    ) -> Result<Self, SetupError> {
        let pulse = Pulse::new(clock.now());
        let auditor = Auditor::new(store.clone(), Arc::clone(clock), Arc::clone(escalator), metrics);
        let auditor = Arc::new(auditor);
        let heartbeat =
            Heartbeat::new(config, Arc::clone(clock), pulse.clone(), Arc::clone(&auditor), metrics)?;
        let life = Life::new(store.clone(), Arc::clone(clock), pulse.clone(), Arc::clone(&auditor));
        Ok(Self { pulse, auditor, heartbeat, life })
    }

    /// Where the parts of the engine say that they work.
    #[must_use]
    pub fn pulse(&self) -> Pulse {
        self.pulse.clone()
    }

    /// Watches until the soft stop.
    pub async fn run(self, shutdown: Shutdown) {
        let beating = async {
            if let Some(heartbeat) = self.heartbeat {
                heartbeat.run(shutdown.clone()).await;
            }
        };
        tokio::join!(self.life.run(shutdown.clone()), beating, self.auditor.run(shutdown.clone()));
    }
}
