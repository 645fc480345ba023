//! What a bus needs to know.

use bugle_model::Clock;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use url::Url;

/// A setting that cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The broker's URL.
    #[error("the AMQP URL: {0}")]
    Url(String),
    /// The file with the broker's certificate authority.
    #[error("the broker's certificate authority {path}: {error}")]
    CaFile {
        /// Where it was looked for.
        path: PathBuf,
        /// What went wrong.
        error: std::io::Error,
    },
}

/// How long a message rests before it is delivered again: doubled with each attempt, and spread by up to a half.
#[derive(Debug, Clone, Copy)]
pub struct RetryPause {
    /// The first pause. Default 200 ms.
    pub first: Duration,
    /// The longest. Default 30 s.
    pub longest: Duration,
}

impl Default for RetryPause {
    fn default() -> Self {
        Self { first: Duration::from_millis(200), longest: Duration::from_secs(30) }
    }
}

impl RetryPause {
    /// The pause after a message was delivered and `attempt` times before.
    #[must_use]
    pub(crate) fn after(&self, attempt: u32) -> Duration {
        let doubled = self.first.saturating_mul(2_u32.saturating_pow(attempt.min(20)));
        let pause = doubled.min(self.longest);
        pause.mul_f64(1.0 - rand::random::<f64>() / 2.0)
    }
}

/// Settings of a bus.
#[derive(Clone)]
pub struct BusConfig {
    /// `amqp://` or `amqps://` with user, host and virtual host. Absent: the embedded bus.
    pub amqp_url: Option<Url>,
    /// Certificate authorities for `amqps`, PEM. Absent: those that Mozilla trusts.
    pub amqp_ca_file: Option<PathBuf>,
    /// The data folder; the embedded bus lives in `bus/` below it.
    pub data_dir: PathBuf,
    /// Put before every queue and exchange name at the broker. Default: nothing.
    pub prefix: String,
    /// What the broker's operator sees as the connection's name. Default `bugle`.
    pub connection_name: String,
    /// How long a publish waits for the broker's confirm. Default 200 ms.
    pub confirm_timeout: Duration,
    /// How long a message rests before it is delivered again.
    pub retry_pause: RetryPause,
    /// Where the time of day comes from.
    pub clock: Arc<dyn Clock>,
}

impl BusConfig {
    /// The defaults.
    #[must_use]
    pub fn new(data_dir: PathBuf, clock: Arc<dyn Clock>) -> Self {
        Self {
            amqp_url: None,
            amqp_ca_file: None,
            data_dir,
            prefix: String::new(),
            connection_name: "bugle".to_owned(),
            confirm_timeout: Duration::from_millis(200),
            retry_pause: RetryPause::default(),
            clock,
        }
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.clock.now().timestamp_millis()
    }
}
