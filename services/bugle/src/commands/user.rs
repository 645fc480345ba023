//! `bugle user …`: for the first account, and for when nobody can sign in. No password ever passes here: a link sets it.

use super::{record, store};
use crate::output::{json, line, table};
use anyhow::{anyhow, bail};
use bugle_api::accounts::{fields, links};
use bugle_model::{Clock, InstallationRole};
use bugle_runtime::{Config, SystemClock};
use bugle_store::audit::Target;
use bugle_store::users::{self, NewUser};
use bugle_store::{Connection, Scope};
use clap::Subcommand;
use serde_json::json;

/// More people than this are not listed at once.
const LISTED: usize = 10_000;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show a link that makes the first account; it works for 7 days.
    SetupLink,
    /// Make an account, and show a link that sets its password.
    Create {
        /// The address to sign in with.
        email: String,
        /// What others read.
        #[arg(long)]
        name: String,
        /// member, admin or owner.
        #[arg(long, default_value = "member")]
        role: InstallationRole,
    },
    /// List the people.
    List {
        /// Answer as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show a link that sets somebody's password; it works once, for an hour.
    ResetPassword {
        /// The address they sign in with.
        email: String,
    },
}

pub(crate) async fn run(config: &Config, command: Command) -> anyhow::Result<()> {
    let mut connection = store(config)?.conn().await?;
    let connection = &mut connection;
    match command {
        Command::SetupLink => {
            let link = links::setup(connection, &config.public_url, SystemClock.now()).await?;
            line(link.ok_or_else(|| anyhow!("there are accounts already; see `bugle user reset-password`"))?);
            Ok(())
        }
        Command::Create { email, name, role } => create(config, connection, &email, &name, role).await,
        Command::List { json } => list(connection, json).await,
        Command::ResetPassword { email } => {
            let account = users::account(connection, email.trim()).await?;
            let account = account.ok_or_else(|| anyhow!("there is no account `{email}`"))?;
            let now = SystemClock.now();
            let link = links::reset(connection, &config.public_url, account.id, now).await?;
            let target = Target::new("user", account.id, &account.name);
            record(connection, "user.reset_link_made", target, None, (None, None), now).await?;
            line(link);
            Ok(())
        }
    }
}

async fn create(
    config: &Config,
    connection: &mut Connection,
    email: &str,
    name: &str,
    role: InstallationRole,
) -> anyhow::Result<()> {
    let email = fields::email(email).map_err(|error| anyhow!("{}: {}", error.field, error.message))?;
    let name = fields::name(name).map_err(|error| anyhow!("{}: {}", error.field, error.message))?;
    let now = SystemClock.now();
    let new = NewUser { email: &email, name: &name, password_hash: None, role };
    let id = match users::create(connection, &new, now).await {
        Ok(id) => id,
        Err(error) if error.unique_violation().is_some() => bail!("there is an account `{email}` already"),
        Err(error) => return Err(error.into()),
    };
    let target = Target::new("user", id, &name);
    let after = json!({ "email": email, "role": role });
    record(connection, "user.created", target, None, (None, Some(after)), now).await?;
    line(links::reset(connection, &config.public_url, id, now).await?);
    Ok(())
}

async fn list(connection: &mut Connection, as_json: bool) -> anyhow::Result<()> {
    let found = users::list(connection, &Scope::All, None, LISTED).await?;
    if as_json {
        return json(&found);
    }
    let state = |disabled: bool| if disabled { "disabled" } else { "" }.to_owned();
    let rows: Vec<_> = found
        .into_iter()
        .map(|one| [one.id.to_string(), one.email, one.name, one.role.to_string(), state(one.disabled)])
        .collect();
    table(["id", "email", "name", "role", ""], &rows);
    Ok(())
}
