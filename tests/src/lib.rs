//! The harness of the end-to-end tests: a whole Bugle, started as its operator starts it, and what surrounds it.

pub mod client;
pub mod corpus;
pub mod sentry_cli;
pub mod servers;
pub mod system;
pub mod webhook;

pub use client::Client;
pub use sentry_cli::SentryCli;
pub use servers::Servers;
pub use system::{System, Topology};

use std::time::{Duration, Instant};

/// Waits until `check` gives a value, looking again every 20 ms.
///
/// # Errors
/// When `limit` passes first; the error says what was waited for.
pub async fn eventually<T, F, Fut>(what: &str, limit: Duration, mut check: F) -> anyhow::Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = anyhow::Result<Option<T>>>,
{
    let start = Instant::now();
    loop {
        if let Some(value) = check().await? {
            return Ok(value);
        }
        anyhow::ensure!(start.elapsed() < limit, "waited {limit:?} in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
