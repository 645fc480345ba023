//! `bugle destination …`

use super::{find_project, record, store};
use crate::output::{json, line, table};
use anyhow::{Context, anyhow};
use bugle_model::{Channel, Clock, DestinationId, DestinationSettings, Priority, ProjectId, SignalKind};
use bugle_runtime::{Config, SystemClock};
use bugle_store::audit::Target;
use bugle_store::destinations::{self, Destination, DestinationChange, NewDestination, secret_from};
use bugle_store::projects::Project;
use bugle_store::{Connection, Transactions, notifications};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::PathBuf;
use uuid::Uuid;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add a destination to a project.
    Add(Box<Add>),
    /// List a project's destinations.
    List {
        /// The project's id or name.
        project: String,
        /// Answer as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Remove a destination and what was sent to it.
    Remove {
        /// Its id.
        id: DestinationId,
    },
    /// Switch a destination on, also after Bugle has switched it off; what has failed there is forgotten.
    Enable {
        /// Its id.
        id: DestinationId,
    },
    /// Switch a destination off: nothing is sent there, and what waits is cancelled.
    Disable {
        /// Its id.
        id: DestinationId,
    },
    /// Send a test message.
    Test {
        /// Its id.
        id: DestinationId,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// The project's id or name.
    project: String,
    /// email, slack, sms or webhook.
    channel: Channel,
    /// An address, an incoming webhook's URL (or a channel id with --bot-token), a number, a URL.
    target: String,
    /// The lowest priority that is sent: low, medium, high or critical; the channel's usual when left out.
    #[arg(long)]
    min_priority: Option<Priority>,
    /// Only this environment; may be repeated.
    #[arg(long = "environment")]
    environments: Vec<String>,
    /// Only this kind: new, regression, events_10, …; may be repeated.
    #[arg(long = "kind")]
    kinds: Vec<SignalKind>,
    /// Webhook: an additional header, as `Name: value`; may be repeated.
    #[arg(long = "header")]
    headers: Vec<String>,
    /// Webhook: a file with a template for the body.
    #[arg(long)]
    template: Option<PathBuf>,
    /// Webhook: the signing secret, `whsec_…`; made when left out.
    #[arg(long)]
    secret: Option<String>,
    /// Slack: a bot token, `xoxb-…`.
    #[arg(long)]
    bot_token: Option<String>,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(config: &Config, command: Command) -> anyhow::Result<()> {
    let mut connection = store(config)?.conn().await?;
    let connection = &mut connection;
    match command {
        Command::Add(arguments) => add(connection, *arguments).await,
        Command::List { project, json } => list(connection, &project, json).await,
        Command::Remove { id } => remove(connection, id).await,
        Command::Enable { id } => switch(connection, id, true).await,
        Command::Disable { id } => switch(connection, id, false).await,
        Command::Test { id } => test(connection, id).await,
    }
}

fn missing(id: DestinationId) -> anyhow::Error {
    anyhow!("there is no destination {id}")
}

/// A destination and its project. What has none is a person's contact method, which only they change.
async fn find(connection: &mut Connection, id: DestinationId) -> anyhow::Result<(Destination, Project)> {
    let found = destinations::get(connection, id).await?.ok_or_else(|| missing(id))?;
    let project = found.project.ok_or_else(|| missing(id))?;
    Ok((found, find_project(connection, &project.to_string()).await?))
}

async fn remove(connection: &mut Connection, id: DestinationId) -> anyhow::Result<()> {
    let (found, project) = find(connection, id).await?;
    let now = SystemClock.now();
    connection
        .transaction(async |connection| {
            destinations::delete(connection, id).await?;
            let target = Target::new("destination", id, &project.name);
            let change = (Some(found.audited()), None);
            record(connection, "destination.deleted", target, project.team, change, now).await?;
            Ok::<_, anyhow::Error>(())
        })
        .await?;
    line(format_args!("destination {id} is removed"));
    Ok(())
}

async fn switch(connection: &mut Connection, id: DestinationId, on: bool) -> anyhow::Result<()> {
    let (_, project) = find(connection, id).await?;
    let now = SystemClock.now();
    connection
        .transaction(async |connection| {
            let before = destinations::hold(connection, id).await?.ok_or_else(|| missing(id))?;
            let change = DestinationChange { enabled: Some(on), ..DestinationChange::default() };
            let changed = destinations::change(connection, &before, &change).await?;
            let changed = changed.ok_or_else(|| missing(id))?;
            let target = Target::new("destination", id, &project.name);
            let change = (Some(before.audited()), Some(changed.audited()));
            record(connection, "destination.updated", target, project.team, change, now).await?;
            Ok::<_, anyhow::Error>(())
        })
        .await?;
    line(format_args!("destination {id} is {}", if on { "on" } else { "off" }));
    Ok(())
}

async fn test(connection: &mut Connection, id: DestinationId) -> anyhow::Result<()> {
    let made = notifications::insert_test(connection, id, Uuid::now_v7(), SystemClock.now()).await?;
    let notification = made.ok_or_else(|| missing(id))?;
    line(format_args!("notification {notification} is on its way; the running notifier sends it"));
    Ok(())
}

async fn add(connection: &mut Connection, arguments: Add) -> anyhow::Result<()> {
    let as_json = arguments.json;
    let project = find_project(connection, &arguments.project).await?;
    let new = new(project.id, arguments)?;
    let now = SystemClock.now();
    let made = connection
        .transaction(async |connection| {
            let made = destinations::create(connection, &new, &secret_from(rand::random()), now).await?;
            let target = Target::new("destination", made.id, &project.name);
            let change = (None, Some(made.audited()));
            record(connection, "destination.created", target, project.team, change, now).await?;
            Ok::<_, anyhow::Error>(made)
        })
        .await?;
    if as_json {
        let mut view = view(&made);
        if let Some(object) = view.as_object_mut() {
            object.insert("secret".to_owned(), json!(made.settings.secret));
        }
        return json(&view);
    }
    line(format_args!("destination {} ({}), from priority {} on", made.id, made.channel, made.min_priority));
    if let Some(secret) = &made.settings.secret {
        line(format_args!("signing secret {secret} (shown this once)"));
    }
    Ok(())
}

fn new(project: ProjectId, arguments: Add) -> anyhow::Result<NewDestination> {
    let Add { channel, target, min_priority, environments, kinds, headers, .. } = arguments;
    let template = arguments
        .template
        .as_ref()
        .map(|path| std::fs::read_to_string(path).with_context(|| path.display().to_string()));
    let headers = headers.iter().map(|header| {
        let (name, value) = header.split_once(':').with_context(|| format!("`{header}` has no `:`"))?;
        Ok((name.trim().to_owned(), value.trim().to_owned()))
    });
    let settings = DestinationSettings {
        environments,
        kinds,
        headers: headers.collect::<anyhow::Result<_>>()?,
        template: template.transpose()?,
        secret: arguments.secret,
        bot_token: arguments.bot_token,
        ..DestinationSettings::default()
    };
    Ok(NewDestination { project, channel, target, min_priority, settings })
}

fn view(one: &Destination) -> Value {
    json!({
        "id": one.id, "project": one.project, "channel": one.channel, "target": one.target,
        "min_priority": one.min_priority, "settings": one.redacted(), "enabled": one.enabled,
        "disabled_reason": one.disabled_reason,
    })
}

async fn list(connection: &mut Connection, project: &str, as_json: bool) -> anyhow::Result<()> {
    let project = find_project(connection, project).await?;
    let found = destinations::list(connection, project.id).await?;
    if as_json {
        return json(&found.iter().map(view).collect::<Vec<_>>());
    }
    let rows: Vec<_> = found
        .into_iter()
        .map(|one| {
            let state = match (one.enabled, one.disabled_reason) {
                (true, _) => "on".to_owned(),
                (false, None) => "off".to_owned(),
                (false, Some(reason)) => format!("off: {reason}"),
            };
            [one.id.to_string(), one.channel.to_string(), one.target, one.min_priority.to_string(), state]
        })
        .collect();
    table(["id", "channel", "target", "from", "state"], &rows);
    Ok(())
}
