//! Publishing with confirms.

use super::link::{Endpoint, Gone, Link, LinkState, Session};
use super::topology;
use crate::bus::{BusState, PublishError};
use bytes::Bytes;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Confirmation};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// Publishes in flight, each on a channel of its own.
const IN_FLIGHT: usize = 64;
/// A confirm that is this late means that the broker has stopped confirming: further publishes fail at once.
const STALLED: Duration = Duration::from_secs(1);

/// When a message was first published, milliseconds since 1970.
pub(super) const PUBLISHED_AT: &str = "x-bugle-published-at";

/// Where a message goes.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) exchange: ShortString,
    pub(super) routing_key: ShortString,
}

impl Target {
    /// A queue, through the default exchange.
    pub(super) fn queue(name: ShortString) -> Self {
        Self { exchange: ShortString::default(), routing_key: name }
    }
}

/// A message on its way.
#[derive(Debug, Clone)]
pub(super) struct Outgoing {
    pub(super) target: Target,
    pub(super) id: Uuid,
    pub(super) headers: FieldTable,
    pub(super) body: Bytes,
}

/// Headers with the time of publishing.
pub(super) fn stamped(published_at: i64) -> FieldTable {
    let mut headers = FieldTable::default();
    headers.insert(PUBLISHED_AT.into(), AMQPValue::LongLongInt(published_at));
    headers
}

/// See the module.
///
/// Each publish has a channel for itself while it is in flight. On a shared one lapin takes the delivery tag and queues
/// the frames in two steps, so that two tasks can get each other's confirm; and when one ack covers several messages it
/// may hand a returned message to the wrong one. Either would confirm what was not accepted.
pub(super) struct Publisher {
    link: Link,
    endpoint: Arc<Endpoint>,
    permits: Arc<Semaphore>,
    in_flight: Arc<InFlight>,
    tasks: TaskTracker,
    healing: Arc<AtomicBool>,
}

/// When each publish that has no answer yet was started.
#[derive(Default)]
struct InFlight {
    started: Mutex<BTreeMap<u64, Instant>>,
    next: AtomicU64,
}

impl InFlight {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Instant>> {
        self.started.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(self: &Arc<Self>) -> Started {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.lock().insert(number, Instant::now());
        Started { all: Arc::clone(self), number }
    }

    fn is_stalled(&self, after: Duration) -> bool {
        self.lock().first_key_value().is_some_and(|(_, started)| started.elapsed() > after)
    }
}

struct Started {
    all: Arc<InFlight>,
    number: u64,
}

impl Drop for Started {
    fn drop(&mut self) {
        self.all.lock().remove(&self.number);
    }
}

impl Publisher {
    pub(super) fn new(link: Link, endpoint: Arc<Endpoint>) -> Self {
        Self {
            link,
            endpoint,
            permits: Arc::new(Semaphore::new(IN_FLIGHT)),
            in_flight: Arc::default(),
            tasks: TaskTracker::new(),
            healing: Arc::default(),
        }
    }

    pub(super) fn link(&self) -> &Link {
        &self.link
    }

    pub(super) fn state(&self, confirm_timeout: Duration) -> BusState {
        match &*self.link.state().borrow() {
            LinkState::Away => BusState::Away,
            LinkState::Blocked(_) => BusState::Blocked,
            LinkState::Up(_) if self.in_flight.is_stalled(STALLED.max(confirm_timeout)) => BusState::Away,
            LinkState::Up(_) => BusState::Connected,
        }
    }

    /// Publishes and waits for the confirm, `timeout` at most.
    pub(super) async fn publish(&self, message: Outgoing, timeout: Duration) -> Result<(), PublishError> {
        let mut state = self.link.state();
        let session = match &*state.borrow_and_update() {
            LinkState::Up(session) => Arc::clone(session),
            LinkState::Blocked(_) => return Err(PublishError::Blocked),
            LinkState::Away => return Err(PublishError::Away),
        };
        if self.tasks.is_closed() {
            return Err(PublishError::Closed);
        }
        if self.in_flight.is_stalled(STALLED.max(timeout)) {
            return Err(PublishError::Timeout);
        }
        let work = async {
            let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| PublishError::Closed)?;
            let started = self.in_flight.start();
            // A task, because a publish that nobody waits for any more still needs its channel until the confirm.
            let task = self.tasks.spawn(async move {
                let outcome = session.during(send(&session, &message)).await;
                drop((permit, started));
                outcome.unwrap_or_else(|Gone| Err(PublishError::Lost("before the confirm".to_owned())))
            });
            task.await.map_err(|error| PublishError::Lost(error.to_string()))?
        };
        let outcome = tokio::select! {
            outcome = work => outcome,
            () = tokio::time::sleep(timeout) => Err(PublishError::Timeout),
            Ok(now) = state.wait_for(|now| !matches!(now, LinkState::Up(_))) => Err(match *now {
                LinkState::Blocked(_) => PublishError::Blocked,
                _ => PublishError::Lost("before the confirm".to_owned()),
            }),
        };
        if matches!(outcome, Err(PublishError::Unroutable)) {
            self.heal();
        }
        outcome
    }

    /// Somebody has removed a queue: declares the topology again.
    fn heal(&self) {
        let Some(session) = self.link.state().borrow().session() else { return };
        if self.healing.swap(true, Ordering::AcqRel) {
            return;
        }
        let (endpoint, healing) = (Arc::clone(&self.endpoint), Arc::clone(&self.healing));
        self.tasks.spawn(async move {
            tracing::error!("bus: the broker has no queue for a message; declaring them again");
            let declared = session.during(topology::declare(&session.connection, &endpoint.names)).await;
            if let Ok(Err(error)) = declared {
                tracing::error!(%error, "bus: cannot declare the queues");
            }
            healing.store(false, Ordering::Release);
        });
    }

    /// Refuses further publishes and waits for those in flight, `drain` at most; then closes the connection.
    pub(super) async fn close(&self, drain: Duration) {
        self.tasks.close();
        if tokio::time::timeout(drain, self.tasks.wait()).await.is_err() {
            tracing::warn!(in_flight = self.tasks.len(), "bus: closed with publishes in flight");
        }
        self.link.close().await;
    }
}

async fn send(session: &Session, message: &Outgoing) -> Result<(), PublishError> {
    let lost = |error: lapin::Error| PublishError::Lost(error.to_string());
    let channel = match session.take_idle().filter(|channel| channel.status().connected()) {
        Some(channel) => channel,
        None => {
            let channel = session.connection.create_channel().await.map_err(lost)?;
            channel.confirm_select(ConfirmSelectOptions::default()).await.map_err(lost)?;
            channel
        }
    };
    let properties = BasicProperties::default()
        .with_delivery_mode(2)
        .with_message_id(message.id.to_string().into())
        .with_headers(message.headers.clone());
    let options = BasicPublishOptions { mandatory: true, immediate: false };
    let Target { exchange, routing_key } = message.target.clone();
    let published = channel.basic_publish(exchange, routing_key, options, &message.body, properties).await;
    let confirmation = published.map_err(lost)?.await.map_err(lost)?;
    session.give_idle(channel);
    match confirmation {
        Confirmation::Ack(None) => Ok(()),
        Confirmation::Ack(Some(_)) | Confirmation::Nack(Some(_)) => Err(PublishError::Unroutable),
        Confirmation::Nack(None) => Err(PublishError::Refused),
        Confirmation::NotRequested => Err(PublishError::Lost("confirms are off".to_owned())),
    }
}
