//! `bugle project …`

use super::{find_project, record, store};
use crate::output::{json, line, table};
use anyhow::{Context, bail};
use bugle_api::projects as making;
use bugle_model::{Clock, ProjectSettings};
use bugle_runtime::{Config, SystemClock};
use bugle_store::audit::Target;
use bugle_store::{Scope, Transactions, projects};
use clap::Subcommand;
use serde_json::{Map, Value, json};

/// More projects than this are not listed at once.
const LISTED: usize = 10_000;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a project and its first key.
    Create {
        /// Its name; unique, 64 characters at most.
        name: String,
        /// Answer as JSON.
        #[arg(long)]
        json: bool,
    },
    /// List the projects.
    List {
        /// Answer as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show what is set for a project, as JSON.
    Show {
        /// Its id or name.
        project: String,
    },
    /// Change what is set for a project.
    Set {
        /// Its id or name.
        project: String,
        /// As in `retention=30`, `quota.per_minute=1000`, `scrub.fields='["iban"]'`, `grouping_rules=@rules.txt`.
        #[arg(required = true, value_name = "KEY=VALUE")]
        settings: Vec<String>,
    },
}

pub(crate) async fn run(config: &Config, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Create { name, json } => create(config, &name, json).await,
        Command::List { json } => list(config, json).await,
        Command::Show { project } => {
            let mut connection = store(config)?.conn().await?;
            json(&find_project(&mut connection, &project).await?.settings)
        }
        Command::Set { project, settings } => set(config, &project, &settings).await,
    }
}

async fn create(config: &Config, name: &str, as_json: bool) -> anyhow::Result<()> {
    let mut connection = store(config)?.conn().await?;
    let now = SystemClock.now();
    let made = making::create(&mut connection, &config.public_url, name, now).await?;
    let target = Target::new("project", made.id, name);
    record(&mut connection, "project.created", target, None, (None, None), now).await?;
    if as_json {
        return json(&json!({ "id": made.id, "name": made.name, "key": made.key, "dsn": made.dsn }));
    }
    line(format_args!("project {} ({}), issues are {}-1, {2}-2, …", made.name, made.id, made.prefix));
    line(format_args!("DSN {}", made.dsn));
    Ok(())
}

async fn list(config: &Config, as_json: bool) -> anyhow::Result<()> {
    let mut connection = store(config)?.conn().await?;
    let found = projects::list(&mut connection, &Scope::All, None, LISTED).await?;
    if as_json {
        let items: Vec<_> = found
            .iter()
            .map(|one| json!({ "id": one.id, "name": one.name, "prefix": one.prefix, "created_at": one.created_at }))
            .collect();
        return json(&items);
    }
    let rows: Vec<_> = found.into_iter().map(|one| [one.id.to_string(), one.name, one.prefix]).collect();
    table(["id", "name", "prefix"], &rows);
    Ok(())
}

async fn set(config: &Config, project: &str, assignments: &[String]) -> anyhow::Result<()> {
    let mut connection = store(config)?.conn().await?;
    let project = find_project(&mut connection, project).await?;
    let mut value = serde_json::to_value(&project.settings)?;
    for assignment in assignments {
        let (key, text) = assignment.split_once('=').with_context(|| format!("`{assignment}` has no `=`"))?;
        assign(&mut value, key, parse(text)?).with_context(|| format!("`{key}` cannot be set"))?;
    }
    let settings: ProjectSettings = serde_json::from_value(value).context("these settings are not valid")?;
    let mistakes = making::check_settings(&settings);
    if !mistakes.is_empty() {
        let mistakes: Vec<_> = mistakes.iter().map(|one| format!("{}: {}", one.field, one.message)).collect();
        bail!("these settings are not valid: {}", mistakes.join("; "));
    }
    let now = SystemClock.now();
    connection
        .transaction(async |connection| {
            projects::set_settings(connection, project.id, &settings).await?;
            let target = Target::new("project", project.id, &project.name);
            let before = Some(json!({ "settings": project.settings }));
            let after = Some(json!({ "settings": settings }));
            record(connection, "project.updated", target, project.team, (before, after), now).await?;
            Ok::<_, anyhow::Error>(())
        })
        .await?;
    json(&settings)
}

/// JSON where it is JSON, the text of a file after `@`, and text otherwise.
fn parse(text: &str) -> anyhow::Result<Value> {
    if let Some(path) = text.strip_prefix('@') {
        return Ok(Value::String(std::fs::read_to_string(path).with_context(|| path.to_owned())?));
    }
    Ok(serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())))
}

/// Sets the value at a dotted path. The names are checked when the whole is read back.
fn assign(value: &mut Value, path: &str, new: Value) -> anyhow::Result<()> {
    let mut place = value;
    for part in path.split('.') {
        if place.is_null() {
            *place = Value::Object(Map::new());
        }
        let object = place.as_object_mut().context("it is not below a group of settings")?;
        place = object.entry(part).or_insert(Value::Null);
    }
    *place = new;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(assignments: &[(&str, &str)]) -> Result<ProjectSettings, String> {
        let mut value = serde_json::to_value(ProjectSettings::default()).unwrap();
        for (key, text) in assignments {
            assign(&mut value, key, parse(text).unwrap()).map_err(|error| error.to_string())?;
        }
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    #[test]
    fn settings_are_set_by_their_path() {
        let set = settings(&[
            ("retention", "30"),
            ("quota.per_minute", "100"),
            ("scrub.fields", r#"["iban"]"#),
            ("grouping_rules", "# none"),
        ]);
        let set = set.unwrap();
        assert_eq!(set.retention.days(), 30);
        assert_eq!(set.quota.per_minute, Some(100));
        assert_eq!((set.scrub.fields, set.grouping_rules), (vec!["iban".to_owned()], "# none".to_owned()));
    }

    #[test]
    fn an_unknown_setting_is_named() {
        assert!(settings(&[("scrub.feilds", "[]")]).unwrap_err().contains("feilds"));
        assert!(settings(&[("retention.days", "7")]).unwrap_err().contains("group"));
        assert!(settings(&[("retention", "8")]).is_err());
    }
}
