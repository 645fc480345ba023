//! The dead man's switch: an address outside is asked for as long as the engine works. Whoever watches it raises the alarm when it falls
//! silent, for whatever reason.

use super::{Auditor, Pulse};
use crate::channels::SetupError;
use crate::client::{self, Timeouts};
use crate::outcome::Verdict;
use bugle_model::Clock;
use bugle_runtime::config::SecretUrl;
use bugle_runtime::{Config, Counter, Metrics, Shutdown};
use chrono::TimeDelta;
use reqwest::Client;
use std::sync::Arc;
use std::time::Duration;

/// The parts of the engine look every second; one that has not ended a round for so long is stuck.
const STUCK: TimeDelta = TimeDelta::seconds(30);
/// The switch that nobody hears is no reason to wait long.
const TIMEOUTS: Timeouts = Timeouts { connect: Duration::from_secs(5), total: Duration::from_secs(10) };

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beat {
    /// All is well, and the address has taken it.
    Sent,
    /// All is well, but the address could not be reached, or refused.
    Failed,
    /// All is not well: the address was not asked for.
    Withheld,
}

/// The switch.
pub struct Heartbeat {
    url: SecretUrl,
    period: Duration,
    client: Client,
    clock: Arc<dyn Clock>,
    pulse: Pulse,
    auditor: Arc<Auditor>,
    counts: [Counter; 3],
}

impl Heartbeat {
    /// `None` when the operator wants none.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn new(
        config: &Config,
        clock: Arc<dyn Clock>,
        pulse: Pulse,
        auditor: Arc<Auditor>,
        metrics: &Metrics,
    ) -> Result<Option<Self>, SetupError> {
        let Some(url) = config.watch.heartbeat_url.clone() else { return Ok(None) };
        let counts = ["sent", "failed", "withheld"].map(|result| {
            let help = "Heartbeats to BUGLE_HEARTBEAT_URL; withheld while the engine does not work.";
            metrics.counter("bugle_heartbeats_total", help, &[("result", result)])
        });
        let period = config.watch.heartbeat_interval;
        // The operator's own address, which may be a private one.
        let client = client::trusted(TIMEOUTS)?;
        Ok(Some(Self { url, period, client, clock, pulse, auditor, counts }))
    }

    /// Looks whether all is well, and says so outside.
    pub async fn run_once(&self) -> Beat {
        let beat = match self.trouble().await {
            Some(trouble) => {
                tracing::error!(trouble, "the heartbeat is withheld");
                Beat::Withheld
            }
            None => self.send().await,
        };
        let [sent, failed, withheld] = &self.counts;
        match beat {
            Beat::Sent => sent.inc(),
            Beat::Failed => failed.inc(),
            Beat::Withheld => withheld.inc(),
        }
        beat
    }

    /// Why the engine does not work.
    async fn trouble(&self) -> Option<String> {
        let overdue = match self.auditor.look().await {
            Ok(overdue) => overdue,
            Err(error) => return Some(error.to_string()),
        };
        let silent = self.clock.now() - self.pulse.last_round();
        if silent > STUCK {
            return Some(format!("the engine has done nothing for {} s", silent.num_seconds()));
        }
        (!overdue.is_nothing()).then(|| format!("overdue: {overdue}"))
    }

    async fn send(&self) -> Beat {
        let request = self.client.get(self.url.reveal().clone());
        match client::send(request, self.clock.now()).await {
            Ok(answer) if answer.status.is_success() => Beat::Sent,
            Ok(answer) => {
                tracing::warn!(status = answer.code(), "the heartbeat was not taken");
                Beat::Failed
            }
            Err(outcome) => {
                if let Verdict::Again { error, .. } | Verdict::Failed { error, .. } = outcome.verdict {
                    tracing::warn!(error, "the heartbeat got no answer");
                }
                Beat::Failed
            }
        }
    }

    /// Beats until the soft stop. Not at once: the engine is to have shown that it works.
    pub async fn run(self, shutdown: Shutdown) {
        loop {
            tokio::select! {
                () = shutdown.soft.cancelled() => return,
                () = tokio::time::sleep(self.period) => {}
            }
            self.run_once().await;
        }
    }
}
