//! One attempt: send, judge, record.

use super::Inner;
use crate::answers;
use crate::channels::Prepared;
use crate::outcome::{Blame, Outcome, Verdict};
use bugle_model::{Channel, SignalKind};
use bugle_store::destinations::Destination;
use bugle_store::notifications::{AttemptResult, Claimed, Effect, LOST, Next, Record};
use bugle_store::oncall;
use bugle_store::web_push::push_keys;
use chrono::{DateTime, TimeDelta, Utc};
use rand::Rng;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// The pause before recording is tried again while the database is away.
const RECORD_PAUSE: Duration = Duration::from_millis(500);

/// A claimed notification on its way.
pub(super) struct Attempt {
    pub(super) destination: Arc<Destination>,
    pub(super) claimed: Claimed,
    pub(super) leased_by: Uuid,
    pub(super) lease_until: DateTime<Utc>,
}

impl Attempt {
    pub(super) async fn make(self, inner: &Inner) {
        let prepared = self.prepare(inner).await;
        let started_at = inner.clock.now();
        let stopwatch = Instant::now();
        let pause = inner.policy.lookup_pause;
        let sending = inner.channels.send(&self.claimed, &self.destination, &prepared, started_at, pause);
        let outcome =
            tokio::time::timeout(inner.policy.attempt_timeout, sending).await.unwrap_or_else(|_| too_long());
        let duration_ms = i32::try_from(stopwatch.elapsed().as_millis()).unwrap_or(i32::MAX);
        let now = inner.clock.now();
        let (result, next) = self.next(inner, &outcome.verdict, now);
        self.tell(&outcome, &next);
        let record = Record {
            notification: self.claimed.id,
            destination: self.destination.id,
            leased_by: self.leased_by,
            started_at,
            duration_ms,
            now,
            result,
            status: outcome.status,
            effect: effect(inner, &outcome.verdict, now),
            answer: outcome.answer.filter(|text| !text.is_empty()),
            next,
        };
        self.count(inner, &record);
        self.write(inner, &record).await;
    }

    /// Links for a mail that pages somebody, and keys for web push; what of a message with buttons has to be known to change it later. The page
    /// matters more: it goes without links when those cannot be written down.
    async fn prepare(&self, inner: &Inner) -> Prepared {
        if inner.channels.has_buttons(&self.destination) {
            self.note_message(inner).await;
        }
        let (notification, links) = (self.claimed.id, inner.channels.links());
        let mut prepared = Prepared::default();
        match self.destination.channel {
            Channel::Email => {
                let offering = answers::offer(&inner.store, &self.claimed, links, inner.clock.now());
                prepared.offered = offering.await.unwrap_or_else(|error| {
                    tracing::warn!(%notification, %error, "a page goes without links that answer it");
                    answers::Offered::default()
                });
            }
            Channel::WebPush => {
                let reading = async { push_keys(&mut *inner.store.conn().await?).await };
                prepared.keys = reading.await.unwrap_or_else(|error| {
                    tracing::warn!(%notification, %error, "the keys of web push cannot be read");
                    None
                });
            }
            Channel::Slack | Channel::Sms | Channel::Voice | Channel::Webhook => {}
        }
        prepared
    }

    async fn note_message(&self, inner: &Inner) {
        let [only] = self.claimed.parts.as_slice() else { return };
        let Some(open) = only.open else { return };
        let noting = async {
            let mut conn = inner.store.conn().await?;
            oncall::note_message(&mut conn, self.claimed.id, open, inner.clock.now()).await
        };
        if let Err(error) = noting.await {
            tracing::warn!(notification = %self.claimed.id, %error, "a message will not show how its incident stands");
        }
    }

    fn next(&self, inner: &Inner, verdict: &Verdict, now: DateTime<Utc>) -> (AttemptResult, Next) {
        match verdict {
            Verdict::Accepted { provider_id } => {
                (AttemptResult::Delivered, Next::Sent { provider_id: provider_id.clone() })
            }
            Verdict::Failed { error, .. } => (AttemptResult::Failed, Next::Failed { error: error.clone() }),
            Verdict::Moot { reason } => (AttemptResult::Failed, Next::Cancelled { reason: reason.clone() }),
            Verdict::Again { error, after, ambiguous, blame } => {
                let pause = self.pause(inner, *after, *ambiguous, *blame);
                let at = now + pause;
                let attempts = self.claimed.attempt;
                if attempts >= inner.policy.max_attempts {
                    let error = format!("given up after {attempts} attempts: {error}");
                    return (AttemptResult::Failed, Next::Failed { error });
                }
                // A page is made long before it is due: by a digest, in quiet hours.
                if at - self.claimed.created_at.max(self.claimed.received_at) > inner.policy.max_age {
                    let hours = inner.policy.max_age.num_hours();
                    let error = format!("given up after {hours} hours: {error}");
                    return (AttemptResult::Failed, Next::Failed { error });
                }
                (AttemptResult::Retry, Next::Again { at, ambiguous: *ambiguous, error: error.clone() })
            }
        }
    }

    fn pause(&self, inner: &Inner, after: Option<Duration>, ambiguous: bool, blame: Blame) -> TimeDelta {
        let policy = &inner.policy;
        let mut rng = inner.rng.lock().unwrap_or_else(PoisonError::into_inner);
        let mut pause = match after.and_then(|after| TimeDelta::from_std(after).ok()) {
            // Never earlier than asked for; a little later, so that many do not come back at once.
            Some(after) => {
                after + TimeDelta::milliseconds(rng.random_range(0..=after.num_milliseconds() / 10))
            }
            None => policy.pause(self.claimed.attempt, &mut *rng),
        };
        if blame == Blame::Operator {
            pause = pause.max(policy.operator_pause);
        }
        if ambiguous && matches!(self.destination.channel, Channel::Sms | Channel::Voice) {
            pause = pause.max(policy.lookup_pause);
        }
        pause
    }

    /// Once, here: the reasons are the operator's to see, texts and addresses are not.
    fn tell(&self, outcome: &Outcome, next: &Next) {
        let (notification, channel) = (self.claimed.id, self.destination.channel);
        let destination = self.destination.id;
        match (&outcome.verdict, next) {
            (Verdict::Again { error, blame: Blame::Operator, .. }, _) => {
                tracing::error!(%notification, %destination, %channel, error, "notification waits for the operator");
            }
            (_, Next::Failed { error }) => {
                tracing::warn!(%notification, %destination, %channel, error, "notification failed");
            }
            (_, Next::Again { error, .. }) => {
                tracing::info!(%notification, %destination, %channel, error, "notification is tried again");
            }
            (_, Next::Sent { .. } | Next::Cancelled { .. }) => {}
        }
    }

    fn count(&self, inner: &Inner, record: &Record) {
        let channel = self.destination.channel;
        let result = match record.next {
            Next::Sent { .. } => "delivered",
            Next::Again { .. } => "retry",
            Next::Failed { .. } => "failed",
            Next::Cancelled { .. } => "cancelled",
        };
        if let Some(counter) = inner.counts.attempts.get(&(channel, result)) {
            counter.inc();
        }
        let told = matches!(record.next, Next::Sent { .. }) && self.claimed.kind != SignalKind::Test;
        if let Some(latency) = inner.counts.latency.get(&channel).filter(|_| told) {
            for part in &self.claimed.parts {
                latency.observe((record.now - part.received_at).as_seconds_f64());
            }
        }
    }

    /// Until it is written, or the lease is over and the notification another's.
    async fn write(&self, inner: &Inner, what: &Record) {
        loop {
            match inner.ledger.write(&inner.store, what).await {
                Ok(true) => return,
                Ok(false) => {
                    tracing::warn!(notification = %what.notification, "an attempt ended after its lease");
                    return;
                }
                Err(error) if inner.clock.now() >= self.lease_until => {
                    tracing::error!(notification = %what.notification, %error, "an attempt could not be recorded");
                    return;
                }
                Err(error) => {
                    tracing::warn!(notification = %what.notification, %error, "recording an attempt, trying again");
                    tokio::time::sleep(RECORD_PAUSE).await;
                }
            }
        }
    }
}

fn too_long() -> Outcome {
    let error = "took too long".to_owned();
    let answer = Some(format!("{LOST}{error}"));
    let verdict = Verdict::Again { error, after: None, ambiguous: true, blame: Blame::Destination };
    Outcome { verdict, status: None, answer }
}

fn effect(inner: &Inner, verdict: &Verdict, now: DateTime<Utc>) -> Effect {
    let policy = &inner.policy;
    match verdict {
        // Refusing one message is an answer, too.
        Verdict::Accepted { .. } | Verdict::Failed { disable: false, .. } => Effect::Works,
        Verdict::Failed { error, disable: true } => Effect::Disable(error.clone()),
        Verdict::Again { blame: Blame::Destination, after: Some(after), .. } => {
            Effect::Wait(now + TimeDelta::from_std(*after).unwrap_or_default())
        }
        Verdict::Again { blame: Blame::Destination, .. } => Effect::Fails {
            threshold: policy.breaker_failures,
            pause: policy.breaker_pause.as_seconds_f64(),
            max_pause: policy.breaker_max_pause.as_seconds_f64(),
        },
        Verdict::Again { .. } | Verdict::Moot { .. } => Effect::None,
    }
}
