//! Logs: lines for people, or JSON for machines, on standard error.

use crate::Config;
use thiserror::Error;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::{EnvFilter, fmt, prelude::*};

/// Logging that could not be set up.
#[derive(Debug, Error)]
pub enum TelemetryError {
    /// `log_filter` is not a list of directives.
    #[error("log_filter: {0}; expected directives such as `info` or `info,bugle_ingest=debug`")]
    Filter(#[from] ParseError),
    /// There is a global subscriber already.
    #[error("logging is set up already")]
    Twice,
}

/// Installs the process's subscriber. Only the binary calls this.
///
/// # Errors
/// When the filter cannot be read or a subscriber is there already.
pub fn init(config: &Config) -> Result<(), TelemetryError> {
    let filter = EnvFilter::try_new(&config.log_filter)?;
    let registry = tracing_subscriber::registry().with(filter);
    let layer = fmt::layer().with_writer(std::io::stderr);
    let installed = if config.log_json {
        registry.with(layer.json().flatten_event(true)).try_init()
    } else {
        let ansi = std::io::IsTerminal::is_terminal(&std::io::stderr());
        registry.with(layer.with_ansi(ansi)).try_init()
    };
    installed.map_err(|_| TelemetryError::Twice)
}
