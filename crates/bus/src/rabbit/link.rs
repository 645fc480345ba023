//! One connection to the broker, kept up for ever. Our own: lapin's recovery leaves confirms in flight undefined.

use super::topology::{self, Names};
use crate::config::{BusConfig, ConfigError};
use crate::metrics::{Counters, add};
use futures_util::StreamExt;
use lapin::tcp::OwnedTLSConfig;
use lapin::uri::AMQPUri;
use lapin::{Channel, Connection, ConnectionProperties, Event};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Seconds between heartbeats; a broker that is silent for two is gone.
const HEARTBEAT: u16 = 10;
/// For the TCP connection, in milliseconds.
const CONNECT_TIMEOUT_MS: u64 = 5_000;
/// For the connection, the handshake and the declarations. An attempt that is given up keeps a thread of lapin until its
/// socket dies, hence not shorter.
const SESSION_TIMEOUT: Duration = Duration::from_secs(15);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// An attempt costs next to nothing, and a page may be waiting.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How long a connection may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);
/// An event may be missed when lapin's loop dies; the status tells then.
const LOOK: Duration = Duration::from_secs(1);

/// A connection that was made, with its idle publishing channels.
pub(super) struct Session {
    pub(super) connection: Connection,
    idle: Mutex<Vec<Channel>>,
    /// Cancelled when the connection is given up.
    gone: CancellationToken,
}

/// The connection was given up before the work was done.
#[derive(Debug)]
pub(super) struct Gone;

impl Session {
    /// Does something on the connection, as long as there is one. Not everything that lapin has been asked for is answered
    /// when the connection breaks at the wrong moment.
    pub(super) async fn during<T>(&self, work: impl Future<Output = T>) -> Result<T, Gone> {
        tokio::select! {
            done = work => Ok(done),
            () = self.gone.cancelled() => Err(Gone),
        }
    }

    pub(super) fn take_idle(&self) -> Option<Channel> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    pub(super) fn give_idle(&self, channel: Channel) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(channel);
    }
}

/// How the connection stands.
#[derive(Clone)]
pub(super) enum LinkState {
    /// There is none; the next attempt is under way.
    Away,
    /// It takes everything.
    Up(Arc<Session>),
    /// It takes no publishes, because of a resource alarm.
    Blocked(Arc<Session>),
}

impl LinkState {
    /// The connection, blocked or not.
    pub(super) fn session(&self) -> Option<Arc<Session>> {
        match self {
            Self::Up(session) | Self::Blocked(session) => Some(Arc::clone(session)),
            Self::Away => None,
        }
    }
}

/// What a link needs to connect.
pub(super) struct Endpoint {
    uri: AMQPUri,
    tls: OwnedTLSConfig,
    name: String,
    pub(super) names: Names,
}

impl Endpoint {
    /// Checks the configuration.
    pub(super) fn new(config: &BusConfig) -> Result<Self, ConfigError> {
        let url = config.amqp_url.as_ref().map_or("", url::Url::as_str);
        let mut uri: AMQPUri = url.parse().map_err(ConfigError::Url)?;
        uri.query.heartbeat.get_or_insert(HEARTBEAT);
        uri.query.connection_timeout.get_or_insert(CONNECT_TIMEOUT_MS);
        let cert_chain = match &config.amqp_ca_file {
            Some(path) => {
                let read = std::fs::read_to_string(path);
                Some(read.map_err(|error| ConfigError::CaFile { path: path.clone(), error })?)
            }
            None => None,
        };
        let tls = OwnedTLSConfig { identity: None, cert_chain };
        Ok(Self { uri, tls, name: config.connection_name.clone(), names: Names::new(config.prefix.clone()) })
    }

    async fn connect(&self, purpose: &str) -> lapin::Result<Connection> {
        let name = format!("{} ({purpose})", self.name);
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let runtime = lapin::runtime::default_runtime()?;
        let connection =
            Connection::connect_uri_with_config(self.uri.clone(), properties, self.tls.clone(), runtime)
                .await?;
        topology::declare(&connection, &self.names).await?;
        Ok(connection)
    }
}

/// See the module.
pub(super) struct Link {
    state: watch::Receiver<LinkState>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Link {
    /// Starts to connect.
    pub(super) fn start(endpoint: Arc<Endpoint>, purpose: &'static str, counters: Arc<Counters>) -> Self {
        let (sender, state) = watch::channel(LinkState::Away);
        let stop = CancellationToken::new();
        let keeper = Keeper { endpoint, purpose, counters, sender, stop: stop.clone() };
        Self { state, stop, task: tokio::spawn(keeper.run()) }
    }

    /// The state, to look at or to wait for.
    pub(super) fn state(&self) -> watch::Receiver<LinkState> {
        self.state.clone()
    }

    /// Closes the connection.
    pub(super) async fn close(&self) {
        self.stop.cancel();
        let mut state = self.state.clone();
        // The keeper drops its end when it is done.
        while state.changed().await.is_ok() {}
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Keeper {
    endpoint: Arc<Endpoint>,
    purpose: &'static str,
    counters: Arc<Counters>,
    sender: watch::Sender<LinkState>,
    stop: CancellationToken,
}

impl Keeper {
    async fn run(self) {
        let mut attempt = 0;
        while !self.stop.is_cancelled() {
            let connecting = tokio::time::timeout(SESSION_TIMEOUT, self.endpoint.connect(self.purpose));
            let connected = tokio::select! {
                () = self.stop.cancelled() => break,
                connected = connecting => connected,
            };
            match connected {
                Ok(Ok(connection)) => {
                    attempt = 0;
                    self.hold(connection).await;
                }
                Ok(Err(error)) => self.complain(attempt, &error.to_string()),
                Err(_) => self.complain(attempt, "no answer in time"),
            }
            let pause = pause(attempt);
            attempt = attempt.saturating_add(1);
            // Time out: the pause is over.
            let _ = tokio::time::timeout(pause, self.stop.cancelled()).await;
        }
    }

    fn complain(&self, attempt: u32, error: &str) {
        if attempt == 0 {
            tracing::warn!(purpose = self.purpose, error, "bus: cannot reach the broker; trying on");
        } else {
            tracing::debug!(purpose = self.purpose, error, attempt, "bus: cannot reach the broker");
        }
    }

    /// Shows a connection until it breaks or the link is stopped.
    async fn hold(&self, connection: Connection) {
        let mut events = Box::pin(connection.events_listener());
        add(&self.counters.connects);
        tracing::info!(purpose = self.purpose, "bus: connected to the broker");
        let gone = CancellationToken::new();
        // Also when this task is aborted.
        let _gone = gone.clone().drop_guard();
        let session = Arc::new(Session { connection, idle: Mutex::default(), gone });
        self.show(&session);
        let mut look = tokio::time::interval(LOOK);
        while session.connection.status().connected() {
            tokio::select! {
                () = self.stop.cancelled() => break,
                event = events.next() => match event {
                    Some(Event::ConnectionBlocked(reason)) => {
                        tracing::warn!(purpose = self.purpose, reason, "bus: the broker is blocked");
                    }
                    Some(Event::ConnectionUnblocked) => {
                        tracing::info!(purpose = self.purpose, "bus: the broker is unblocked");
                    }
                    Some(_) => {}
                    None => break,
                },
                _ = look.tick() => {}
            }
            self.show(&session);
        }
        self.sender.send_replace(LinkState::Away);
        session.gone.cancel();
        if session.connection.status().connected() {
            // Whether the broker hears it or not, the socket is closed.
            let _ = tokio::time::timeout(GOODBYE, session.connection.close(200, "closing".into())).await;
        } else {
            tracing::warn!(purpose = self.purpose, "bus: lost the connection to the broker");
        }
    }

    /// Publishes the session's state when it is another than before.
    fn show(&self, session: &Arc<Session>) {
        let blocked = session.connection.status().blocked();
        self.sender.send_if_modified(|state| {
            let same = match state {
                LinkState::Away => false,
                LinkState::Up(_) => !blocked,
                LinkState::Blocked(_) => blocked,
            };
            if !same {
                let session = Arc::clone(session);
                *state = if blocked { LinkState::Blocked(session) } else { LinkState::Up(session) };
            }
            !same
        });
    }
}

/// Doubles up to the longest, spread by up to a half so that many processes do not come back at once.
fn pause(attempt: u32) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(attempt.min(16)));
    doubled.min(LONGEST_PAUSE).mul_f64(1.0 - rand::random::<f64>() / 2.0)
}
