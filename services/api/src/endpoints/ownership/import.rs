//! `POST /api/v1/projects/{project}/ownership/codeowners`: a CODEOWNERS file of the project's repository, in the place of the one before.

use super::super::named;
use super::owners::Known;
use crate::access::Principal;
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_model::{Codeowners, CodeownersRule, Owner};
use bugle_ownership::codeowners::{self, Problem};
use bugle_store::Transactions;
use bugle_store::audit::{self, Target};
use bugle_store::ownership::{self, Imported};
use bugle_web::{FieldError, JsonBody};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Bytes of a name that is mapped.
const MAX_NAME: usize = 254;

/// A CODEOWNERS file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CodeownersFile")]
pub(in super::super) struct Body {
    /// What is in it, 256 KiB at most; empty removes what was imported.
    text: String,
    /// Whom its owners are here: `@handle`, `@org/team` or an address, whatever the case; 1,000 at most. Addresses of people who see the
    /// project need no entry. Those of the import before when absent.
    names: Option<BTreeMap<String, Owner>>,
}

/// What was imported, and what was not understood.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CodeownersImport")]
pub(in super::super) struct Answer {
    /// How many lines have a pattern.
    rules: usize,
    /// Owners that are nobody here, each with its lines. The lines count without them.
    unknown: BTreeMap<String, BTreeSet<u32>>,
    /// Lines that cannot be used, or not whole: the first 100, and one more that says how many there were besides.
    problems: Vec<Problem>,
}

pub(in super::super) async fn handler(
    principal: Principal,
    state: Data<State>,
    project: Path<String>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Json<Answer>, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let project = named::project(&mut connection, &principal, &project).await?;
    let known = Known::load(&mut connection, &principal, &project, now).await?;
    named::refuse(mistakes(&body, &known))?;
    let answer = connection
        .transaction(async |connection| {
            let before = ownership::get(connection, project.id).await?.imported;
            let names = body.names.as_ref().map_or_else(|| kept_names(before.as_ref()), lower);
            let here = still_here(&names, &known);
            let file = codeowners::parse(&body.text);
            let problems = file.problems.clone();
            let rules = codeowners::resolve(file, |name| {
                here.get(&name.to_lowercase()).copied().or_else(|| known.by_address(name))
            });
            let answer = Answer { rules: rules.len(), unknown: unknown(&rules), problems };
            let new = (!body.text.trim().is_empty()).then_some(Codeowners { rules, names });
            ownership::import(connection, project.id, new.as_ref(), &principal.actor.name, now).await?;
            let target = Target::new("project", project.id, &project.name);
            let old = before.map(|before| summary(&before.codeowners));
            let entry = principal.changed(
                "ownership.codeowners_imported",
                target,
                project.team,
                old,
                new.as_ref().map(summary),
            );
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(answer)
        })
        .await?;
    Ok(Json(answer))
}

fn mistakes(body: &Body, known: &Known) -> Vec<FieldError> {
    let mut found = Vec::new();
    if body.text.len() > Codeowners::MAX_BYTES {
        found.push(FieldError::new("text", format!("is over {} bytes", Codeowners::MAX_BYTES)));
    }
    let Some(names) = &body.names else { return found };
    if names.len() > Codeowners::MAX_NAMES {
        found.push(FieldError::new("names", format!("at most {} names", Codeowners::MAX_NAMES)));
        return found;
    }
    for (name, owner) in names {
        let field = || format!("names.{}", name.chars().take(64).collect::<String>());
        if !(1..=MAX_NAME).contains(&name.len()) {
            found.push(FieldError::new(field(), format!("a name has 1 to {MAX_NAME} bytes")));
        }
        found.extend(known.stranger(owner).map(|why| FieldError::new(field(), why)));
    }
    found
}

fn lower(names: &BTreeMap<String, Owner>) -> BTreeMap<String, Owner> {
    names.iter().map(|(name, owner)| (name.to_lowercase(), *owner)).collect()
}

fn kept_names(before: Option<&Imported>) -> BTreeMap<String, Owner> {
    before.map(|imported| imported.codeowners.names.clone()).unwrap_or_default()
}

/// Names that were kept may be of somebody who has left, or whom this caller does not see.
fn still_here(names: &BTreeMap<String, Owner>, known: &Known) -> BTreeMap<String, Owner> {
    let here = names.iter().filter(|(_, owner)| known.stranger(owner).is_none());
    here.map(|(name, owner)| (name.clone(), *owner)).collect()
}

fn unknown(rules: &[CodeownersRule]) -> BTreeMap<String, BTreeSet<u32>> {
    let mut found: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
    for rule in rules {
        for name in &rule.unknown {
            found.entry(name.clone()).or_default().insert(rule.line);
        }
    }
    found
}

/// For the audit log: a file may have thousands of lines.
fn summary(codeowners: &Codeowners) -> Value {
    json!({ "rules": codeowners.rules.len(), "names": codeowners.names })
}
