//! `GET /api/v1/issues/export?format=&project=&status=&query=&sort=` and
//! `GET /api/v1/issues/{id}/events/export?format=&query=&since=&until=`: all that the lists find, streamed.

use super::export::{Export, Format, Line, Part, cell};
use super::issue_events::{self, FILTER};
use super::issue_search::{self, Asked, SORT};
use super::named;
use crate::access::Principal;
use crate::openapi::{Parameter, parameter};
use crate::view::event::EventView;
use crate::view::issue::IssueView;
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::{Data, Path};
use bugle_model::{IssueId, IssueStatus};
use bugle_store::events::{self, EventFilter, StoredEvent};
use bugle_store::issues::{self, Filter, Issue, Place, Sort};
use bugle_web::{Params, Problem};

/// Issues that are read at once.
const ISSUES: usize = 500;
/// Events that are read at once: each may be large.
const EVENTS: usize = 25;

const FORMAT: Parameter = parameter::<Format>("format", "What a line is.");
pub(super) const OF_ISSUES: &[Parameter] = &[
    FORMAT,
    parameter::<String>("project", "Only those of this project, by id or name."),
    parameter::<IssueStatus>("status", "Only those that stand so."),
    parameter::<String>("query", "Only those that a search finds."),
    SORT,
];
pub(super) const OF_EVENTS: &[Parameter] = &[FORMAT, FILTER[0], FILTER[1], FILTER[2]];

const ISSUE_HEADER: &[&str] = &[
    "id",
    "short_id",
    "project",
    "title",
    "culprit",
    "error_type",
    "platform",
    "level",
    "priority",
    "status",
    "count",
    "users",
    "first_seen",
    "last_seen",
    "first_release",
    "assigned_to",
    "resolved_at",
];
const EVENT_HEADER: &[&str] = &[
    "event_id",
    "issue",
    "received_at",
    "timestamp",
    "title",
    "culprit",
    "level",
    "platform",
    "release",
    "environment",
    "user",
    "transaction",
    "url",
    "trace_id",
];

pub(super) async fn issues(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Export, ApiError> {
    let mut params = Params::of(&request);
    let format = Format::read(&mut params);
    let asked = Asked::take(&mut params, state.clock.now());
    let sort = issue_search::sort(&mut params);
    params.finish()?;
    let mut connection = state.store.conn().await?;
    let filter = asked.filter(&mut connection, &principal).await?;
    let read = move |from: Option<Place>| issue_part(state.clone(), filter.clone(), sort, from);
    Ok(Export::new(format, "issues", ISSUE_HEADER, None, read))
}

async fn issue_part(
    state: Data<State>,
    filter: Option<Filter>,
    sort: Sort,
    from: Option<Place>,
) -> Result<Part<Option<Place>>, ApiError> {
    let Some(filter) = filter else { return Ok(Part { lines: Vec::new(), next: None }) };
    let mut connection = state.store.conn().await?;
    let found =
        issues::search(&mut connection, &filter, sort, from, ISSUES).await.map_err(ApiError::of_search)?;
    let full = found.len() == ISSUES;
    let next = found.last().filter(|_| full).map(|last| Some(last.place));
    let lines = found.into_iter().map(|found| issue_line(found.issue)).collect::<Result<_, ApiError>>()?;
    Ok(Part { lines, next })
}

fn issue_line(issue: Issue) -> Result<Line, ApiError> {
    let cells = vec![
        issue.id.to_string(),
        issue.short_id(),
        issue.project_name.clone(),
        issue.title.clone(),
        cell(issue.culprit.as_ref()),
        cell(issue.error_type.as_ref()),
        issue.platform.clone(),
        issue.level.to_string(),
        issue.priority.to_string(),
        issue.status.to_string(),
        issue.count.to_string(),
        issue.users.to_string(),
        issue.first_seen.to_rfc3339(),
        issue.last_seen.to_rfc3339(),
        cell(issue.first_release.as_ref()),
        cell(issue.assigned_to.as_ref()),
        cell(issue.resolved_at.map(|at| at.to_rfc3339())),
    ];
    let json = serde_json::to_value(IssueView::from(issue)).map_err(|error| Problem::internal(&error))?;
    Ok(Line { json, cells })
}

pub(super) async fn events(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<Export, ApiError> {
    let mut params = Params::of(&request);
    let format = Format::read(&mut params);
    let filter = issue_events::filter(&mut params, state.clock.now());
    params.finish()?;
    let mut connection = state.store.conn().await?;
    let issue = named::issue(&mut connection, &principal, &id).await?.id;
    let read = move |from: Option<events::Position>| event_part(state.clone(), issue, filter.clone(), from);
    Ok(Export::new(format, "events", EVENT_HEADER, None, read))
}

async fn event_part(
    state: Data<State>,
    issue: IssueId,
    filter: EventFilter,
    from: Option<events::Position>,
) -> Result<Part<Option<events::Position>>, ApiError> {
    let mut connection = state.store.conn().await?;
    let budget = events::MOST_SEARCHED;
    let found = events::search(&mut connection, issue, &filter, from, false, EVENTS, budget).await?;
    Ok(Part { lines: found.events.iter().map(event_line).collect(), next: found.next.map(Some) })
}

fn event_line(stored: &StoredEvent) -> Line {
    let event = &stored.event;
    let user = event.user.as_ref().and_then(|user| {
        [&user.id, &user.email, &user.username, &user.ip_address].into_iter().find_map(Option::as_ref)
    });
    let cells = vec![
        event.event_id.simple().to_string(),
        stored.issue.to_string(),
        stored.received_at.to_rfc3339(),
        event.timestamp.to_rfc3339(),
        stored.title.clone(),
        cell(stored.culprit.as_ref()),
        event.level.to_string(),
        event.platform.clone(),
        cell(event.release.as_ref()),
        cell(event.environment.as_ref()),
        cell(user),
        cell(event.transaction.as_ref()),
        cell(event.request.as_ref().and_then(|request| request.url.as_ref())),
        cell(event.trace_id.as_ref()),
    ];
    Line { json: EventView::new(stored).into_json(), cells }
}
