//! `bugle doctor`: looks at everything that the configuration names, and says what to do.

use crate::output::line;
use crate::run::private_folder;
use anyhow::bail;
use bugle_bus::BusState;
use bugle_model::Clock;
use bugle_runtime::{Config, SystemClock};
use bugle_store::{Store, migrate, server};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(5);
const MAX_CLOCK_DIFFERENCE: chrono::TimeDelta = chrono::TimeDelta::seconds(5);

/// What was found.
enum Finding {
    Fine(String),
    /// It works, but somebody should know.
    Note(String),
    /// What is wrong and what to do.
    Wrong(String),
}
use Finding::{Fine, Note, Wrong};

/// Runs every check; fails when something is wrong.
pub(crate) async fn run(config: &Config) -> anyhow::Result<()> {
    let mut findings = vec![("configuration", Fine("no mistakes".to_owned()))];
    findings.extend(database(config).await.into_iter().map(|finding| ("database", finding)));
    findings.push(("broker", broker(config).await));
    findings.extend(data_folder(config).into_iter().map(|finding| ("data folder", finding)));
    findings.push(("mail", mail(config).await));
    findings.extend(replies(config).map(|finding| ("replies", finding)));
    findings.extend(calls(config).map(|finding| ("calls", finding)));
    findings.extend(public_url(config).into_iter().map(|finding| ("public url", finding)));
    findings.push(("address", address(config)));
    let mut wrong = 0;
    for (name, finding) in &findings {
        let (word, text) = match finding {
            Fine(text) => ("ok", text),
            Note(text) => ("note", text),
            Wrong(text) => {
                wrong += 1;
                ("WRONG", text)
            }
        };
        line(format_args!("{word:5}  {name}: {text}"));
    }
    if wrong > 0 {
        bail!("{wrong} of {} checks found something wrong", findings.len());
    }
    Ok(())
}

async fn database(config: &Config) -> Vec<Finding> {
    let Some(url) = &config.database_url else {
        return vec![Wrong(
            "not set: set BUGLE_DATABASE_URL to postgres://user:password@host:5432/bugle".to_owned(),
        )];
    };
    let store = match bugle_store::connect(url.reveal().as_str(), 2) {
        Ok(store) => store,
        Err(error) => return vec![Wrong(format!("{error}: correct BUGLE_DATABASE_URL"))],
    };
    match look_into(&store).await {
        Ok(findings) => findings,
        Err(error) => vec![Wrong(format!(
            "{} does not answer: {error}. Is it running, and may this machine reach it?",
            url.shown()
        ))],
    }
}

async fn look_into(store: &Store) -> Result<Vec<Finding>, bugle_store::StoreError> {
    let mut connection = store.conn().await?;
    let version = server::version(&mut connection).await?;
    let (major, minor) = (version / 10_000, version % 10_000);
    let mut findings = vec![if version < server::MIN_VERSION {
        Wrong(format!("PostgreSQL {major}.{minor} is too old: upgrade it to 15 or newer"))
    } else {
        Fine(format!("PostgreSQL {major}.{minor}"))
    }];
    let difference = (server::time(&mut connection).await? - SystemClock.now()).abs();
    if difference > MAX_CLOCK_DIFFERENCE {
        let seconds = difference.num_seconds();
        findings.push(Note(format!("its clock and this machine's are {seconds} s apart: run NTP on both")));
    }
    drop(connection);
    let pending = migrate::pending(store).await?;
    findings.push(if pending.is_empty() {
        Fine("no migrations are pending".to_owned())
    } else {
        Wrong(format!(
            "{} migrations are pending ({}): run `bugle migrate`",
            pending.len(),
            pending.join(", ")
        ))
    });
    Ok(findings)
}

async fn broker(config: &Config) -> Finding {
    let Some(url) = &config.amqp_url else {
        return Fine("embedded in the one process (BUGLE_AMQP_URL is not set)".to_owned());
    };
    let mut settings = bugle_bus::BusConfig::new(config.data_dir.clone(), Arc::new(SystemClock));
    settings.amqp_url = Some(url.reveal().clone());
    let bus = match bugle_bus::connect(settings).await {
        Ok(bus) => bus,
        Err(error) => return Wrong(format!("{error}: correct BUGLE_AMQP_URL")),
    };
    let connected = timeout(PATIENCE, bus.connected()).await.is_ok();
    let state = bus.state();
    let _ = timeout(PATIENCE, bus.close()).await;
    match state {
        BusState::Connected if connected => Fine(format!("RabbitMQ at {} takes messages", url.shown())),
        BusState::Blocked => {
            Wrong("RabbitMQ is short of memory or disk: see `rabbitmqctl list_alarms`".to_owned())
        }
        _ => Wrong(format!(
            "RabbitMQ at {} does not answer: is it running, and are user, password and virtual host right?",
            url.shown()
        )),
    }
}

fn data_folder(config: &Config) -> Vec<Finding> {
    let folder = &config.data_dir;
    let mut findings = vec![writable(folder)];
    if let Ok(stat) = rustix::fs::statvfs(folder) {
        let mib = |bytes: u64| bytes >> 20;
        let free = stat.f_bavail.saturating_mul(stat.f_frsize);
        let text = format!("{} MiB free, {} needed", mib(free), mib(config.min_free_disk));
        findings.push(if free < config.min_free_disk {
            Wrong(format!("{text}: ingest answers 503 until there is room (BUGLE_MIN_FREE_DISK)"))
        } else {
            Fine(text)
        });
    }
    findings.extend(private_postgres(folder));
    findings
}

fn writable(folder: &Path) -> Finding {
    let probe = folder.join(format!(".doctor-{}", std::process::id()));
    let tried = private_folder(folder).and_then(|()| std::fs::write(&probe, b"x"));
    // Nothing is left behind when it could be written.
    let _ = std::fs::remove_file(&probe);
    match tried {
        Ok(()) => Fine(format!("{} can be written", folder.display())),
        Err(error) => Wrong(format!(
            "{} cannot be written ({error}): set BUGLE_DATA_DIR or its owner",
            folder.display()
        )),
    }
}

/// A server of our own beside the data folder can be read by its own major version only.
fn private_postgres(folder: &Path) -> Option<Finding> {
    let beside = folder.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf).join("postgres");
    let version = [folder.join("postgres"), beside]
        .iter()
        .find_map(|folder| std::fs::read_to_string(folder.join("PG_VERSION")).ok())?;
    let version = version.trim().to_owned();
    let installed = Path::new("/usr/lib/postgresql").join(&version).join("bin/postgres");
    Some(if matches!(installed.try_exists(), Ok(true)) {
        Fine(format!("the private PostgreSQL is of version {version}, which is installed"))
    } else {
        Note(format!(
            "the private PostgreSQL is of version {version}, which was not found in /usr/lib/postgresql: \
             install it again, or move the data with pg_upgrade"
        ))
    })
}

async fn mail(config: &Config) -> Finding {
    let Some(url) = &config.smtp_url else {
        return Note("no mail server is set (BUGLE_SMTP_URL): destinations by email will fail".to_owned());
    };
    let usual = if url.scheme() == "smtps" { 465 } else { 587 };
    let (Some(host), port) = (url.host_str(), url.port().unwrap_or(usual)) else {
        return Wrong("has no host: correct BUGLE_SMTP_URL".to_owned());
    };
    match timeout(PATIENCE, TcpStream::connect((host, port))).await {
        Ok(Ok(_)) => Fine(format!("{host}:{port} answers")),
        Ok(Err(error)) => Wrong(format!("{host}:{port} cannot be reached ({error}): correct BUGLE_SMTP_URL")),
        Err(_) => {
            Wrong(format!("{host}:{port} does not answer: correct BUGLE_SMTP_URL, or open the firewall"))
        }
    }
}

/// Whether what people answer to an SMS gets here. Nothing, when none is sent.
fn replies(config: &Config) -> Option<Finding> {
    config.twilio_from.as_ref()?;
    Some(if !config.twilio_reaches_here() {
        Note("what people reply to an SMS does not get here: Twilio cannot call BUGLE_PUBLIC_URL".to_owned())
    } else if !config.takes_sms_replies() {
        Note("one cannot reply to an SMS from a name: set BUGLE_TWILIO_FROM to a number or a messaging service".to_owned())
    } else {
        let url = config.public_url.as_str().trim_end_matches('/');
        Fine(format!("let Twilio post incoming messages to {url}/api/v1/twilio/messages"))
    })
}

/// Whether people can be called, and answer by a key. Nothing, when there is no account to call from.
fn calls(config: &Config) -> Option<Finding> {
    config.twilio_account_sid.as_ref()?;
    Some(match config.calls_from() {
        None => Note("nobody can be called: set BUGLE_TWILIO_VOICE_FROM to a number".to_owned()),
        Some(_) if !config.twilio_reaches_here() => {
            Note("a call cannot be answered by a key: Twilio cannot call BUGLE_PUBLIC_URL".to_owned())
        }
        Some(number) => Fine(format!("calls come from {number}")),
    })
}

fn public_url(config: &Config) -> Vec<Finding> {
    let url = &config.public_url;
    let local = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback() || address.is_unspecified(),
        Some(url::Host::Ipv6(address)) => address.is_loopback() || address.is_unspecified(),
        None => false,
    };
    let mut findings = Vec::new();
    if local {
        findings.push(Note(format!(
            "{url} works on this machine only: set BUGLE_PUBLIC_URL to what apps and people use before you hand out DSNs"
        )));
    } else if url.scheme() == "http" {
        findings.push(Note(format!("{url} is not encrypted: put a proxy with TLS in front")));
    } else {
        findings.push(Fine(url.to_string()));
    }
    if url.scheme() == "https" && config.trusted_proxies.is_empty() {
        findings.push(Note(
            "TLS ends at a proxy, but BUGLE_TRUSTED_PROXIES is empty: every client will have the proxy's address".to_owned(),
        ));
    }
    findings
}

fn address(config: &Config) -> Finding {
    match std::net::TcpListener::bind(config.http_addr) {
        Ok(_) => Fine(format!("{} is free", config.http_addr)),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            Note(format!("{} is in use; by a running Bugle, or set BUGLE_HTTP_ADDR", config.http_addr))
        }
        Err(error) => Wrong(format!("{} cannot be used ({error}): set BUGLE_HTTP_ADDR", config.http_addr)),
    }
}
