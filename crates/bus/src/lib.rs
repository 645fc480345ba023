//! Messages between services, behind one contract with two backends:
//!
//! - *rabbit*: RabbitMQ 3.10 to 4.x over lapin; quorum queues, publisher confirms, own reconnect.
//! - *embedded*: the same semantics in one process, durable on disk, for a machine without a broker.
//!
//! The contract, which `tests/it/contract.rs` holds against both:
//! - [`Bus::publish`] is `Ok` only when the message is on stable storage and in its queue.
//! - Delivery is at least once. A message comes back until it is acked or rejected, however often.
//! - A consumer has at most `prefetch` messages that are not settled.
//! - A rejected message lies in the dead letters of its queue for 7 days, to be looked at, sent again, or discarded.
//! - First-in-first-out is promised to a single consumer with a prefetch of 1, and to nobody else.
//!
//! [`spool::Spool`] is the embedded backend's log by itself: what ingest writes to while the broker is away.
//!
//! Invariant: no other crate knows lapin.

mod bus;
mod config;
mod delivery;
mod embedded;
mod log;
mod metrics;
mod rabbit;
pub mod spool;

pub use bus::{Bus, BusError, BusState, DeadLetter, DeadSelection, Depth, PublishError, Queue};
pub use config::{BusConfig, ConfigError, RetryPause};
pub use delivery::{Consumer, Delivery, Message};
pub use log::{LogError, LogLimits, LogStats};
pub use metrics::BusMetrics;

use std::sync::Arc;

/// How long a dead letter is kept.
pub const DEAD_LETTER_AGE: std::time::Duration = std::time::Duration::from_secs(7 * 24 * 60 * 60);

/// A message's body has at most this many bytes (RabbitMQ 4's limit, applied to both backends).
pub const MAX_MESSAGE_BYTES: usize = 16 * 1024 * 1024;

/// Opens the bus that the configuration asks for: RabbitMQ when there is a URL, else the one on disk.
///
/// With RabbitMQ it returns at once and connects in the background, for ever: look at [`Bus::state`], or wait with
/// [`Bus::connected`]. The embedded bus is open when this returns.
///
/// # Errors
/// When the URL or the certificate file is not usable, or the bus's folder is in use or cannot be read.
pub async fn connect(config: BusConfig) -> Result<Arc<dyn Bus>, BusError> {
    match &config.amqp_url {
        Some(_) => Ok(Arc::new(rabbit::Rabbit::start(config)?)),
        None => Ok(Arc::new(embedded::Embedded::open(config).await?)),
    }
}
