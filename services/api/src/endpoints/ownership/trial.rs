//! `POST /api/v1/projects/{project}/ownership/try`: who would get an issue, and why, by rules that need not be kept (yet).

use super::super::named;
use super::mistakes;
use super::owners::Known;
use crate::access::Principal;
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_model::{Ownership, Priority, SignalKind};
use bugle_ownership::{Decision, Facts, decide};
use bugle_store::issues::{self, Issue, IssueName};
use bugle_store::ownership::{self, About, circumstances};
use bugle_store::projects::Project;
use bugle_store::{Connection, events};
use bugle_web::{JsonBody, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Characters of a path.
const MAX_PATH: usize = 1_024;

/// What is tried: a path, or an issue.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OwnershipQuestion")]
pub(in super::super) struct Body {
    /// In place of what is set for the project; the imported CODEOWNERS stays.
    ownership: Option<Ownership>,
    /// A file, as frames name it; 1,024 characters at most.
    path: Option<String>,
    /// The id or short id of an issue of the project; its latest event is looked at.
    issue: Option<String>,
}

/// Who would get it, and why.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "OwnershipTrial")]
pub(in super::super) struct Answer {
    /// What is decided at this moment.
    decision: Decision,
    /// The issue that was looked at.
    issue: Option<IssueName>,
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
    let kept = ownership::get(&mut connection, project.id).await?;
    let codeowners = kept.codeowners();
    let rules = match body.ownership {
        Some(given) => {
            let known = Known::load(&mut connection, &principal, &project, now).await?;
            let mut mistakes = mistakes(&given, &known);
            for mistake in &mut mistakes {
                mistake.field.insert_str(0, "ownership.");
            }
            named::refuse(mistakes)?;
            given
        }
        None => kept.content,
    };
    let subject = subject(&mut connection, &principal, &project, body.path, body.issue).await?;
    let about = About {
        project: project.id,
        team: project.team,
        kind: SignalKind::New,
        priority: subject.issue.as_ref().map_or(Priority::Medium, |issue| issue.priority),
        environment: subject.environment.as_deref(),
        tags: &subject.facts.tags,
    };
    let circumstances = circumstances(&mut connection, about, now).await?;
    drop(connection);
    // Thousands of patterns can take a second.
    let facts = subject.facts;
    let decided = tokio::task::spawn_blocking(move || decide(&rules, &codeowners, &facts, &circumstances));
    let decision = decided.await.map_err(|error| Problem::internal(&error))?;
    let issue =
        subject.issue.map(|issue| IssueName { id: issue.id, short_id: issue.short_id(), title: issue.title });
    Ok(Json(Answer { decision, issue }))
}

/// What rules are tried on.
struct Subject {
    facts: Facts,
    environment: Option<String>,
    issue: Option<Issue>,
}

async fn subject(
    connection: &mut Connection,
    principal: &Principal,
    project: &Project,
    path: Option<String>,
    issue: Option<String>,
) -> Result<Subject, ApiError> {
    match (path, issue) {
        (Some(path), None) if (1..=MAX_PATH).contains(&path.chars().count()) => {
            Ok(Subject { facts: Facts::of_path(&path), environment: None, issue: None })
        }
        (Some(_), None) => Err(Problem::invalid_field("path", format!("1 to {MAX_PATH} characters")).into()),
        (None, Some(name)) => {
            let missing = || Problem::invalid_field("issue", "the project has no such issue");
            let id = match name.trim().parse() {
                Ok(id) => Some(id),
                Err(_) => issues::find(connection, &principal.visible(), name.trim()).await?,
            };
            let found = match id {
                Some(id) => issues::get(connection, &principal.visible(), id).await?,
                None => None,
            };
            let found = found.filter(|issue| issue.project == project.id).ok_or_else(missing)?;
            let event = events::latest(connection, &[found.id]).await?.remove(&found.id);
            let event = event.map(|stored| stored.event);
            Ok(Subject {
                facts: event.as_ref().map(Facts::of).unwrap_or_default(),
                environment: event.and_then(|event| event.environment),
                issue: Some(found),
            })
        }
        _ => Err(Problem::invalid_field("path", "give either `path` or `issue`").into()),
    }
}
