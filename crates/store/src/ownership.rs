//! Who owns what of a project, who can take issues, and who is given one.
//!
//! [`enqueue`] writes down, with what else a signal comes to, that an issue is to be given to somebody; [`assign()`] does it later, in a
//! transaction of its own. So neither the recorder nor a page ever waits for it.

mod assign;
mod availability;
mod circumstances;
mod on_call;
mod workload;

pub use assign::{Given, NewAssignment, Waiting, assign, enqueue, give_up, waiting};
pub use availability::{availabilities, availability, set_availability};
pub use circumstances::{About, circumstances};
pub use workload::{ON_CALL_DAYS, Workload, workload};

use crate::row::{self, JsonRow};
use crate::{Connection, StoreError, statement};
use bugle_model::{Codeowners, Ownership, ProjectId};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Int4, Jsonb, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};

/// Who owns what of a project, as it is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct ProjectOwnership {
    /// What people have written.
    #[serde(default)]
    pub content: Ownership,
    /// The file that was imported.
    pub imported: Option<Imported>,
}

/// An imported CODEOWNERS file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// What it says.
    pub codeowners: Codeowners,
    /// When it was imported.
    pub at: DateTime<Utc>,
    /// By whom: a person's or a token's name.
    pub by: Option<String>,
}

impl ProjectOwnership {
    /// The imported file; an empty one without any.
    #[must_use]
    pub fn codeowners(&self) -> Codeowners {
        self.imported.as_ref().map(|imported| imported.codeowners.clone()).unwrap_or_default()
    }
}

/// Who owns what of a project; nobody owns anything where nothing is set.
///
/// # Errors
/// When the database fails, or holds what cannot be read.
pub async fn get(connection: &mut Connection, project: ProjectId) -> Result<ProjectOwnership, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT jsonb_build_object('content', content, 'imported', CASE WHEN codeowners IS NOT NULL THEN
            jsonb_build_object('codeowners', codeowners, 'at', imported_at, 'by', imported_by) END) AS row
         FROM project_ownership WHERE project_id = $1",
    )
    .bind::<Int4, _>(project.0)
    .load(connection)
    .await?;
    Ok(row::first(rows)?.unwrap_or_default())
}

/// Sets the rules of a project, and what is done when none gives an issue to anybody. An imported file stays.
///
/// # Errors
/// When the database fails.
pub async fn set(
    connection: &mut Connection,
    project: ProjectId,
    content: &Ownership,
) -> Result<(), StoreError> {
    statement(
        "INSERT INTO project_ownership (project_id, content) VALUES ($1, $2)
         ON CONFLICT (project_id) DO UPDATE SET content = excluded.content",
    )
    .bind::<Int4, _>(project.0)
    .bind::<Jsonb, _>(json(content)?)
    .execute(connection)
    .await?;
    Ok(())
}

/// Puts a CODEOWNERS file in the place of the one before; `None` removes that. The project's rules stay.
///
/// # Errors
/// When the database fails.
pub async fn import(
    connection: &mut Connection,
    project: ProjectId,
    codeowners: Option<&Codeowners>,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let codeowners = codeowners.map(json).transpose()?;
    let is_there = codeowners.is_some();
    statement(
        "INSERT INTO project_ownership (project_id, content, codeowners, imported_at, imported_by) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (project_id) DO UPDATE SET codeowners = excluded.codeowners, imported_at = excluded.imported_at,
            imported_by = excluded.imported_by",
    )
    .bind::<Int4, _>(project.0)
    .bind::<Jsonb, _>(json(&Ownership::default())?)
    .bind::<Nullable<Jsonb>, _>(codeowners)
    .bind::<Nullable<Timestamptz>, _>(is_there.then_some(now))
    .bind::<Nullable<Text>, _>(is_there.then_some(actor))
    .execute(connection)
    .await?;
    Ok(())
}

fn json(value: &impl Serialize) -> Result<serde_json::Value, StoreError> {
    serde_json::to_value(value).map_err(|error| StoreError::Damaged(error.to_string()))
}
