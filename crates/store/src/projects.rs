//! Projects: one app or service each.

use crate::keys::{self, ProjectKey};
use crate::{Connection, Scope, StoreError, statement};
use bugle_model::{ProjectId, ProjectSettings, Quota, TeamId};
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, Integer, Jsonb, Nullable, Text, Timestamptz};
use diesel_async::{AsyncConnection, RunQueryDsl};
use serde_json::Value;

/// A name has at most this many characters.
pub const MAX_NAME: usize = 64;
/// A prefix has at most this many characters; the schema allows a few more, for what makes it unique.
const MAX_PREFIX: usize = 28;
/// How many prefixes are tried for one name.
const MAX_TRIES: u32 = 1_000;

/// A project as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Its id; the digits in its DSNs.
    pub id: ProjectId,
    /// Its name, unique.
    pub name: String,
    /// The first part of its issues' short ids, unique: `SHOP` in `SHOP-42`.
    pub prefix: String,
    /// What is set for it; the defaults when it cannot be read.
    pub settings: ProjectSettings,
    /// Why what is set for it cannot be read. One project's damage must not stop the work for the others, nor its own.
    pub settings_error: Option<String>,
    /// The team that owns it.
    pub team: Option<TeamId>,
    /// That team's name.
    pub team_name: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Why a project was not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// The name is empty, too long, or holds what no name may.
    #[error("name: expected 1 to {MAX_NAME} visible characters, not only digits, without / and line breaks")]
    BadName,
    /// Another project has the name.
    #[error("name: there is a project named `{0}` already")]
    NameTaken(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<diesel::result::Error> for ProjectError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Store(error.into())
    }
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Integer)]
    id: i32,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    prefix: String,
    #[diesel(sql_type = Jsonb)]
    settings: Value,
    #[diesel(sql_type = Nullable<Integer>)]
    team_id: Option<i32>,
    #[diesel(sql_type = Nullable<Text>)]
    team_name: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
}

impl From<Row> for Project {
    fn from(row: Row) -> Self {
        let (settings, settings_error) = match serde_json::from_value(row.settings) {
            Ok(settings) => (settings, None),
            Err(error) => (ProjectSettings::default(), Some(error.to_string())),
        };
        let Row { id, name, prefix, team_id, team_name, created_at, .. } = row;
        let team = team_id.map(TeamId);
        Self { id: ProjectId(id), name, prefix, settings, settings_error, team, team_name, created_at }
    }
}

/// Whether a name can be given. Only digits would be taken for an id in a path, and a slash would end it.
fn is_name(name: &str) -> bool {
    let length = name.chars().count();
    (1..=MAX_NAME).contains(&length)
        && name.trim() == name
        && !name.chars().any(|c| c.is_control() || c == '/')
        && !name.chars().all(|c| c.is_ascii_digit())
}

/// The prefix that a name suggests: its letters and digits in upper case, others as single dashes.
fn suggest_prefix(name: &str) -> String {
    let mut prefix = String::new();
    for c in name.chars().map(|c| c.to_ascii_uppercase()) {
        if c.is_ascii_alphanumeric() {
            prefix.push(c);
        } else if !prefix.is_empty() && !prefix.ends_with('-') {
            prefix.push('-');
        }
    }
    if !prefix.starts_with(|c: char| c.is_ascii_uppercase()) {
        prefix.insert(0, 'P');
    }
    let cut: String = prefix.chars().take(MAX_PREFIX).collect();
    cut.trim_end_matches('-').to_owned()
}

/// Makes a project, with the defaults for everything that can be set. It has no key yet.
///
/// # Errors
/// See [`ProjectError`].
pub async fn create(
    connection: &mut Connection,
    name: &str,
    now: DateTime<Utc>,
) -> Result<Project, ProjectError> {
    if !is_name(name) {
        return Err(ProjectError::BadName);
    }
    let suggested = suggest_prefix(name);
    for number in 1..=MAX_TRIES {
        let prefix = if number == 1 { suggested.clone() } else { format!("{suggested}{number}") };
        let rows: Result<Vec<Row>, _> = statement(
            "INSERT INTO projects (name, prefix, created_at) VALUES ($1, $2, $3)
             ON CONFLICT (prefix) DO NOTHING
             RETURNING id, name, prefix, settings, team_id, NULL::text AS team_name, created_at",
        )
        .bind::<Text, _>(name)
        .bind::<Text, _>(prefix)
        .bind::<Timestamptz, _>(now)
        .load(connection)
        .await;
        let rows = rows.map_err(|error| name_taken(error.into(), name))?;
        if let Some(row) = rows.into_iter().next() {
            return Ok(row.into());
        }
    }
    Err(ProjectError::NameTaken(name.to_owned()))
}

/// Makes a project and its first key, both or none. `public_key` as for [`keys::create`].
///
/// # Errors
/// See [`ProjectError`].
pub async fn create_with_key(
    connection: &mut Connection,
    name: &str,
    public_key: &str,
    now: DateTime<Utc>,
) -> Result<(Project, ProjectKey), ProjectError> {
    connection
        .transaction(async |connection| {
            let project = create(connection, name, now).await?;
            let key =
                keys::create(connection, project.id, public_key, "default", Quota::default(), now).await?;
            Ok((project, key))
        })
        .await
}

fn name_taken(error: StoreError, name: &str) -> ProjectError {
    match error.unique_violation() {
        Some(_) => ProjectError::NameTaken(name.to_owned()),
        None => error.into(),
    }
}

/// Up to `limit` projects of a scope after the one named, in the order of their ids.
///
/// # Errors
/// When the database fails.
pub async fn list(
    connection: &mut Connection,
    scope: &Scope,
    after: Option<ProjectId>,
    limit: usize,
) -> Result<Vec<Project>, StoreError> {
    let rows: Vec<Row> = statement(
        "SELECT p.id, p.name, p.prefix, p.settings, p.team_id, t.name AS team_name, p.created_at
         FROM projects p LEFT JOIN teams t ON t.id = p.team_id
         WHERE p.id > coalesce($1, 0) AND ($3 IS NULL OR p.team_id = ANY ($3)) ORDER BY p.id LIMIT $2",
    )
    .bind::<Nullable<Integer>, _>(after.map(|id| id.0))
    .bind::<diesel::sql_types::BigInt, _>(i64::try_from(limit).unwrap_or(i64::MAX))
    .bind::<Nullable<Array<Integer>>, _>(scope.bind())
    .load(connection)
    .await?;
    Ok(rows.into_iter().map(Project::from).collect())
}

#[derive(QueryableByName)]
struct IdRow {
    #[diesel(sql_type = Integer)]
    id: i32,
}

/// The ids of one project of a scope, or of all of them.
pub(crate) async fn within(
    connection: &mut Connection,
    scope: &Scope,
    project: Option<ProjectId>,
) -> Result<Vec<i32>, StoreError> {
    let rows: Vec<IdRow> = statement(
        "SELECT id FROM projects WHERE ($1 IS NULL OR id = $1) AND ($2 IS NULL OR team_id = ANY ($2))",
    )
    .bind::<Nullable<Integer>, _>(project.map(|project| project.0))
    .bind::<Nullable<Array<Integer>>, _>(scope.bind())
    .load(connection)
    .await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// The project of a scope that a text names: an id in digits, or a name.
///
/// # Errors
/// When the database fails.
pub async fn find(
    connection: &mut Connection,
    scope: &Scope,
    id_or_name: &str,
) -> Result<Option<Project>, StoreError> {
    // No name has a NUL, and PostgreSQL takes none in a text.
    if id_or_name.contains('\0') {
        return Ok(None);
    }
    // Digits that are no id are no name either.
    let id: Option<i32> = id_or_name.parse().ok();
    let rows: Vec<Row> = statement(
        "SELECT p.id, p.name, p.prefix, p.settings, p.team_id, t.name AS team_name, p.created_at
         FROM projects p LEFT JOIN teams t ON t.id = p.team_id
         WHERE (p.id = $1 OR ($1 IS NULL AND p.name = $2)) AND ($3 IS NULL OR p.team_id = ANY ($3))",
    )
    .bind::<Nullable<Integer>, _>(id)
    .bind::<Text, _>(id_or_name)
    .bind::<Nullable<Array<Integer>>, _>(scope.bind())
    .load(connection)
    .await?;
    Ok(rows.into_iter().next().map(Project::from))
}

/// A project as it is until the end of the caller's transaction: whoever else would change it waits.
///
/// # Errors
/// When the database fails.
pub async fn hold(connection: &mut Connection, id: ProjectId) -> Result<Option<Project>, StoreError> {
    // What refers to it may be written meanwhile.
    let rows: Vec<Row> = statement(
        "SELECT p.id, p.name, p.prefix, p.settings, p.team_id, t.name AS team_name, p.created_at
         FROM projects p LEFT JOIN teams t ON t.id = p.team_id WHERE p.id = $1 FOR NO KEY UPDATE OF p",
    )
    .bind::<Integer, _>(id.0)
    .load(connection)
    .await?;
    Ok(rows.into_iter().next().map(Project::from))
}

/// Replaces what is set for a project. Whether the project is there.
///
/// # Errors
/// When the database fails.
pub async fn set_settings(
    connection: &mut Connection,
    id: ProjectId,
    settings: &ProjectSettings,
) -> Result<bool, StoreError> {
    let value = serde_json::to_value(settings).map_err(|error| StoreError::Damaged(error.to_string()))?;
    let changed = statement("UPDATE projects SET settings = $2 WHERE id = $1")
        .bind::<Integer, _>(id.0)
        .bind::<Jsonb, _>(value)
        .execute(connection)
        .await?;
    Ok(changed == 1)
}

/// Gives a project another name or team; what is none stays. Whether the project is there.
///
/// # Errors
/// See [`ProjectError`].
pub async fn change(
    connection: &mut Connection,
    id: ProjectId,
    name: Option<&str>,
    team: Option<TeamId>,
) -> Result<bool, ProjectError> {
    if name.is_some_and(|name| !is_name(name)) {
        return Err(ProjectError::BadName);
    }
    let changed = statement(
        "UPDATE projects SET name = coalesce($2, name), team_id = coalesce($3, team_id) WHERE id = $1",
    )
    .bind::<Integer, _>(id.0)
    .bind::<Nullable<Text>, _>(name)
    .bind::<Nullable<Integer>, _>(team.map(|team| team.0))
    .execute(connection)
    .await
    .map_err(|error| name_taken(error.into(), name.unwrap_or_default()))?;
    Ok(changed == 1)
}

/// Removes a project with all that refers to it. Whether it was there. Its events are out of reach at once, and go with
/// their partitions.
///
/// # Errors
/// When the database fails.
pub async fn delete(connection: &mut Connection, id: ProjectId) -> Result<bool, StoreError> {
    connection
        .transaction(async |connection| {
            // What no foreign key leads to. A recorder that has an event for one of the issues is waited for.
            for text in [
                "SELECT id FROM issues WHERE project_id = $1 ORDER BY id FOR UPDATE",
                "DELETE FROM issue_minutes WHERE issue_id IN (SELECT id FROM issues WHERE project_id = $1)",
                "DELETE FROM issue_hours WHERE issue_id IN (SELECT id FROM issues WHERE project_id = $1)",
                "UPDATE issue_moves SET to_issue = NULL WHERE to_issue IN (SELECT id FROM issues WHERE project_id = $1)",
            ] {
                statement(text).bind::<Integer, _>(id.0).execute(connection).await?;
            }
            let gone = statement("DELETE FROM projects WHERE id = $1").bind::<Integer, _>(id.0);
            Ok(gone.execute(connection).await? == 1)
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_made_of_any_name() {
        let cases = [
            ("shop", "SHOP"),
            ("my shop (eu)", "MY-SHOP-EU"),
            ("7up", "P7UP"),
            ("日本", "P"),
            ("a very long name that goes on and on for ever", "A-VERY-LONG-NAME-THAT-GOES-O"),
        ];
        for (name, prefix) in cases {
            assert_eq!(suggest_prefix(name), prefix);
        }
    }

    #[test]
    fn a_name_is_neither_a_number_nor_a_path() {
        for bad in ["", "42", "a/b", " a", "a\nb", &"x".repeat(65)] {
            assert!(!is_name(bad), "{bad}");
        }
        for good in ["shop", "Shop 2", "日本", &"x".repeat(64)] {
            assert!(is_name(good), "{good}");
        }
    }
}
