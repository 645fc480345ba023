//! What paths and parameters name.

use crate::ApiError;
use crate::access::Principal;
use bugle_model::{IssueId, TeamId, parse_event_id};
use bugle_store::issues::{self, Issue, merge};
use bugle_store::projects::{self, Project, ProjectError};
use bugle_store::teams::{self, Team};
use bugle_store::{Connection, events};
use bugle_web::{Code, FieldError, Params, Problem};
use uuid::Uuid;

/// Retry an event that is not recorded yet after this many seconds.
const UNRECORDED_RETRY: u32 = 1;

/// The project with this id or name, when the caller sees it and may do with it what the route does.
pub(super) async fn project(
    connection: &mut Connection,
    principal: &Principal,
    id_or_name: &str,
) -> Result<Project, ApiError> {
    let found = projects::find(connection, &principal.visible(), id_or_name).await?;
    let found = found.ok_or_else(|| missing("project", id_or_name))?;
    principal.allowed(found.team)?;
    Ok(found)
}

/// The project that a parameter names.
pub(super) async fn project_parameter(
    connection: &mut Connection,
    principal: &Principal,
    id_or_name: &str,
) -> Result<Project, ApiError> {
    let found = projects::find(connection, &principal.scope(), id_or_name).await?;
    found.ok_or_else(|| {
        Problem::invalid_field("project", format!("there is no project `{}`", cut(id_or_name))).into()
    })
}

/// The team with this id, when the caller sees it and may do with it what the route does.
pub(super) async fn team(
    connection: &mut Connection,
    principal: &Principal,
    text: &str,
) -> Result<Team, ApiError> {
    let found = match text.parse::<TeamId>() {
        Ok(id) => teams::get(connection, &principal.visible(), id).await?,
        Err(_) => None,
    };
    let found = found.ok_or_else(|| missing("team", text))?;
    principal.allowed(Some(found.id))?;
    Ok(found)
}

/// The team of something new: see [`Principal::team_for_new`]. For those who see every team it also has to be there.
pub(super) async fn team_for_new(
    connection: &mut Connection,
    principal: &Principal,
    named: Option<TeamId>,
) -> Result<Option<TeamId>, ApiError> {
    let team = principal.team_for_new(named)?;
    if let Some(id) = team
        && teams::get(connection, &principal.visible(), id).await?.is_none()
    {
        return Err(Problem::invalid_field("team", format!("there is no team {id}")).into());
    }
    Ok(team)
}

/// The team to share something with, which the caller sees and in which they are a member at least.
pub(super) async fn shared_team(
    connection: &mut Connection,
    principal: &Principal,
    named: Option<TeamId>,
) -> Result<Option<TeamId>, ApiError> {
    let Some(id) = named else { return Ok(None) };
    if teams::get(connection, &principal.visible(), id).await?.is_none() {
        return Err(Problem::invalid_field("team", format!("there is no team {id}")).into());
    }
    principal.may_triage(id)?;
    Ok(Some(id))
}

/// The id of the issue with this id or short id. A number is not looked up.
pub(super) async fn issue_id(
    connection: &mut Connection,
    principal: &Principal,
    text: &str,
) -> Result<IssueId, ApiError> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let found = issues::find(connection, &principal.visible(), text).await?;
    found.ok_or_else(|| missing("issue", text).into())
}

/// The issue with this id or short id, when the caller sees it and may do with it what the route does.
pub(super) async fn issue(
    connection: &mut Connection,
    principal: &Principal,
    text: &str,
) -> Result<Issue, ApiError> {
    let id = issue_id(connection, principal, text).await?;
    let found = issue_or_whole(connection, principal, id).await?;
    let found = found.ok_or_else(|| missing("issue", text))?;
    principal.allowed(found.team)?;
    Ok(found)
}

/// An issue that the caller sees; of one that was merged, that which it is part of now.
async fn issue_or_whole(
    connection: &mut Connection,
    principal: &Principal,
    id: IssueId,
) -> Result<Option<Issue>, ApiError> {
    if let Some(found) = issues::get(connection, &principal.visible(), id).await? {
        return Ok(Some(found));
    }
    match merge::merged_into(connection, id).await? {
        Some(whole) => Ok(issues::get(connection, &principal.visible(), whole).await?),
        None => Ok(None),
    }
}

/// An event's id in a path.
pub(super) fn event_id(text: &str) -> Result<Uuid, ApiError> {
    parse_event_id(text).ok_or_else(|| missing("event", text).into())
}

/// The event with this id, of the project that the parameter `project` names, or the only one of those that the caller may
/// see.
pub(super) async fn event(
    connection: &mut Connection,
    principal: &Principal,
    request: &actix_web::HttpRequest,
    text: &str,
) -> Result<events::StoredEvent, ApiError> {
    let mut params = Params::of(request);
    let project: Option<String> = params.text("project");
    params.finish()?;
    let id = event_id(text)?;
    let project = match project {
        Some(name) => Some(project_parameter(connection, principal, &name).await?.id),
        None => None,
    };
    let mut found = events::find(connection, &principal.scope(), id, project).await?;
    let stored = found.pop().ok_or_else(|| missing("event", text))?;
    if found.iter().any(|other| other.project != stored.project) {
        let detail = "several projects have an event with this id; say which with `project`";
        return Err(Problem::with_detail(Code::Conflict, detail).into());
    }
    Ok(stored)
}

/// The issue that an older contract's id names: an issue's number, or the id of one of its events.
pub(super) async fn error(
    connection: &mut Connection,
    principal: &Principal,
    text: &str,
) -> Result<(Issue, Option<events::StoredEvent>), ApiError> {
    let Some(event_id) = parse_event_id(text) else {
        let issue = issue(connection, principal, text).await?;
        let event = events::latest(connection, &[issue.id]).await?.remove(&issue.id);
        return Ok((issue, event));
    };
    let visible = principal.visible();
    let event = events::find(connection, &visible, event_id, None)
        .await?
        .into_iter()
        .next()
        .ok_or_else(unrecorded)?;
    let issue = issue_or_whole(connection, principal, event.issue).await?.ok_or_else(unrecorded)?;
    principal.allowed(issue.team)?;
    Ok((issue, Some(event)))
}

/// Why a project was not made or changed.
pub(super) fn project_refused(error: ProjectError) -> ApiError {
    match error {
        ProjectError::BadName => Problem::invalid_field("name", error.to_string()).into(),
        ProjectError::NameTaken(_) => Problem::with_detail(Code::Conflict, error.to_string()).into(),
        ProjectError::Store(error) => error.into(),
    }
}

/// 422 when there are any.
pub(super) fn refuse(mistakes: Vec<FieldError>) -> Result<(), ApiError> {
    if mistakes.is_empty() { Ok(()) } else { Err(Problem::invalid(mistakes).into()) }
}

fn unrecorded() -> ApiError {
    Problem::with_detail(Code::NotFound, "there is no such event, or it is not recorded yet")
        .retry_after(UNRECORDED_RETRY)
        .into()
}

pub(super) fn missing(kind: &str, name: &str) -> Problem {
    Problem::not_found(format_args!("{kind} `{}`", cut(name)))
}

fn cut(text: &str) -> String {
    text.chars().take(64).collect()
}
