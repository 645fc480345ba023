//! `bugle token …`

use super::{record, store};
use crate::output::{json, line, table};
use anyhow::{bail, ensure};
use bugle_model::Clock;
use bugle_runtime::{Config, SystemClock};
use bugle_store::audit::Target;
use bugle_store::{Scope, tokens};
use bugle_web::auth;
use chrono::{DateTime, TimeDelta, Utc};
use clap::Subcommand;
use serde_json::json;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a token. It is shown this once.
    Create {
        /// Its name; unique, 64 characters at most.
        name: String,
        /// How many days it works; for ever when left out.
        #[arg(long, value_parser = clap::value_parser!(u16).range(1..=3650))]
        days: Option<u16>,
        /// Answer as JSON.
        #[arg(long)]
        json: bool,
    },
    /// List the tokens; without what makes them one.
    List {
        /// Answer as JSON.
        #[arg(long)]
        json: bool,
    },
    /// End a token at once.
    Revoke {
        /// Its name.
        name: String,
    },
}

pub(crate) async fn run(config: &Config, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Create { name, days, json } => create(config, &name, days, json).await,
        Command::List { json } => list(config, json).await,
        Command::Revoke { name } => {
            let mut connection = store(config)?.conn().await?;
            let found = tokens::list(&mut connection, &Scope::All).await?;
            let found = found.into_iter().find(|one| one.name == name);
            let Some(found) = found else { bail!("there is no token `{name}`") };
            tokens::revoke(&mut connection, &name).await?;
            let target = Target::new("token", found.id, &name);
            let now = SystemClock.now();
            record(&mut connection, "token.revoked", target, found.team, (None, None), now).await?;
            line(format_args!("token {name} has ended"));
            Ok(())
        }
    }
}

async fn create(config: &Config, name: &str, days: Option<u16>, as_json: bool) -> anyhow::Result<()> {
    ensure!((1..=64).contains(&name.chars().count()), "a name has 1 to 64 characters");
    let mut connection = store(config)?.conn().await?;
    let now = SystemClock.now();
    let token = auth::new_token();
    let expires_at = days.map(|days| now + TimeDelta::days(days.into()));
    match tokens::create(&mut connection, name, &auth::hash(&token), expires_at, now).await {
        Ok(made) => {
            let target = Target::new("token", made.id, name);
            let after = json!({ "scopes": made.scopes, "team": made.team, "expires_at": made.expires_at });
            record(&mut connection, "token.created", target, None, (None, Some(after)), now).await?;
        }
        Err(error) if error.unique_violation().is_some() => bail!("there is a token `{name}` already"),
        Err(error) => return Err(error.into()),
    }
    if as_json {
        return json(&json!({ "token": token }));
    }
    line(token);
    Ok(())
}

async fn list(config: &Config, as_json: bool) -> anyhow::Result<()> {
    let mut connection = store(config)?.conn().await?;
    let found = tokens::list(&mut connection, &Scope::All).await?;
    if as_json {
        let items: Vec<_> = found
            .iter()
            .map(|one| {
                json!({
                    "id": one.id, "name": one.name, "created_at": one.created_at,
                    "expires_at": one.expires_at, "last_used_at": one.last_used_at,
                })
            })
            .collect();
        return json(&items);
    }
    let time =
        |time: Option<DateTime<Utc>>| time.map_or_else(|| "never".to_owned(), |time| time.to_rfc3339());
    let rows: Vec<_> =
        found.into_iter().map(|one| [one.name, time(one.last_used_at), time(one.expires_at)]).collect();
    table(["name", "last used", "ends"], &rows);
    Ok(())
}
