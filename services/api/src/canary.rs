//! The canary: Bugle sends itself an error through its own door, and waits for the message about it. Only then somebody outside is told
//! that all is well; else that it is not.
//!
//! The error goes to a project of its own, whose only destination is `/api/v1/canary` here. Its issue is removed at the end of each
//! round. Of several api processes one begins a round, and whichever gets the message writes it down.

use bugle_model::{Clock, ProjectId};
use bugle_runtime::config::{Dsn, SecretUrl};
use bugle_runtime::metrics::LATENCY_BUCKETS;
use bugle_runtime::{Config, Counter, Histogram, Metrics, Shutdown};
use bugle_store::issues::merge;
use bugle_store::{Scope, Store, StoreError, Transactions, canary};
use chrono::TimeDelta;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use url::Url;
use uuid::Uuid;

/// What the issue is called, by which it is found again.
const TITLE: &str = "Bugle canary";
/// How long a request may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How often it is looked whether the message has come.
const LOOK: Duration = Duration::from_millis(250);

/// How a round went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flight {
    /// The message has come, after so long.
    Arrived(TimeDelta),
    /// It has not.
    Failed(String),
    /// Another process has begun a round a short time ago.
    Elsewhere,
}

/// The canary.
pub struct Canary {
    dsn: Dsn,
    url: Option<SecretUrl>,
    interval: Duration,
    deadline: Duration,
    client: Client,
    store: Store,
    clock: Arc<dyn Clock>,
    seconds: Histogram,
    failed: Counter,
}

impl Canary {
    /// `None` when the operator wants none.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new(
        config: &Config,
        store: Store,
        clock: Arc<dyn Clock>,
        metrics: &Metrics,
    ) -> Result<Option<Self>, reqwest::Error> {
        let watch = &config.watch;
        let Some(dsn) = watch.canary_dsn.clone() else { return Ok(None) };
        // The operator's own URLs, private ones included: this client needs no guard.
        let client = Client::builder().redirect(Policy::none()).no_proxy().timeout(TIMEOUT).build()?;
        let help = "From sending the canary's error to the message about it.";
        let seconds = metrics.histogram("bugle_canary_seconds", help, &[], LATENCY_BUCKETS);
        let help = "Errors of the canary that did not come out as a message in time.";
        let failed = metrics.counter("bugle_canary_failed_total", help, &[]);
        Ok(Some(Self {
            dsn,
            url: watch.canary_url.clone(),
            interval: watch.canary_interval,
            deadline: watch.canary_deadline,
            client,
            store,
            clock,
            seconds,
            failed,
        }))
    }

    /// A round, and what is told of it.
    pub async fn run_once(&self) -> Flight {
        let flight = self.fly().await.unwrap_or_else(|error| Flight::Failed(error.to_string()));
        match &flight {
            Flight::Arrived(after) => {
                self.seconds.observe(after.as_seconds_f64());
                self.tell(None).await;
            }
            Flight::Failed(reason) => {
                self.failed.inc();
                tracing::error!(reason, "the canary has failed: errors may not be told to anybody");
                self.tell(Some("fail")).await;
            }
            Flight::Elsewhere => {}
        }
        flight
    }

    async fn fly(&self) -> Result<Flight, StoreError> {
        let (event, sent_at) = (Uuid::new_v4(), self.clock.now());
        let interval = TimeDelta::from_std(self.interval).unwrap_or(TimeDelta::MAX);
        let begun = canary::begin(&mut *self.store.conn().await?, event, interval, sent_at).await?;
        if !begun {
            return Ok(Flight::Elsewhere);
        }
        self.tidy().await;
        let start = Instant::now();
        // As clients do, which a restart of the door does not make fall silent.
        while let Err(problem) = self.send(event).await {
            if start.elapsed() + LOOK >= self.deadline {
                return Ok(Flight::Failed(problem));
            }
            tokio::time::sleep(LOOK).await;
        }
        loop {
            let arrived = canary::arrived_at(&mut *self.store.conn().await?, event).await?;
            if let Some(at) = arrived {
                self.tidy().await;
                return Ok(Flight::Arrived(at - sent_at));
            }
            if start.elapsed() >= self.deadline {
                let seconds = self.deadline.as_secs();
                return Ok(Flight::Failed(format!("no message about its error within {seconds} s")));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn send(&self, event: Uuid) -> Result<(), String> {
        let key = self.dsn.key.reveal();
        let body = json!({
            "event_id": event.simple().to_string(),
            "timestamp": self.clock.now(),
            "platform": "other",
            "level": "error",
            "message": TITLE,
            "fingerprint": [TITLE],
        });
        let request = self
            .client
            .post(self.dsn.endpoint.clone())
            .header("x-sentry-auth", format!("Sentry sentry_version=7, sentry_key={key}"))
            .json(&body);
        succeed(request).await.map_err(|problem| format!("the door {problem}"))
    }

    /// Says outside how it went: by the check's own URL, or by one below it.
    async fn tell(&self, below: Option<&str>) {
        let Some(url) = &self.url else { return };
        let request = self.client.get(with(url.reveal(), below));
        if let Err(problem) = succeed(request).await {
            tracing::warn!("BUGLE_CANARY_URL {problem}");
        }
    }

    /// Removes the issue: each round is to be a new one, and people are not to see any of them.
    async fn tidy(&self) {
        let removing = async {
            let mut connection = self.store.conn().await?;
            for issue in canary::issues(&mut connection, ProjectId(self.dsn.project), TITLE).await? {
                let now = self.clock.now();
                connection
                    .transaction(async |connection| {
                        merge::delete(connection, &Scope::All, issue, None, now).await
                    })
                    .await?;
            }
            Ok::<_, StoreError>(())
        };
        if let Err(error) = removing.await {
            tracing::debug!(%error, "the canary's issue stays until the next round");
        }
    }

    /// Flies until the soft stop.
    pub async fn run(self, shutdown: Shutdown) {
        shutdown.soft.run_until_cancelled(self.keep_flying()).await;
    }

    async fn keep_flying(&self) {
        loop {
            self.run_once().await;
            tokio::time::sleep(self.interval).await;
        }
    }
}

/// Sends a request that has to be answered 2xx. The problem names no URL, which may hold a secret.
async fn succeed(request: RequestBuilder) -> Result<(), String> {
    match request.send().await {
        Ok(answer) if answer.status().is_success() => Ok(()),
        Ok(answer) => Err(format!("answered {}", answer.status().as_u16())),
        Err(error) if error.is_timeout() => Err("did not answer in time".to_owned()),
        Err(_) => Err("could not be reached".to_owned()),
    }
}

fn with(url: &Url, below: Option<&str>) -> Url {
    let mut url = url.clone();
    if let (Some(below), Ok(mut path)) = (below, url.path_segments_mut()) {
        path.pop_if_empty().push(below);
    }
    url
}
