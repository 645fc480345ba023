//! A private database per test, cloned from a migrated template.

use crate::time_limit::TimeLimit;
use anyhow::{Context, Result, bail};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

/// Where the tests' server is: a superuser's URL. `make test` sets it.
pub const SERVER_VARIABLE: &str = "BUGLE_TEST_DATABASE_URL";
/// How long [`TestDatabase::until_waiting`] waits.
const WAITING_LIMIT: Duration = Duration::from_secs(30);
/// One process at a time makes the template.
const TEMPLATE_LOCK: i64 = 0x6275_676c_65ff;

/// A database that only this test sees. Dropped with the value, open connections and all. A test that has one for ten minutes ends
/// the run.
#[derive(Debug)]
pub struct TestDatabase {
    server: String,
    name: String,
    url: String,
    _limit: TimeLimit,
}

impl TestDatabase {
    /// A migrated database. It has no partitions for events yet: `bugle_store::partitions` makes them for the
    /// day that the test's clock shows.
    ///
    /// # Errors
    /// When there is no server and none can be started, or a migration fails.
    pub async fn new() -> Result<Self> {
        let limit = TimeLimit::start();
        let server = server_url().await?;
        let admin = connect(&server).await?;
        let template = template(&server, &admin).await?;
        Self::create(server, &admin, &format!("TEMPLATE {template}"), limit).await
    }

    /// A database without a schema, for tests of the migrations themselves.
    ///
    /// # Errors
    /// When there is no server and none can be started.
    pub async fn empty() -> Result<Self> {
        let limit = TimeLimit::start();
        let server = server_url().await?;
        let admin = connect(&server).await?;
        Self::create(server, &admin, "TEMPLATE template0", limit).await
    }

    async fn create(server: String, admin: &Client, how: &str, limit: TimeLimit) -> Result<Self> {
        let name = format!("bugle_test_{}", Uuid::now_v7().simple());
        admin
            .batch_execute(&format!("CREATE DATABASE {name} {how}"))
            .await
            .context("cannot create a database")?;
        Ok(Self { url: with_database(&server, &name)?, server, name, _limit: limit })
    }

    /// The URL of this database.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The name of this database.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A plain connection, for looking at tables behind the store's back.
    ///
    /// # Errors
    /// When the server is gone.
    pub async fn client(&self) -> Result<Client> {
        connect(&self.url).await
    }

    /// Runs statements that return nothing.
    ///
    /// # Errors
    /// When one of them fails.
    pub async fn execute(&self, sql: &str) -> Result<()> {
        Ok(self.client().await?.batch_execute(sql).await?)
    }

    /// The one value of a query that gives one row with one `bigint`.
    ///
    /// # Errors
    /// When the query fails or gives another shape.
    pub async fn number(&self, sql: &str) -> Result<i64> {
        Ok(self.client().await?.query_one(sql, &[]).await?.try_get(0)?)
    }

    /// The rows of a query as text, the columns joined by `|`, as `psql -At` prints them.
    ///
    /// # Errors
    /// When the query fails.
    pub async fn rows(&self, sql: &str) -> Result<Vec<String>> {
        let messages = self.client().await?.simple_query(sql).await?;
        let mut rows = Vec::new();
        for message in messages {
            if let tokio_postgres::SimpleQueryMessage::Row(row) = message {
                let columns: Vec<&str> = (0..row.len()).map(|i| row.get(i).unwrap_or_default()).collect();
                rows.push(columns.join("|"));
            }
        }
        Ok(rows)
    }

    /// Until `count` statements wait for locks that others hold.
    ///
    /// # Errors
    /// When they do not within 30 s, for instance because one has failed before it came to the lock.
    pub async fn until_waiting(&self, count: i64) -> Result<()> {
        let client = self.client().await?;
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let looking = async {
            while client.query_one(waiting, &[]).await?.try_get::<_, i64>(0)? < count {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Ok(())
        };
        tokio::time::timeout(WAITING_LIMIT, looking).await.context("too few wait for a lock")?
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        // The test's own runtime may be ending: bring one.
        let dropping = std::thread::spawn(move || -> Result<()> {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let admin = connect(&server).await?;
                admin.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?;
                Ok(())
            })
        });
        // A test that failed has more to say than a database that stays behind.
        drop(dropping.join());
    }
}

async fn connect(url: &str) -> Result<Client> {
    let (client, connection) =
        tokio_postgres::connect(url, NoTls).await.context("cannot reach PostgreSQL")?;
    tokio::spawn(connection);
    Ok(client)
}

async fn server_url() -> Result<String> {
    match std::env::var(SERVER_VARIABLE) {
        Ok(url) if !url.is_empty() => Ok(url),
        _ => tokio::task::spawn_blocking(private_server).await?,
    }
}

/// Starts the private server under `target/`, or finds it running. It stays for the next tests.
fn private_server() -> Result<String> {
    let folder = workspace().join("target/testkit/postgres");
    fs::create_dir_all(&folder)?;
    let lock = fs::File::create(folder.join("start.lock"))?;
    lock.lock().context("cannot lock the private server's folder")?;
    let server = bugle_devservers::Postgres::start(&folder, bugle_devservers::Durability::None)?;
    Ok(server.url("postgres"))
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn with_database(server: &str, name: &str) -> Result<String> {
    let (base, query) = match server.split_once('?') {
        Some((base, query)) => (base, format!("?{query}")),
        None => (server, String::new()),
    };
    let Some((authority, _)) = base.rsplit_once('/').filter(|(authority, _)| authority.contains("//")) else {
        bail!("{SERVER_VARIABLE}: has no database in its path");
    };
    Ok(format!("{authority}/{name}{query}"))
}

/// Makes the template unless another test did. Its name tells the migrations' content, so that a changed
/// migration makes a new one.
async fn template(server: &str, admin: &Client) -> Result<String> {
    let migrations = migrations()?;
    let mut hasher = DefaultHasher::new();
    migrations.hash(&mut hasher);
    let name = format!("bugle_template_{:016x}", hasher.finish());
    if exists(admin, &name).await? {
        return Ok(name);
    }
    admin.execute("SELECT pg_advisory_lock($1)", &[&TEMPLATE_LOCK]).await?;
    if !exists(admin, &name).await? {
        let draft = format!("{name}_draft");
        admin.batch_execute(&format!("DROP DATABASE IF EXISTS {draft} WITH (FORCE)")).await?;
        admin.batch_execute(&format!("CREATE DATABASE {draft} TEMPLATE template0")).await?;
        let (client, connection) = tokio_postgres::connect(&with_database(server, &draft)?, NoTls).await?;
        let driving = tokio::spawn(connection);
        apply(&client, &migrations).await?;
        drop(client);
        driving.await??;
        admin.batch_execute(&format!("ALTER DATABASE {draft} RENAME TO {name}")).await?;
    }
    admin.execute("SELECT pg_advisory_unlock($1)", &[&TEMPLATE_LOCK]).await?;
    Ok(name)
}

async fn exists(admin: &Client, name: &str) -> Result<bool> {
    Ok(admin.query_opt("SELECT 1 FROM pg_database WHERE datname = $1", &[&name]).await?.is_some())
}

/// Applies the migrations, and notes them as diesel does, so that the binary finds nothing pending.
async fn apply(client: &Client, migrations: &[(String, String)]) -> Result<()> {
    client
        .batch_execute(
            "CREATE TABLE __diesel_schema_migrations (version varchar(50) PRIMARY KEY NOT NULL,
                 run_on timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP)",
        )
        .await?;
    for (version, sql) in migrations {
        client.batch_execute(sql).await.with_context(|| format!("migration {version}"))?;
        client.execute("INSERT INTO __diesel_schema_migrations (version) VALUES ($1)", &[version]).await?;
    }
    Ok(())
}

/// Version and `up.sql` of each migration, in their order.
fn migrations() -> Result<Vec<(String, String)>> {
    let folder = workspace().join("migrations");
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        let up = entry.path().join("up.sql");
        if up.is_file() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let version = name.split('_').next().unwrap_or_default().replace('-', "");
            found.push((version, fs::read_to_string(up)?));
        }
    }
    found.sort();
    Ok(found)
}

/// The first column of a query's rows as text, from the database at `url`.
///
/// # Errors
/// When the server is away or the query fails.
pub async fn rows_of(url: &str, sql: &str) -> Result<Vec<String>> {
    let rows = connect(url).await?.query(sql, &[]).await?;
    rows.iter().map(|row| Ok(row.try_get::<_, String>(0)?)).collect()
}

/// Runs statements that return nothing, in the database at `url`.
///
/// # Errors
/// When the server is away or one of them fails.
pub async fn run_on(url: &str, sql: &str) -> Result<()> {
    Ok(connect(url).await?.batch_execute(sql).await?)
}
