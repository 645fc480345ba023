//! What paths and parameters name.

use crate::ApiError;
use bugle_model::{IssueId, parse_event_id};
use bugle_store::issues::{self, Issue};
use bugle_store::projects::{self, Project};
use bugle_store::{Connection, events};
use bugle_web::{Code, Params, Problem};
use uuid::Uuid;

/// Retry an event that is not recorded yet after this many seconds.
const UNRECORDED_RETRY: u32 = 1;

/// The project with this id or name.
pub(super) async fn project(connection: &mut Connection, id_or_name: &str) -> Result<Project, ApiError> {
    let found = projects::find(connection, id_or_name).await?;
    found.ok_or_else(|| missing("project", id_or_name).into())
}

/// The project that a parameter names.
pub(super) async fn project_parameter(
    connection: &mut Connection,
    id_or_name: &str,
) -> Result<Project, ApiError> {
    let found = projects::find(connection, id_or_name).await?;
    found.ok_or_else(|| {
        Problem::invalid_field("project", format!("there is no project `{}`", cut(id_or_name))).into()
    })
}

/// The id of the issue with this id or short id. A number is not looked up.
pub(super) async fn issue_id(connection: &mut Connection, text: &str) -> Result<IssueId, ApiError> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    issues::find(connection, text).await?.ok_or_else(|| missing("issue", text).into())
}

/// The issue with this id or short id.
pub(super) async fn issue(connection: &mut Connection, text: &str) -> Result<Issue, ApiError> {
    let id = issue_id(connection, text).await?;
    issues::get(connection, id).await?.ok_or_else(|| missing("issue", text).into())
}

/// An event's id in a path.
pub(super) fn event_id(text: &str) -> Result<Uuid, ApiError> {
    parse_event_id(text).ok_or_else(|| missing("event", text).into())
}

/// The issue that an older contract's id names: an issue's number, or the id of one of its events.
pub(super) async fn error(
    connection: &mut Connection,
    text: &str,
) -> Result<(Issue, Option<events::StoredEvent>), ApiError> {
    let Some(event_id) = parse_event_id(text) else {
        let issue = issue(connection, text).await?;
        let event = events::latest(connection, &[issue.id]).await?.remove(&issue.id);
        return Ok((issue, event));
    };
    let event = events::find(connection, event_id, None).await?.into_iter().next().ok_or_else(unrecorded)?;
    let issue = issues::get(connection, event.issue).await?.ok_or_else(unrecorded)?;
    Ok((issue, Some(event)))
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

/// The parameters of a path or list that takes none.
pub(super) fn no_parameters(request: &actix_web::HttpRequest) -> Result<(), ApiError> {
    Ok(Params::of(request).finish()?)
}
