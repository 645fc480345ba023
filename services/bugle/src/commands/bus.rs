//! `bugle bus dead …`: asks the running server, because its process holds the bus.

use crate::output::{json, line, table};
use crate::run::local_token;
use anyhow::{Context, bail, ensure};
use bugle_bus::Queue;
use bugle_runtime::Config;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::time::Duration;
use url::Url;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Dead letters: messages that were rejected for good; kept 7 days.
    #[command(subcommand)]
    Dead(Dead),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Dead {
    /// Show them, bodies scrubbed.
    List {
        /// Only of this queue.
        #[arg(long)]
        queue: Option<Queue>,
        /// How many at most.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u8).range(1..=100))]
        limit: u8,
        /// Answer as JSON, with the scrubbed bodies.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: Server,
    },
    /// Put them back into their queue.
    Redrive(Which),
    /// Remove them for good.
    Discard(Which),
}

/// Which of them.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Their queue.
    #[arg(long)]
    queue: Queue,
    /// All that are there.
    #[arg(long, conflicts_with = "ids")]
    all: bool,
    /// Their ids.
    #[arg(required_unless_present = "all")]
    ids: Vec<uuid::Uuid>,
    #[command(flatten)]
    server: Server,
}

/// The running server.
#[derive(Debug, Args)]
pub(crate) struct Server {
    /// Its URL; `http_addr` of the configuration when left out.
    #[arg(long, env = "BUGLE_SERVER")]
    server: Option<Url>,
    /// A token of the API; the one in the data folder when left out.
    #[arg(long, env = "BUGLE_API_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

pub(crate) async fn run(config: &Config, Command::Dead(command): Command) -> anyhow::Result<()> {
    match command {
        Dead::List { queue, limit, json: as_json, server } => {
            let queue = queue.map(|queue| format!("&queue={}", queue.name())).unwrap_or_default();
            let answer = ask(config, &server, &format!("?limit={limit}{queue}"), None).await?;
            if as_json { json(&answer) } else { show(&answer) }
        }
        Dead::Redrive(which) => change(config, which, "/redrive").await,
        Dead::Discard(which) => change(config, which, "/discard").await,
    }
}

async fn change(config: &Config, which: Which, path: &str) -> anyhow::Result<()> {
    let Which { queue, all, ids, server } = which;
    let body = json!({ "queue": queue.name(), "all": all, "ids": ids });
    json(&ask(config, &server, path, Some(body)).await?)
}

fn show(answer: &Value) -> anyhow::Result<()> {
    let items = answer.get("items").and_then(Value::as_array).context("the server's answer has no items")?;
    let text = |item: &Value, key: &str| match item.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => "-".to_owned(),
        Some(other) => other.to_string(),
    };
    let rows: Vec<_> = items
        .iter()
        .map(|item| ["id", "queue", "rejected_at", "attempts", "size", "reason"].map(|key| text(item, key)))
        .collect();
    table(["id", "queue", "rejected at", "attempts", "bytes", "reason"], &rows);
    if rows.is_empty() {
        line("there are no dead letters");
    }
    Ok(())
}

/// GET without a body, POST with one.
async fn ask(config: &Config, server: &Server, path: &str, body: Option<Value>) -> anyhow::Result<Value> {
    let base =
        server.server.clone().map_or_else(|| format!("http://{}", config.http_addr), |url| url.to_string());
    let token = match &server.token {
        Some(token) => token.clone(),
        None => std::fs::read_to_string(local_token::path(config)).with_context(|| {
            format!("no BUGLE_API_TOKEN is set and {} cannot be read", local_token::path(config).display())
        })?,
    };
    // The operator's own server: no guard is needed.
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(60)).build()?;
    let url = format!("{}/api/v1/admin/dead-letters{path}", base.trim_end_matches('/'));
    let request = match body {
        Some(body) => client.post(&url).json(&body),
        None => client.get(&url),
    };
    let response = request.bearer_auth(token.trim()).send().await;
    let response = response.with_context(|| format!("no server answers at {base}; is it running?"))?;
    let status = response.status();
    let answer: Value =
        response.json().await.with_context(|| format!("{base} answered {status} without JSON"))?;
    let detail = ["detail", "title"].iter().find_map(|key| answer.get(key).and_then(Value::as_str));
    if status == reqwest::StatusCode::UNAUTHORIZED {
        bail!("the server does not know this token");
    }
    ensure!(status.is_success(), "the server answered {status}: {}", detail.unwrap_or("no detail"));
    Ok(answer)
}
