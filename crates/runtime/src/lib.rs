//! What every service needs to run: configuration, telemetry, life cycle, health, metrics, the clock.
//!
//! Nothing here is global: the binary builds each part once and passes it in.

pub mod clock;
pub mod config;
pub mod health;
pub mod metrics;
pub mod shutdown;
pub mod telemetry;

pub use clock::{DatabaseClock, SystemClock};
pub use config::{Config, ConfigErrors, Secret, SecretUrl};
pub use metrics::{Counter, Gauge, Histogram, Metrics};
pub use shutdown::Shutdown;
