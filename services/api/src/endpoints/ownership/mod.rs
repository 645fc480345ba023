//! `/api/v1/projects/{project}/ownership`: who owns what of a project. Rules decide to whom new issues are given.

pub(super) mod import;
mod owners;
pub(super) mod trial;

use super::named;
use crate::access::Principal;
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_model::{CodeownersRule, Otherwise, Owner, Ownership, OwnershipRule};
use bugle_store::Transactions;
use bugle_store::audit::{self, Target};
use bugle_store::ownership::{self, ProjectOwnership};
use bugle_web::{FieldError, JsonBody};
use chrono::{DateTime, Utc};
use owners::Known;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;

/// Who owns what of a project.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ProjectOwnership")]
pub(super) struct View {
    /// In order: of those that match, the last counts, and it goes before the imported CODEOWNERS.
    rules: Vec<OwnershipRule>,
    /// What is done when no rule gives the issue to anybody.
    otherwise: Otherwise,
    /// For CODEOWNERS: what paths of frames begin with…
    stack_root: String,
    /// … and what stands in the repository in its place.
    source_root: String,
    /// The file that was imported.
    codeowners: Option<ImportedView>,
}

/// An imported CODEOWNERS file.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ImportedCodeowners")]
struct ImportedView {
    /// Its lines that have a pattern, in order: of those that match, the last counts.
    rules: Vec<CodeownersRule>,
    /// Whom the file's handles are here; kept for the next import.
    names: BTreeMap<String, Owner>,
    /// When it was imported.
    imported_at: DateTime<Utc>,
    /// By whom: a person's or a token's name.
    imported_by: Option<String>,
}

impl From<ProjectOwnership> for View {
    fn from(stored: ProjectOwnership) -> Self {
        let Ownership { rules, otherwise, stack_root, source_root } = stored.content;
        let codeowners = stored.imported.map(|imported| ImportedView {
            rules: imported.codeowners.rules,
            names: imported.codeowners.names,
            imported_at: imported.at,
            imported_by: imported.by,
        });
        Self { rules, otherwise, stack_root, source_root, codeowners }
    }
}

/// `GET …/ownership`
pub(super) async fn get(
    principal: Principal,
    state: Data<State>,
    project: Path<String>,
) -> Result<Json<View>, ApiError> {
    let mut connection = state.store.conn().await?;
    let project = named::project(&mut connection, &principal, &project).await?;
    Ok(Json(ownership::get(&mut connection, project.id).await?.into()))
}

/// `PUT …/ownership`: all of it anew, but for the imported file.
pub(super) async fn set(
    principal: Principal,
    state: Data<State>,
    project: Path<String>,
    JsonBody(body): JsonBody<Ownership>,
) -> Result<Json<View>, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let project = named::project(&mut connection, &principal, &project).await?;
    let known = Known::load(&mut connection, &principal, &project, now).await?;
    named::refuse(mistakes(&body, &known))?;
    let changed = connection
        .transaction(async |connection| {
            let before = ownership::get(connection, project.id).await?;
            ownership::set(connection, project.id, &body).await?;
            let target = Target::new("project", project.id, &project.name);
            let (old, new) = (Some(json!(before.content)), Some(json!(body)));
            let entry = principal.changed("ownership.updated", target, project.team, old, new);
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(ProjectOwnership { content: body.clone(), ..before })
        })
        .await?;
    Ok(Json(changed.into()))
}

/// What is wrong with rules: their form, and owners that the project does not know.
fn mistakes(ownership: &Ownership, known: &Known) -> Vec<FieldError> {
    let of_form = ownership.mistakes().into_iter().map(|(field, message)| FieldError::new(field, message));
    let mut found: Vec<FieldError> = of_form.collect();
    for (index, rule) in ownership.rules.iter().enumerate().take(Ownership::MAX_RULES) {
        for (place, owner) in rule.owners.iter().enumerate().take(OwnershipRule::MAX_OWNERS) {
            if let Some(why) = known.stranger(owner) {
                let field = format!("rules[{index}].owners[{place}]");
                found.push(FieldError::new(field, format!("rule {}: {why}", index + 1)));
            }
        }
    }
    found
}
