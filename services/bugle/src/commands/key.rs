//! `bugle key …`

use super::{find_project, record, store};
use crate::output::{json, line, table};
use anyhow::{Context, anyhow, ensure};
use bugle_api::projects::{dsn, new_public_key};
use bugle_model::{Clock, Quota};
use bugle_runtime::{Config, SystemClock};
use bugle_store::audit::Target;
use bugle_store::keys::{self, KeyChange, ProjectKey};
use bugle_store::projects::Project;
use bugle_store::{Connection, Transactions};
use clap::Subcommand;
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List a project's keys.
    List {
        /// The project's id or name.
        project: String,
        /// Answer as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Make another key.
    Create {
        /// The project's id or name.
        project: String,
        /// What it is called.
        #[arg(long, default_value = "default")]
        label: String,
        /// How many items a minute it may send; unlimited when left out.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=2_147_483_647))]
        per_minute: Option<u32>,
        /// How many items an hour it may send; unlimited when left out.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=2_147_483_647))]
        per_hour: Option<u32>,
        /// Answer as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Stop a key; clients are answered 403 within seconds.
    Disable {
        /// Its id, or the key itself.
        key: String,
    },
    /// Let a key work again.
    Enable {
        /// Its id, or the key itself.
        key: String,
    },
    /// Make a new key like an old one, and stop the old one.
    Rotate {
        /// Its id, or the key itself.
        key: String,
        /// Answer as JSON.
        #[arg(long)]
        json: bool,
    },
}

pub(crate) async fn run(config: &Config, command: Command) -> anyhow::Result<()> {
    let mut connection = store(config)?.conn().await?;
    let connection = &mut connection;
    match command {
        Command::List { project, json } => list(config, connection, &project, json).await,
        Command::Create { project, label, per_minute, per_hour, json } => {
            ensure!(label.chars().count() <= 64, "--label is over 64 characters");
            let quota = Quota { per_minute, per_hour };
            let made = create(connection, &project, &label, quota).await?;
            show(config, &made, json)
        }
        Command::Disable { key } => switch(connection, &key, false).await,
        Command::Enable { key } => switch(connection, &key, true).await,
        Command::Rotate { key, json } => {
            let made = rotate(connection, &key).await?;
            show(config, &made, json)
        }
    }
}

/// A key and its project.
async fn find(connection: &mut Connection, text: &str) -> anyhow::Result<(ProjectKey, Project)> {
    let key = keys::find(connection, text).await?.ok_or_else(|| anyhow!("there is no such key"))?;
    let project = find_project(connection, &key.project.to_string()).await?;
    Ok((key, project))
}

fn target(project: &Project, key: &ProjectKey) -> Target {
    Target::new("key", key.id, &format!("{}: {}", project.name, key.label))
}

async fn create(
    connection: &mut Connection,
    project: &str,
    label: &str,
    quota: Quota,
) -> anyhow::Result<ProjectKey> {
    let project = find_project(connection, project).await?;
    let now = SystemClock.now();
    connection
        .transaction(async |connection| {
            let made = keys::create(connection, project.id, &new_public_key(), label, quota, now).await?;
            let change = (None, Some(made.audited()));
            record(connection, "key.created", target(&project, &made), project.team, change, now).await?;
            Ok::<_, anyhow::Error>(made)
        })
        .await
}

async fn switch(connection: &mut Connection, text: &str, on: bool) -> anyhow::Result<()> {
    let (key, project) = find(connection, text).await?;
    let now = SystemClock.now();
    connection
        .transaction(async |connection| {
            let change = KeyChange { enabled: Some(on), ..KeyChange::default() };
            let changed = keys::change(connection, key.id, &change).await?.context("there is no such key")?;
            let change = (Some(key.audited()), Some(changed.audited()));
            record(connection, "key.updated", target(&project, &key), project.team, change, now).await?;
            Ok::<_, anyhow::Error>(())
        })
        .await?;
    line(format_args!("key {} of project {} is {}", key.id, key.project, if on { "on" } else { "off" }));
    Ok(())
}

async fn rotate(connection: &mut Connection, text: &str) -> anyhow::Result<ProjectKey> {
    let (old, project) = find(connection, text).await?;
    let now = SystemClock.now();
    connection
        .transaction(async |connection| {
            let made = keys::rotate(connection, &old, &new_public_key(), now).await?;
            let change = (Some(old.audited()), Some(json!({ "new_key": made.id })));
            record(connection, "key.rotated", target(&project, &old), project.team, change, now).await?;
            Ok::<_, anyhow::Error>(made)
        })
        .await
}

fn view(config: &Config, key: &ProjectKey) -> Value {
    json!({
        "id": key.id,
        "project": key.project,
        "key": key.public_key,
        "dsn": dsn(&config.public_url, &key.public_key, key.project),
        "label": key.label,
        "enabled": key.enabled,
        "per_minute": key.quota.per_minute,
        "per_hour": key.quota.per_hour,
        "created_at": key.created_at,
    })
}

fn show(config: &Config, key: &ProjectKey, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        return json(&view(config, key));
    }
    line(format_args!("key {}, DSN {}", key.id, dsn(&config.public_url, &key.public_key, key.project)));
    Ok(())
}

async fn list(
    config: &Config,
    connection: &mut Connection,
    project: &str,
    as_json: bool,
) -> anyhow::Result<()> {
    let project = find_project(connection, project).await?;
    let found = keys::list(connection, project.id).await?;
    if as_json {
        return json(&found.iter().map(|key| view(config, key)).collect::<Vec<_>>());
    }
    let limit = |value: Option<u32>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
    let rows: Vec<_> = found
        .into_iter()
        .map(|key| {
            let state = if key.enabled { "on" } else { "off" }.to_owned();
            let quota = [limit(key.quota.per_minute), limit(key.quota.per_hour)];
            let [per_minute, per_hour] = quota;
            [key.id.to_string(), key.public_key, key.label, state, per_minute, per_hour]
        })
        .collect();
    table(["id", "key", "label", "state", "a minute", "an hour"], &rows);
    Ok(())
}
