//! `GET /api/v1/issues?project=&status=&query=&sparkline=&limit=&cursor=`

use super::named;
use super::stats::{PROJECT, Period};
use crate::access::Principal;
use crate::openapi::{CURSOR, LIMIT, Parameter, parameter};
use crate::view::issue::IssueView;
use crate::{ApiError, State, query};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use bugle_model::IssueStatus;
use bugle_store::issues::{self, Filter, Position};
use bugle_store::{Connection, stats};
use bugle_web::{FieldError, Page, Params, Problem};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

pub(super) const PARAMETERS: &[Parameter] = &[
    PROJECT,
    parameter::<IssueStatus>("status", "Only those that stand so."),
    parameter::<String>("query", "What to search for; see docs/api.md."),
    parameter::<bool>("sparkline", "Whether to tell the events of each of the last 24 hours."),
    LIMIT,
    CURSOR,
];

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Json<Page<IssueView>>, ApiError> {
    let mut params = Params::of(&request);
    let project = params.text("project");
    let status = params.optional("status", "unresolved, resolved or ignored", |text| text.parse().ok());
    let sparkline = params.optional("sparkline", "true or false", |text| text.parse().ok()).unwrap_or(false);
    let now = state.clock.now();
    let mut query = understood(&mut params, now);
    for name in query.assigned_to.iter_mut().filter(|name| *name == "me") {
        name.clone_from(&principal.actor.name);
    }
    let limit = params.limit();
    let after: Option<Position> = params.cursor();
    params.finish()?;
    let Some(statuses) = both(status, query.statuses.clone()) else {
        return Ok(Json(Page::whole(Vec::new())));
    };

    let mut connection = state.store.conn().await?;
    let project = match project {
        Some(named) => Some(named::project_parameter(&mut connection, &principal, &named).await?.id),
        None => None,
    };
    refuse_unknown_tags(&mut connection, &query).await?;
    let filter = Filter { scope: principal.scope(), project, statuses, ..Filter::from(query) };
    let found = issues::list(&mut connection, &filter, after, limit + 1).await?;
    let page = Page::cut(found, limit, Position::of);
    let mut trends = if sparkline {
        let ids: Vec<_> = page.items.iter().map(|issue| issue.id).collect();
        stats::of_issues(&mut connection, &ids, &Period::Day.buckets(now)).await?
    } else {
        BTreeMap::new()
    };
    Ok(Json(page.map(|issue| {
        let trend = trends.remove(&issue.id);
        IssueView::from(issue).with_sparkline(trend)
    })))
}

/// A tag that no event has is most often a typo.
async fn refuse_unknown_tags(connection: &mut Connection, query: &query::Query) -> Result<(), ApiError> {
    let keys: Vec<&str> = query.tags.iter().map(|tag| tag.key.as_str()).collect();
    if keys.is_empty() {
        return Ok(());
    }
    let known = issues::known_tags(connection, &keys).await?;
    let unknown = query.tags.iter().zip(&query.tag_places).filter(|(tag, _)| !known.contains(&tag.key));
    let errors: Vec<_> = unknown
        .map(|(tag, position)| FieldError {
            position: Some(*position),
            ..FieldError::new(
                "query",
                format!("no event has a tag `{}`; quote it to search for the text", tag.key),
            )
        })
        .collect();
    if errors.is_empty() { Ok(()) } else { Err(Problem::invalid(errors).into()) }
}

fn understood(params: &mut Params, now: DateTime<Utc>) -> query::Query {
    let text = params.text("query").unwrap_or_default();
    query::parse(&text, now).unwrap_or_else(|errors| {
        for error in errors {
            params.complain_at("query", error.message, error.position);
        }
        query::Query::default()
    })
}

/// What `status` and the query's `is:` leave together; `None` when nothing can be both.
fn both(status: Option<IssueStatus>, asked: Vec<IssueStatus>) -> Option<Vec<IssueStatus>> {
    match status {
        None => Some(asked),
        Some(status) if asked.is_empty() || asked.contains(&status) => Some(vec![status]),
        Some(_) => None,
    }
}
