//! The pool of connections.

use crate::{Connection, StoreError, tls};
use deadpool::managed::QueueMode;
use diesel::ConnectionError;
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use futures_util::FutureExt;
use std::sync::Arc;
use std::time::Duration;

/// Name resolution, TCP, TLS and log-in together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long [`Store::conn`] waits for a connection, a new one included.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// A peer that says nothing for this long is gone; without it a cut cable holds a connection for hours.
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(30);

/// Set for each session, before what the URL's own `options` say. A slow server is not an absent one, so
/// statements may take their time; a transaction that nobody drives may not.
const SESSION_OPTIONS: &str = "-c statement_timeout=120s -c idle_in_transaction_session_timeout=60s \
     -c lock_timeout=60s -c jit=off";

/// A connection taken from the pool; goes back when dropped.
pub type Pooled = Object<Connection>;

/// PostgreSQL. Cheap to clone. Made by [`connect`].
#[derive(Clone)]
pub struct Store {
    pool: Pool<Connection>,
    settings: Arc<tls::Settings>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("pool", &self.pool.status()).finish_non_exhaustive()
    }
}

/// A pool of at most `size` connections to `url`. Connects when the first connection is asked for, so a
/// service can start while the database is away.
///
/// `sslmode` in the URL's query: `disable`, `prefer` (default), `require` (encrypted, not authenticated),
/// `verify-ca`, `verify-full`; `sslrootcert` names a PEM file, otherwise the web's roots count.
///
/// # Errors
/// [`StoreError::Settings`] when the URL cannot be understood or the certificates cannot be read.
pub fn connect(url: &str, size: usize) -> Result<Store, StoreError> {
    let mut settings = tls::Settings::parse(url)?;
    let options = match settings.config.get_options() {
        Some(own) => format!("{SESSION_OPTIONS} {own}"),
        None => SESSION_OPTIONS.to_owned(),
    };
    settings.config.options(options).connect_timeout(CONNECT_TIMEOUT).tcp_user_timeout(TCP_USER_TIMEOUT);
    if settings.config.get_application_name().is_none() {
        settings.config.application_name("bugle");
    }
    let settings = Arc::new(settings);
    let mut manager = ManagerConfig::default();
    // A dead connection is noticed by its closed socket; a query per loan would cost more than it tells.
    manager.recycling_method = RecyclingMethod::Fast;
    let for_setup = settings.clone();
    manager.custom_setup = Box::new(move |_| {
        let settings = for_setup.clone();
        async move { establish(&settings).await }.boxed()
    });
    let pool = Pool::builder(AsyncDieselConnectionManager::new_with_config("", manager))
        .max_size(size.max(1))
        // The one that came back last: its plans are made and its caches are warm.
        .queue_mode(QueueMode::Lifo)
        .build()
        .map_err(|error| StoreError::Settings(error.to_string()))?;
    Ok(Store { pool, settings })
}

impl Store {
    /// Takes a connection from the pool, making one when all are out and the size allows.
    ///
    /// # Errors
    /// [`StoreError::Away`] when PostgreSQL cannot be reached, or no connection came free within 10 s.
    pub async fn conn(&self) -> Result<Pooled, StoreError> {
        match tokio::time::timeout(ACQUIRE_TIMEOUT, self.pool.get()).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => Err(StoreError::Away(error.to_string())),
            Err(_) => Err(StoreError::Away("no connection came free within 10 s".to_owned())),
        }
    }

    /// A connection outside the pool, for work that holds one long: `LISTEN`, a leader's lock, migrations.
    ///
    /// # Errors
    /// [`StoreError::Away`] when PostgreSQL cannot be reached.
    pub async fn dedicated(&self) -> Result<Connection, StoreError> {
        establish(&self.settings).await.map_err(|error| StoreError::Away(error.to_string()))
    }

    /// Runs the smallest query there is.
    ///
    /// # Errors
    /// [`StoreError::Away`] when PostgreSQL cannot be reached.
    pub async fn check(&self) -> Result<(), StoreError> {
        use diesel_async::RunQueryDsl;
        let mut connection = self.conn().await?;
        crate::statement("SELECT 1").execute(&mut connection).await?;
        Ok(())
    }

    /// How many connections are open, and how many of them are lent out.
    #[must_use]
    pub fn usage(&self) -> (usize, usize) {
        let status = self.pool.status();
        (status.size, status.size.saturating_sub(status.available))
    }
}

async fn establish(settings: &tls::Settings) -> Result<Connection, ConnectionError> {
    let connecting = async {
        let (client, connection) =
            settings.config.connect(settings.connector.clone()).await.map_err(|error| {
                // The library's own text is only "error connecting to server"; the cause says why.
                let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
                ConnectionError::BadConnection(format!("{error}{}", cause.unwrap_or_default()))
            })?;
        let mut made = Connection::try_from_client_and_connection(client, connection).await?;
        speak_english(&mut made).await;
        Ok(made)
    };
    match tokio::time::timeout(CONNECT_TIMEOUT, connecting).await {
        Ok(result) => result,
        Err(_) => Err(ConnectionError::BadConnection("no answer within 5 s".to_owned())),
    }
}

/// diesel hides the SQLSTATE of most errors, so that a deadlock and a value that cannot be kept are told by their text.
/// Not every role may choose the language: for one that may not, a superuser sets it (`ALTER ROLE … SET lc_messages`),
/// and until then a deadlock is worked off by a redelivery.
async fn speak_english(connection: &mut Connection) {
    use diesel_async::SimpleAsyncConnection;
    if let Err(error) = connection.batch_execute("SET lc_messages = 'C'").await {
        tracing::debug!(%error, "the language of the database's messages stays as it is");
    }
}
