//! Stopping: softly first, then hard.

use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Two tokens that every task gets. After `soft` a service takes nothing new, finishes what it has and
/// returns; after `hard` it returns at once. `hard` implies `soft`.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    /// Finish what is under way.
    pub soft: CancellationToken,
    /// Drop what is under way.
    pub hard: CancellationToken,
}

impl Shutdown {
    /// Tokens that nothing has cancelled yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks everything to finish.
    pub fn stop(&self) {
        self.soft.cancel();
    }

    /// Asks everything to drop what it does.
    pub fn stop_now(&self) {
        self.soft.cancel();
        self.hard.cancel();
    }

    /// Follows the process's signals until the hard stop: the first SIGINT or SIGTERM stops softly, a second
    /// one, or `deadline` after the soft stop, hard.
    ///
    /// # Errors
    /// When the signal handlers cannot be installed.
    pub fn follow_signals(&self, deadline: Duration) -> std::io::Result<()> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let shutdown = self.clone();
        tokio::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => tracing::info!(signal = "SIGINT", "stopping"),
                _ = terminate.recv() => tracing::info!(signal = "SIGTERM", "stopping"),
                () = shutdown.soft.cancelled() => {}
            }
            shutdown.stop();
            tokio::select! {
                _ = interrupt.recv() => tracing::warn!("second signal, stopping hard"),
                _ = terminate.recv() => tracing::warn!("second signal, stopping hard"),
                () = tokio::time::sleep(deadline) => tracing::warn!(?deadline, "not done in time, stopping hard"),
                () = shutdown.hard.cancelled() => {}
            }
            shutdown.stop_now();
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_soft_stop_turns_hard_at_its_deadline() {
        let shutdown = Shutdown::new();
        shutdown.follow_signals(Duration::from_millis(10)).unwrap();
        assert!(!shutdown.soft.is_cancelled());
        shutdown.stop();
        shutdown.hard.cancelled().await;
        assert!(shutdown.soft.is_cancelled());
    }
}
