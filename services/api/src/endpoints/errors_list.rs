//! `GET /api/error-logging/errors/?service=&severity=&status=&resolved=&search=&limit=&cursor=`, the older contract's
//! list. Other parameters are ignored: its clients send some that have no meaning here.

use super::named;
use crate::access::Principal;
use crate::openapi::{CURSOR, LIMIT, Parameter, parameter};
use crate::view::older::ErrorView;
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use bugle_model::{IssueStatus, Priority};
use bugle_store::events;
use bugle_store::issues::{self, Filter, Position};
use bugle_web::{Page, Params};

pub(super) const PARAMETERS: &[Parameter] = &[
    parameter::<String>("service", "Only this project, by id or name."),
    parameter::<Priority>("severity", "Only those of this priority."),
    parameter::<IssueStatus>("status", "Only those that stand so."),
    parameter::<bool>("resolved", "Only those that are resolved, or are not."),
    parameter::<String>("search", "A text in title, message or culprit."),
    LIMIT,
    CURSOR,
];

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Json<Page<ErrorView>>, ApiError> {
    let mut params = Params::of(&request);
    let filter = read_filter(&mut params);
    answer(&principal, &state, params, filter).await
}

/// The errors that a filter leaves, of the `service` asked for.
pub(super) async fn answer(
    principal: &Principal,
    state: &State,
    mut params: Params,
    mut filter: Filter,
) -> Result<Json<Page<ErrorView>>, ApiError> {
    let (service, limit) = (params.text("service"), params.limit());
    filter.scope = principal.scope();
    let after: Option<Position> = params.cursor();
    params.ignore_others();
    params.finish()?;

    let mut connection = state.store.conn().await?;
    if let Some(service) = service {
        filter.project = Some(named::project_parameter(&mut connection, principal, &service).await?.id);
    }
    let found =
        issues::list(&mut connection, &filter, after, limit + 1).await.map_err(ApiError::of_search)?;
    let page = Page::cut(found, limit, Position::of);
    let ids: Vec<_> = page.items.iter().map(|issue| issue.id).collect();
    let latest = events::latest(&mut connection, &ids).await?;
    Ok(Json(page.map(|issue| {
        let event = latest.get(&issue.id);
        ErrorView::new(issue, event)
    })))
}

fn read_filter(params: &mut Params) -> Filter {
    let severity = params.optional("severity", "critical, high, medium or low", |text| text.parse().ok());
    let status = params.optional("status", "unresolved, resolved or ignored", |text| text.parse().ok());
    let resolved =
        params.optional("resolved", "true or false", |text| text.to_ascii_lowercase().parse().ok());
    // What has nothing to search for narrows nothing: this contract refuses little.
    let search = params.text("search").map(|text| text.chars().take(500).collect::<String>());
    let search = search.filter(|text| text.contains(char::is_alphanumeric));
    let statuses = match (status, resolved) {
        (Some(status), _) => Some(vec![status]),
        (None, Some(true)) => Some(vec![IssueStatus::Resolved]),
        (None, Some(false)) => Some(vec![IssueStatus::Unresolved, IssueStatus::Ignored]),
        (None, None) => None,
    };
    Filter {
        statuses,
        priorities: severity.map(|severity| vec![severity]),
        texts: search.into_iter().collect(),
        ..Filter::default()
    }
}
