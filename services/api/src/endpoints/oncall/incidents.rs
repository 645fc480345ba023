//! `/api/v1/incidents`: what somebody must answer, and what happened to it.

use super::super::named;
use super::super::stats::PROJECT;
use crate::access::Principal;
use crate::openapi::{CURSOR, LIMIT, Parameter, parameter};
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path};
use bugle_model::{IncidentId, IncidentState};
use bugle_store::Connection;
use bugle_store::oncall::{self, Incident, IncidentFilter, Page as SentPage, TimelineEntry};
use bugle_web::{Page, Params};

/// Pages of an incident that are shown.
const MAX_PAGES: i64 = 1000;

pub(in super::super) const PARAMETERS: &[Parameter] = &[
    parameter::<IncidentState>("state", "Only those that stand so."),
    PROJECT,
    parameter::<String>("issue", "Only those of this issue, by id or short id."),
    LIMIT,
    CURSOR,
];

/// `GET /api/v1/incidents?state=&project=&issue=&limit=&cursor=`, the newest first.
pub(in super::super) async fn list(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Json<Page<Incident>>, ApiError> {
    let mut params = Params::of(&request);
    let issue = params.text("issue");
    let project = params.text("project");
    let stands = params.optional("state", "triggered, acknowledged or resolved", |text| text.parse().ok());
    let limit = params.limit();
    let before: Option<IncidentId> = params.cursor();
    params.finish()?;
    let mut connection = state.store.conn().await?;
    let mut filter = IncidentFilter { state: stands, before, ..IncidentFilter::default() };
    if let Some(text) = issue {
        filter.issue = Some(named::issue_id(&mut connection, &principal, &text).await?);
    }
    if let Some(text) = project {
        filter.project = Some(named::project_parameter(&mut connection, &principal, &text).await?.id);
    }
    let surplus = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    let found = oncall::list_incidents(&mut connection, &principal.scope(), filter, surplus).await?;
    Ok(Json(Page::cut(found, limit, |last| last.id)))
}

/// `GET /api/v1/incidents/{id}`
pub(in super::super) async fn get(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<Json<Incident>, ApiError> {
    let mut connection = state.store.conn().await?;
    Ok(Json(of(&mut connection, &principal, &id).await?))
}

/// `GET /api/v1/incidents/{id}/timeline?limit=&cursor=`, the first first.
pub(in super::super) async fn timeline(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<Json<Page<TimelineEntry>>, ApiError> {
    let mut params = Params::of(&request);
    let limit = params.limit();
    let after: Option<i64> = params.cursor();
    params.finish()?;
    let mut connection = state.store.conn().await?;
    let incident = of(&mut connection, &principal, &id).await?;
    let surplus = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    let found = oncall::timeline(&mut connection, incident.id, after, surplus).await?;
    Ok(Json(Page::cut(found, limit, |last| last.id)))
}

/// `GET /api/v1/incidents/{id}/pages`: who was paged by what, and how it went; the first 1,000.
pub(in super::super) async fn pages(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<Json<Page<SentPage>>, ApiError> {
    let mut connection = state.store.conn().await?;
    let incident = of(&mut connection, &principal, &id).await?;
    Ok(Json(Page::whole(oncall::pages_of(&mut connection, incident.id, MAX_PAGES).await?)))
}

/// The incident in a path, when the caller sees it and may do with it what the route does.
pub(super) async fn of(
    connection: &mut Connection,
    principal: &Principal,
    id: &str,
) -> Result<Incident, ApiError> {
    let found = match id.parse() {
        Ok(number) => oncall::get_incident(connection, &principal.visible(), number).await?,
        Err(_) => None,
    };
    let found = found.ok_or_else(|| named::missing("incident", id))?;
    principal.allowed(found.team)?;
    Ok(found)
}
