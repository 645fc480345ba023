//! The commands that do one thing and end. They go to the database themselves, except for the bus, which only the
//! running server can open.

pub(crate) mod bus;
pub(crate) mod destination;
pub(crate) mod doctor;
pub(crate) mod key;
pub(crate) mod migrate;
pub(crate) mod project;
pub(crate) mod token;
pub(crate) mod user;

use crate::output::warning;
use anyhow::{Context, anyhow};
use bugle_model::{ActorKind, TeamId};
use bugle_runtime::Config;
use bugle_store::audit::{self, Actor, Entry, Target};
use bugle_store::projects::{self, Project};
use bugle_store::{Connection, Scope, Store};
use chrono::{DateTime, Utc};
use serde_json::Value;

/// The database that the configuration names.
pub(crate) fn store(config: &Config) -> anyhow::Result<Store> {
    let url = config
        .database_url
        .as_ref()
        .context("BUGLE_DATABASE_URL is not set; expected postgres://user:password@host:5432/bugle")?;
    Ok(bugle_store::connect(url.reveal().as_str(), config.database_pool)?)
}

/// The project with this id or name.
async fn find_project(connection: &mut Connection, id_or_name: &str) -> anyhow::Result<Project> {
    let found = projects::find(connection, &Scope::All, id_or_name).await?;
    let found =
        found.ok_or_else(|| anyhow!("there is no project `{id_or_name}`; `bugle project list` shows all"))?;
    if let Some(error) = &found.settings_error {
        warning(format_args!(
            "the settings of `{}` cannot be read, the defaults are in force: {error}",
            found.name
        ));
    }
    Ok(found)
}

/// Records in the audit log what a command has changed: what was there before, and what is there now.
async fn record(
    connection: &mut Connection,
    action: &'static str,
    target: Target,
    team: Option<TeamId>,
    (before, after): (Option<Value>, Option<Value>),
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let actor = Actor { kind: ActorKind::System, id: None, name: "command line".to_owned() };
    let entry = Entry { actor, address: String::new(), action, target, team, before, after };
    Ok(audit::add(connection, &entry, now).await?)
}
