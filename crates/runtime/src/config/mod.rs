//! The configuration: defaults, then `bugle.toml`, then `BUGLE_*` of the environment.
//!
//! A key in the file is the field's name, a variable is `BUGLE_` and the name in upper case. The file is the
//! one that `BUGLE_CONFIG` names, or `bugle.toml` in the working directory when there is one. Unknown keys and bad
//! values stop the start, all of them named at once.

mod parse;
mod providers;
mod reader;
mod secret;
mod watch;

pub use reader::{ConfigError, ConfigErrors};
pub use secret::{Secret, SecretUrl};
pub use watch::{Dsn, Watch};

use ipnet::IpNet;
use reader::Reader;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;
use url::Url;

/// A check that the operator adds to `/health/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HealthProbe {
    /// Healthy when a GET answers 2xx.
    Url {
        /// The check's name.
        name: String,
        /// What is fetched.
        url: Url,
    },
    /// Healthy when the command, run by `sh -c`, ends with 0.
    Command {
        /// The check's name.
        name: String,
        /// The command line.
        command: String,
    },
}

/// Every setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where HTTP is served. Default `127.0.0.1:8080`.
    pub http_addr: SocketAddr,
    /// How many HTTP workers (threads); 1 to 64. Default 2.
    pub http_workers: usize,
    /// Where everything on disk lives: spool, embedded bus, attachments, snapshots. Default `data`.
    pub data_dir: PathBuf,
    /// PostgreSQL, as `postgres://user:password@host:5432/bugle`; `sslmode` is honoured. Needed by everything but
    /// ingest, which starts without.
    pub database_url: Option<SecretUrl>,
    /// How many connections to PostgreSQL a process keeps at most; 2 to 200. Default 12.
    pub database_pool: usize,
    /// Apply pending migrations at the start. Unset: yes with all services in one process, no (and the start is
    /// refused) otherwise.
    pub migrate: Option<bool>,
    /// RabbitMQ, as `amqp://user:password@host:5672/vhost`. Unset: the embedded bus.
    pub amqp_url: Option<SecretUrl>,
    /// Where people and apps reach this installation; in DSNs and links. Default `http://` and `http_addr`.
    pub public_url: Url,
    /// The mail server, as `smtp://user:password@host:587`, `smtps://…`; `smtp://host:25?tls=none` for one without TLS.
    pub smtp_url: Option<SecretUrl>,
    /// The sender of mails. Default `bugle@localhost`.
    pub smtp_from: String,
    /// Twilio's API. Default `https://api.twilio.com`.
    pub twilio_base_url: Url,
    /// Twilio's account.
    pub twilio_account_sid: Option<String>,
    /// Twilio's token.
    pub twilio_auth_token: Option<Secret>,
    /// The number that SMS come from, in E.164, or a messaging service's sid (`MG…`).
    pub twilio_from: Option<String>,
    /// The number that calls come from, in E.164. Unset: `twilio_from`, when that is a number.
    pub twilio_voice_from: Option<String>,
    /// Slack's API; methods are at `/api/…` below it. Default `https://slack.com`.
    pub slack_base_url: Url,
    /// The signing secret of the Slack app whose bot posts pages. With it they have buttons that answer them.
    pub slack_signing_secret: Option<Secret>,
    /// Private networks that outgoing requests (webhooks, Slack, Twilio) may reach; as CIDR.
    pub allow_private_nets: Vec<IpNet>,
    /// Proxies whose `X-Forwarded-For` is believed; as CIDR.
    pub trusted_proxies: Vec<IpNet>,
    /// Logs as JSON instead of lines. Default off.
    pub log_json: bool,
    /// What is logged: `tracing` directives such as `info,bugle_ingest=debug`. Default
    /// `info,actix_server=warn`.
    pub log_filter: String,
    /// ingest answers 503 with less free space than this in the data folder; bytes or `512MiB`. Default 512 MiB.
    pub min_free_disk: u64,
    /// The spool grows to at most this (the embedded bus by what `min_free_disk` leaves); bytes or `4GiB`. Default 8 GiB.
    pub spool_max: u64,
    /// Request bodies that ingest holds in memory at the same time, all together; bytes or `32MiB`. Default 32 MiB.
    pub max_in_flight: u64,
    /// Where attachments are kept: a folder (relative to the data folder), or `s3://bucket/prefix`. Default `attachments`.
    pub object_store: String,
    /// How many items `POST /api/v1/logs/frontend/` takes per minute and client address. Default 100.
    pub frontend_per_minute: u32,
    /// The OpenID Connect provider that people may sign in with: its issuer. With it, the client's id and secret are needed.
    pub oidc_issuer: Option<Url>,
    /// Bugle's id at the provider.
    pub oidc_client_id: Option<String>,
    /// Bugle's secret at the provider.
    pub oidc_client_secret: Option<Secret>,
    /// A file with that secret, instead.
    pub oidc_client_secret_file: Option<PathBuf>,
    /// What people call the provider. Default `OpenID Connect`.
    pub oidc_name: String,
    /// Only addresses of these domains get in over the provider. Default all.
    pub oidc_allowed_domains: Vec<String>,
    /// Whether whoever the provider knows gets an account, in no team. Default off: only people with an account or an invitation.
    pub oidc_sign_up: bool,
    /// How many requests to the API a session or a token may send per minute, and half as many an address without either;
    /// counted by each api process. 0: without limit. Default 600.
    pub api_rate_limit: u32,
    /// How many live sockets (`GET /api/v1/live`) an api process holds open at the same time; up to 100000. Default 2000.
    pub live_sockets: usize,
    /// How many batches of the door go into one transaction of a recorder, which holds three times as many; 1 to 256. Default 32.
    pub recorder_prefetch: usize,
    /// How many notifications are sent at the same time; 1 to 256. Default 32.
    pub notifier_concurrency: usize,
    /// How long a soft stop may take; seconds. Default 25.
    pub stop_deadline: Duration,
    /// Checks that `/health/` runs too: `[[health_checks]]` with `name` and `url` or `command`; in the environment
    /// `name=https://…,name=cmd:…`.
    pub health_checks: Vec<HealthProbe>,
    /// How Bugle is watched from outside.
    pub watch: Watch,
}

impl Default for Config {
    fn default() -> Self {
        Self::build(&mut Reader::new(None, &[]))
    }
}

const SLACK: &str = "https://slack.com";
const TWILIO: &str = "https://api.twilio.com";

impl Config {
    /// Reads the process's configuration.
    ///
    /// # Errors
    /// All mistakes at once; see [`ConfigErrors`]. A file that `BUGLE_CONFIG` names must be there.
    pub fn load() -> Result<Self, ConfigErrors> {
        let environment: Vec<(String, String)> = std::env::vars_os()
            .filter_map(|(key, value)| Some((key.into_string().ok()?, value.to_string_lossy().into_owned())))
            .filter(|(key, _)| key.starts_with("BUGLE_"))
            .collect();
        let named = environment.iter().find(|(key, value)| key == "BUGLE_CONFIG" && !value.is_empty());
        let path = named.map_or_else(|| PathBuf::from("bugle.toml"), |(_, value)| PathBuf::from(value));
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::read(Some((&path.display().to_string(), &text)), &environment),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && named.is_none() => {
                Self::read(None, &environment)
            }
            Err(error) => Err(ConfigErrors(vec![ConfigError {
                key: "BUGLE_CONFIG".to_owned(),
                source: "environment".to_owned(),
                problem: format!("{}: {error}; expected a readable TOML file", path.display()),
            }])),
        }
    }

    /// Reads a file's text (with its name) and variables.
    ///
    /// # Errors
    /// All mistakes at once.
    pub fn read(file: Option<(&str, &str)>, environment: &[(String, String)]) -> Result<Self, ConfigErrors> {
        let mut reader = Reader::new(file, environment);
        let config = Self::build(&mut reader);
        config.check(&mut reader);
        reader.finish()?;
        Ok(config)
    }

    /// A path below the data folder.
    #[must_use]
    pub fn data_path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.data_dir.join(name)
    }

    fn build(r: &mut Reader) -> Self {
        let text = |text: &str| Some(text.to_owned());
        let web = parse::url_of(&["http", "https"]);
        let http_addr =
            r.value("http_addr", "an address and port such as 127.0.0.1:8080", default_address(), |t| {
                t.parse().ok()
            });
        let oidc_client_secret_file =
            r.optional("oidc_client_secret_file", "a readable file with a secret", |t| {
                parse::secret_in(Path::new(t)).map(|_| PathBuf::from(t))
            });
        Self {
            http_addr,
            http_workers: r.value("http_workers", "a number from 1 to 64", 2, parse::within(1..=64)),
            data_dir: r.value("data_dir", "a path", PathBuf::from("data"), |t| Some(PathBuf::from(t))),
            database_url: secret_url(
                r,
                "database_url",
                "postgres://user:password@host:5432/bugle",
                &["postgres", "postgresql"],
            ),
            database_pool: r.value("database_pool", "a number from 2 to 200", 12, parse::within(2..=200)),
            migrate: r.optional("migrate", "true or false", parse::boolean),
            amqp_url: secret_url(r, "amqp_url", "amqp://user:password@host:5672/vhost", &["amqp", "amqps"]),
            public_url: r
                .optional("public_url", "an http:// or https:// URL", &web)
                .unwrap_or_else(|| default_public_url(http_addr)),
            smtp_url: secret_url(
                r,
                "smtp_url",
                "smtp://user:password@host:587 or smtps://…",
                &["smtp", "smtps"],
            ),
            smtp_from: r.value("smtp_from", "a mail address", "bugle@localhost".to_owned(), |t| {
                t.contains('@').then(|| t.to_owned())
            }),
            twilio_base_url: r
                .optional("twilio_base_url", "an http:// or https:// URL", &web)
                .unwrap_or_else(|| constant(TWILIO)),
            twilio_account_sid: r.optional("twilio_account_sid", "an account's sid", text),
            twilio_auth_token: r.optional("twilio_auth_token", "a token", |t| Some(Secret::new(t))),
            twilio_from: r.optional(
                "twilio_from",
                "a number such as +15005550006, or a messaging service's sid",
                text,
            ),
            twilio_voice_from: r.optional("twilio_voice_from", "a number such as +15005550006", |t| {
                t.starts_with('+').then(|| t.to_owned())
            }),
            slack_base_url: r
                .optional("slack_base_url", "an http:// or https:// URL", &web)
                .unwrap_or_else(|| constant(SLACK)),
            slack_signing_secret: r.optional("slack_signing_secret", "a secret", |t| Some(Secret::new(t))),
            allow_private_nets: r.list(
                "allow_private_nets",
                "networks such as 10.0.0.0/8 or fd00::/8",
                parse::network,
            ),
            trusted_proxies: r.list(
                "trusted_proxies",
                "networks such as 10.0.0.0/8 or fd00::/8",
                parse::network,
            ),
            log_json: r.value("log_json", "true or false", false, parse::boolean),
            log_filter: r.value(
                "log_filter",
                "directives such as info,bugle_ingest=debug",
                "info,actix_server=warn,lapin=off".to_owned(),
                text,
            ),
            min_free_disk: r.value(
                "min_free_disk",
                "bytes, or a size such as 512MiB",
                512 << 20,
                parse::bytes,
            ),
            spool_max: r.value("spool_max", "bytes, or a size such as 8GiB", 8 << 30, parse::bytes),
            max_in_flight: r.value("max_in_flight", "bytes, or a size such as 32MiB", 32 << 20, parse::bytes),
            object_store: r.value(
                "object_store",
                "a folder or s3://bucket/prefix",
                "attachments".to_owned(),
                text,
            ),
            frontend_per_minute: r.value("frontend_per_minute", "a number from 1", 100, |t| {
                t.parse().ok().filter(|number| *number > 0)
            }),
            oidc_issuer: r.optional("oidc_issuer", "an http:// or https:// URL", &web),
            oidc_client_id: r.optional("oidc_client_id", "a client's id", text),
            oidc_client_secret: r
                .optional("oidc_client_secret", "a secret", |t| Some(Secret::new(t)))
                .or_else(|| parse::secret_in(oidc_client_secret_file.as_ref()?)),
            oidc_client_secret_file,
            oidc_name: r.value("oidc_name", "a name", "OpenID Connect".to_owned(), text),
            oidc_allowed_domains: r.list(
                "oidc_allowed_domains",
                "domains such as example.com",
                parse::domain,
            ),
            oidc_sign_up: r.value("oidc_sign_up", "true or false", false, parse::boolean),
            api_rate_limit: r.value("api_rate_limit", "a number, or 0 for no limit", 600, |t| t.parse().ok()),
            live_sockets: r.value(
                "live_sockets",
                "a number from 0 to 100000",
                2_000,
                parse::within(0..=100_000),
            ),
            recorder_prefetch: r.value(
                "recorder_prefetch",
                "a number from 1 to 256",
                32,
                parse::within(1..=256),
            ),
            notifier_concurrency: r.value(
                "notifier_concurrency",
                "a number from 1 to 256",
                32,
                parse::within(1..=256),
            ),
            stop_deadline: r.value(
                "stop_deadline",
                "seconds from 1 to 600",
                Duration::from_secs(25),
                parse::seconds(1..=600),
            ),
            health_checks: r.tables(
                "health_checks",
                "a name with a url or a command each",
                parse::probe_table,
                parse::probe_text,
            ),
            watch: Watch::read(r),
        }
    }

    /// Settings that are well-formed but cannot go together, or would be dangerous.
    fn check(&self, reader: &mut Reader) {
        let twilio =
            [self.twilio_account_sid.is_some(), self.twilio_auth_token.is_some(), self.twilio_from.is_some()];
        if twilio.contains(&true) && twilio.contains(&false) {
            reader.conflict(
                "twilio_account_sid, twilio_auth_token, twilio_from",
                "only some are set; expected all three or none",
            );
        }
        if self.twilio_voice_from.is_some() && self.twilio_account_sid.is_none() {
            reader.conflict("twilio_voice_from", "needs twilio_account_sid and its kin");
        }
        self.watch.check(reader);
        let oidc = [self.oidc_client_id.is_some(), self.oidc_client_secret.is_some()];
        if oidc != [self.oidc_issuer.is_some(); 2] {
            reader.conflict(
                "oidc_issuer, oidc_client_id, oidc_client_secret",
                "only some are set; expected all three or none",
            );
        }
        if self.trusted_proxies.iter().any(|net| net.prefix_len() == 0) {
            reader.conflict(
                "trusted_proxies",
                "a network of /0 lets any client choose its own address; name the proxies",
            );
        }
        if self.allow_private_nets.iter().any(|net| net.prefix_len() == 0) {
            reader.conflict(
                "allow_private_nets",
                "a network of /0 opens every private address; name the ranges",
            );
        }
        if self.public_url.query().is_some() || self.public_url.fragment().is_some() {
            reader.conflict(
                "public_url",
                "has a query or a fragment; expected scheme, host and perhaps a path",
            );
        }
    }
}

fn secret_url(
    r: &mut Reader,
    key: &'static str,
    expected: &str,
    schemes: &'static [&'static str],
) -> Option<SecretUrl> {
    r.optional(key, expected, parse::url_of(schemes)).map(SecretUrl::from)
}

const fn default_address() -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080)
}

/// An address that listens everywhere is reached by the machine's own name.
fn default_public_url(address: SocketAddr) -> Url {
    let host = if address.ip().is_unspecified() {
        format!("localhost:{}", address.port())
    } else {
        address.to_string()
    };
    constant(&format!("http://{host}"))
}

/// A URL that cannot be wrong.
fn constant(text: &str) -> Url {
    #[expect(clippy::expect_used, reason = "built from constants and a socket address; covered by tests")]
    Url::parse(text).expect("a valid url")
}

#[cfg(test)]
mod tests;
