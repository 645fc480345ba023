//! The PostgreSQL and the RabbitMQ that a test's Bugle uses: a private part of the shared ones, or servers of its
//! own for tests that kill them.

use anyhow::{Context, Result};
use bugle_devservers::{Durability, Postgres, Rabbit};
use bugle_testkit::TestDatabase;
use std::path::PathBuf;
use tempfile::TempDir;
use uuid::Uuid;

/// The folder of the broker that all tests share; `make test` sets it.
const RABBIT_FOLDER: &str = "BUGLE_TEST_RABBIT_FOLDER";

/// Where a Bugle under test finds its servers.
pub enum Servers {
    /// A private database, and a private virtual host when a broker is wanted.
    Shared {
        /// The database; dropped with this value.
        database: TestDatabase,
        /// The broker's URL.
        amqp_url: Option<String>,
    },
    /// Servers that belong to this test alone.
    Own {
        /// PostgreSQL.
        postgres: Box<Postgres>,
        /// RabbitMQ.
        rabbit: Option<Box<Rabbit>>,
        /// Their data.
        folder: TempDir,
    },
}

impl Servers {
    /// A private part of the shared servers.
    ///
    /// # Errors
    /// When they cannot be reached or started.
    pub async fn shared(with_broker: bool) -> Result<Self> {
        let amqp_url =
            if with_broker { Some(tokio::task::spawn_blocking(virtual_host).await??) } else { None };
        Ok(Self::Shared { database: TestDatabase::empty().await?, amqp_url })
    }

    /// Servers of its own, which survive a kill -9 as in production.
    ///
    /// # Errors
    /// When they cannot be started.
    pub async fn own(with_broker: bool) -> Result<Self> {
        tokio::task::spawn_blocking(move || {
            let folder = TempDir::new()?;
            let postgres = Postgres::start(&folder.path().join("postgres"), Durability::Full)?;
            postgres.create_database("bugle")?;
            let rabbit = if with_broker {
                Some(Box::new(Rabbit::start(&folder.path().join("rabbit"))?))
            } else {
                None
            };
            Ok(Self::Own { postgres: Box::new(postgres), rabbit, folder })
        })
        .await?
    }

    /// The database's URL.
    #[must_use]
    pub fn database_url(&self) -> String {
        let url = match self {
            Self::Shared { database, .. } => database.url().to_owned(),
            Self::Own { postgres, .. } => postgres.url("bugle"),
        };
        if url.contains('?') { url } else { format!("{url}?sslmode=disable") }
    }

    /// The broker's URL, when there is one.
    #[must_use]
    pub fn amqp_url(&self) -> Option<String> {
        match self {
            Self::Shared { amqp_url, .. } => amqp_url.clone(),
            Self::Own { rabbit, .. } => rabbit.as_ref().map(|rabbit| rabbit.url()),
        }
    }

    /// The PostgreSQL of its own.
    ///
    /// # Panics
    /// When the servers are the shared ones, which no test may stop.
    pub fn postgres(&mut self) -> &mut Postgres {
        match self {
            Self::Own { postgres, .. } => postgres,
            Self::Shared { .. } => panic!("the shared PostgreSQL belongs to all tests"),
        }
    }

    /// The broker of its own.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn rabbit(&self) -> &Rabbit {
        match self {
            Self::Own { rabbit: Some(rabbit), .. } => rabbit,
            _ => panic!("this test has no broker of its own"),
        }
    }

    /// Stops servers of its own.
    ///
    /// # Errors
    /// When they do not stop.
    pub fn stop(&mut self) -> Result<()> {
        if let Self::Own { postgres, rabbit, .. } = self {
            if let Some(rabbit) = rabbit {
                rabbit.stop()?;
            }
            postgres.stop()?;
        }
        Ok(())
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("servers of a test did not stop: {error:#}");
        }
    }
}

fn virtual_host() -> Result<String> {
    let folder = std::env::var_os(RABBIT_FOLDER)
        .map_or_else(|| std::env::temp_dir().join("bugle-test-rabbit"), PathBuf::from);
    let rabbit = Rabbit::start(&folder)?;
    let name = format!("e2e-{}", Uuid::new_v4().simple());
    rabbit.control(&["add_vhost", &name]).context("cannot make a virtual host")?;
    rabbit.control(&["set_permissions", "-p", &name, "guest", ".*", ".*", ".*"])?;
    Ok(format!("amqp://guest:guest@127.0.0.1:{}/{name}", rabbit.port()))
}
