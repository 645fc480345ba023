//! Messages at Slack that say how their incident stands: changed in place when it changes, whoever changed it and wherever.
//!
//! What is to be changed is in the rows, as all waiting: any number of these may run, and a crash loses nothing.

use crate::channels::{SetupError, slack};
use crate::client::{self, Timeouts};
use crate::content::Links;
use crate::every::every;
use crate::outcome::{Outcome, Verdict};
use bugle_model::Clock;
use bugle_runtime::{Config, Shutdown};
use bugle_store::oncall::{self, StaleMessage};
use bugle_store::{Scope, Store, StoreError, destinations};
use chrono::TimeDelta;
use reqwest::Client;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// How often it looks for what has changed.
const POLL: Duration = Duration::from_secs(1);
/// A crash in the middle is made good after this long.
const LEASE: TimeDelta = TimeDelta::minutes(1);
/// Messages that are taken together.
const BATCH: i64 = 20;
/// The first pause before it is tried again; doubled each time.
const PAUSE: TimeDelta = TimeDelta::seconds(5);
/// After so many tries a message stays as it is.
const MAX_ATTEMPTS: i32 = 8;

/// Changes them.
pub struct Updates {
    store: Store,
    clock: Arc<dyn Clock>,
    client: Client,
    slack: Url,
    links: Links,
}

impl Updates {
    /// Has not looked yet.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        config: &Config,
        timeouts: Timeouts,
    ) -> Result<Self, SetupError> {
        let client = client::trusted(timeouts)?;
        let links = Links::new(config.public_url.clone());
        Ok(Self { store, clock, client, slack: config.slack_base_url.clone(), links })
    }

    /// Changes everything that has to be. How many were tried.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn run_once(&self) -> Result<usize, StoreError> {
        let mut tried = 0;
        loop {
            let now = self.clock.now();
            let mut conn = self.store.conn().await?;
            let stale = oncall::claim_stale_messages(&mut conn, now, now + LEASE, BATCH).await?;
            drop(conn);
            if stale.is_empty() {
                return Ok(tried);
            }
            for message in stale {
                self.change(&message).await?;
                tried += 1;
            }
        }
    }

    async fn change(&self, stale: &StaleMessage) -> Result<(), StoreError> {
        let mut conn = self.store.conn().await?;
        let incident = oncall::get_incident(&mut conn, &Scope::All, stale.incident).await?;
        let last = oncall::last_event(&mut conn, stale.incident).await?;
        let destination = destinations::get(&mut conn, stale.destination).await?;
        let token = destination.and_then(|one| one.settings.bot_token);
        let place = stale.provider_id.as_deref().and_then(|id| id.split_once('/'));
        let (Some(incident), Some(token), Some((channel, ts))) = (incident, token, place) else {
            return oncall::forget_message(&mut conn, stale.notification).await;
        };
        // Not held while Slack is waited for.
        drop(conn);
        let message = slack::standing(&incident, last.as_ref(), &self.links);
        let request = self.client.post(slack::method(&self.slack, "chat.update")).bearer_auth(token);
        let outcome = slack::update(request, (channel, ts), message, self.clock.now()).await;
        self.record(stale, &incident, outcome).await
    }

    async fn record(
        &self,
        stale: &StaleMessage,
        incident: &oncall::Incident,
        outcome: Outcome,
    ) -> Result<(), StoreError> {
        let (notification, now) = (stale.notification, self.clock.now());
        let mut conn = self.store.conn().await?;
        match outcome.verdict {
            Verdict::Accepted { .. } | Verdict::Moot { .. } => {
                let shown = (incident.state, incident.generation);
                oncall::show_message(&mut conn, notification, shown, now).await
            }
            Verdict::Again { error, after, .. } if stale.attempts < MAX_ATTEMPTS => {
                tracing::info!(%notification, error, "a message does not show yet how its incident stands");
                let pause = PAUSE * 2_i32.saturating_pow(stale.attempts.unsigned_abs().saturating_sub(1));
                let after = after.and_then(|after| TimeDelta::from_std(after).ok()).unwrap_or_default();
                oncall::put_off_message(&mut conn, notification, now + pause.max(after)).await
            }
            Verdict::Again { error, .. } | Verdict::Failed { error, .. } => {
                tracing::warn!(%notification, error, "a message stays as it is: it cannot be changed");
                oncall::forget_message(&mut conn, notification).await
            }
        }
    }

    /// Works until the soft stop.
    pub async fn run(self, shutdown: Shutdown) {
        every(POLL, &shutdown, "messages to be changed", || self.run_once()).await;
    }
}
