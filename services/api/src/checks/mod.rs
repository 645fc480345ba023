//! What `/health/` looks at: the database, the broker, the disk, the memory, and whether on-call works, and what the operator added.

mod host;
mod on_call;
mod probe;

pub use host::{disk, memory};
pub use on_call::OnCall;
pub use probe::probes;

use bugle_bus::{Bus, BusState};
use bugle_runtime::health::{Check, CheckResult, check};
use bugle_store::Store;
use std::sync::Arc;

/// Whether PostgreSQL answers.
#[must_use]
pub fn database(name: &str, store: Store) -> Arc<dyn Check> {
    check(name, move || {
        let store = store.clone();
        async move {
            match store.check().await {
                Ok(()) => CheckResult::healthy("the database answers"),
                Err(error) => {
                    // The library's text may hold the host's name and the user's.
                    tracing::warn!(%error, "the database does not answer");
                    CheckResult::unhealthy("the database does not answer")
                }
            }
        }
    })
}

/// Whether the bus takes messages.
#[must_use]
pub fn broker(bus: Arc<dyn Bus>) -> Arc<dyn Check> {
    check("broker", move || {
        let state = bus.state();
        async move {
            match state {
                BusState::Connected => CheckResult::healthy("the broker takes messages"),
                BusState::Blocked => CheckResult::unhealthy(
                    "the broker is short of memory or disk; messages wait in the spool",
                ),
                BusState::Away => CheckResult::unhealthy("the broker is away; messages wait in the spool"),
            }
        }
    })
}
