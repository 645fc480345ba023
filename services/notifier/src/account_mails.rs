//! Mails about accounts, again until they are sent or of no use any more. Few: one after the other.

use crate::channels::Email;
use crate::outcome::{Outcome, Verdict};
use crate::policy::Policy;
use bugle_model::Clock;
use bugle_runtime::Shutdown;
use bugle_store::account_mails::{self, Due, Kind, MAX_ABOUT, NewMail};
use bugle_store::{Connection, Store, StoreError};
use chrono::{DateTime, TimeDelta, Utc};
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// How often it looks for what is due.
const POLL: Duration = Duration::from_secs(2);
/// A crash in the middle is made good after this long.
const LEASE: TimeDelta = TimeDelta::minutes(5);

/// Puts a line about somebody's shifts on its way, cut to what fits. Belongs into the transaction that notes that it was told.
pub(crate) async fn tell_of_shifts(
    connection: &mut Connection,
    recipient: &str,
    text: &str,
    link: &str,
    expires_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let about: String = text.chars().take(MAX_ABOUT).collect();
    let mail = NewMail { kind: Kind::Schedule, recipient, about: &about, link, expires_at };
    account_mails::add(connection, &mail, Uuid::now_v7(), now).await
}

/// Sends them.
pub struct AccountMails {
    store: Store,
    clock: Arc<dyn Clock>,
    email: Email,
    policy: Policy,
    rng: StdRng,
}

impl AccountMails {
    /// Has not looked yet.
    #[must_use]
    pub fn new(store: Store, clock: Arc<dyn Clock>, email: Email, seed: u64) -> Self {
        Self { store, clock, email, policy: Policy::default(), rng: StdRng::seed_from_u64(seed) }
    }

    /// Sends everything that is due. How many were tried.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn run_once(&mut self) -> Result<usize, StoreError> {
        let mut tried = 0;
        loop {
            let now = self.clock.now();
            let mut connection = self.store.conn().await?;
            let due = account_mails::claim(&mut connection, now, now + LEASE, 1).await?;
            drop(connection);
            let Some(mail) = due.into_iter().next() else { return Ok(tried) };
            let outcome = self.email.send_account(&mail, now).await;
            self.record(&mail, outcome).await?;
            tried += 1;
        }
    }

    async fn record(&mut self, mail: &Due, outcome: Outcome) -> Result<(), StoreError> {
        let mut connection = self.store.conn().await?;
        match outcome.verdict {
            Verdict::Accepted { .. } | Verdict::Moot { .. } => {
                tracing::info!(mail = mail.id, kind = mail.kind.as_str(), "a mail about an account was sent");
                account_mails::done(&mut connection, mail.id).await
            }
            Verdict::Failed { error, .. } => {
                tracing::warn!(
                    mail = mail.id,
                    kind = mail.kind.as_str(),
                    error,
                    "a mail about an account cannot be sent"
                );
                account_mails::done(&mut connection, mail.id).await
            }
            Verdict::Again { error, .. } => {
                tracing::warn!(
                    mail = mail.id,
                    kind = mail.kind.as_str(),
                    error,
                    "a mail about an account has to wait"
                );
                let until = self.clock.now() + self.policy.pause(mail.attempts, &mut self.rng);
                account_mails::put_off(&mut connection, mail.id, until).await
            }
        }
    }

    /// Sends until the soft stop.
    pub async fn run(mut self, shutdown: Shutdown) {
        while !shutdown.soft.is_cancelled() {
            if let Err(error) = self.run_once().await {
                tracing::debug!(%error, "cannot look for mails about accounts");
            }
            tokio::select! {
                () = tokio::time::sleep(POLL) => {}
                () = shutdown.soft.cancelled() => {}
            }
        }
    }
}
