//! RabbitMQ for tests: one that all share, or one for a test that stops, kills or blocks it.

use anyhow::{Context, Result};
use bugle_devservers::Rabbit;
use std::fs;
use std::path::Path;
use tempfile::TempDir;
use uuid::Uuid;

/// Where the tests' shared broker is. `make test` sets it.
pub const BROKER_VARIABLE: &str = "BUGLE_TEST_AMQP_URL";

/// The URL of the broker that all tests share: what `make test` says, else a private one under `target/`, which stays
/// for the next tests. Use a [`prefix`] for every name.
///
/// # Errors
/// When there is no broker and none can be started.
pub async fn shared_url() -> Result<String> {
    match std::env::var(BROKER_VARIABLE) {
        Ok(url) if !url.is_empty() => Ok(url),
        _ => tokio::task::spawn_blocking(start_shared).await?,
    }
}

fn start_shared() -> Result<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/testkit/rabbit");
    fs::create_dir_all(&folder)?;
    let lock = fs::File::create(folder.join("start.lock"))?;
    lock.lock().context("cannot lock the shared broker's folder")?;
    Ok(Rabbit::start(&folder)?.url())
}

/// A prefix for names at a shared broker that no other test has.
#[must_use]
pub fn prefix() -> String {
    format!("test-{}.", Uuid::now_v7().simple())
}

/// A broker of one test's own. Killed with the value.
#[derive(Debug)]
pub struct PrivateRabbit {
    broker: Rabbit,
    _folder: TempDir,
}

impl PrivateRabbit {
    /// Starts one; takes some seconds.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn start() -> Result<Self> {
        tokio::task::spawn_blocking(|| {
            let folder = TempDir::new()?;
            let broker = Rabbit::start(folder.path())?;
            Ok(Self { broker, _folder: folder })
        })
        .await?
    }

    /// The URL for clients.
    #[must_use]
    pub fn url(&self) -> String {
        self.broker.url()
    }

    /// The port for clients on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.broker.port()
    }

    /// Stops it in good order.
    ///
    /// # Errors
    /// When it does not stop.
    pub fn stop(&self) -> Result<()> {
        self.broker.stop()
    }

    /// Kills it without warning.
    ///
    /// # Errors
    /// When it does not run.
    pub fn kill9(&self) -> Result<()> {
        self.broker.kill()
    }

    /// Starts it again with the same data on the same port.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn restart(&self) -> Result<()> {
        self.broker.restart()
    }

    /// Raises or lifts the disk alarm, which blocks publishers.
    ///
    /// # Errors
    /// When the broker cannot be told.
    pub fn set_disk_alarm(&self, on: bool) -> Result<()> {
        self.broker.set_disk_alarm(on)
    }
}

impl Drop for PrivateRabbit {
    fn drop(&mut self) {
        // Its data goes too: no need for good order, and a broker that is down already is fine.
        drop(self.broker.kill());
        drop(self.broker.stop());
    }
}
