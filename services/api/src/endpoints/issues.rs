//! `GET /api/v1/issues?project=&status=&query=&sparkline=&limit=&cursor=`

use super::named;
use super::stats::{PROJECT, Period};
use crate::access::Principal;
use crate::openapi::{CURSOR, LIMIT, Parameter, parameter};
use crate::view::issue::IssueView;
use crate::{ApiError, State, query};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use bugle_model::{IssueId, IssueStatus, UserId};
use bugle_store::issues::{self, Filter, Issue, Position};
use bugle_store::{Connection, bookmarks, stats};
use bugle_web::{FieldError, Page, Params, Problem};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

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
    let asked = Asked::read(&mut params, state.clock.now());
    let sparkline = params.optional("sparkline", "true or false", |text| text.parse().ok()).unwrap_or(false);
    let now = state.clock.now();
    let limit = params.limit();
    let after: Option<Position> = params.cursor();
    params.finish()?;
    let mut connection = state.store.conn().await?;
    let Some(filter) = asked.filter(&mut connection, &principal).await? else {
        return Ok(Json(Page::whole(Vec::new())));
    };
    let found = issues::list(&mut connection, &filter, after, limit + 1).await?;
    let page = Page::cut(found, limit, Position::of);
    let mut trends = if sparkline {
        let ids: Vec<_> = page.items.iter().map(|issue| issue.id).collect();
        stats::of_issues(&mut connection, &ids, &Period::Day.buckets(now)).await?
    } else {
        BTreeMap::new()
    };
    let marked = bookmarked(&mut connection, &principal, &page.items).await?;
    Ok(Json(page.map(|issue| {
        let trend = trends.remove(&issue.id);
        let marked = marked.as_ref().map(|marked| marked.contains(&issue.id));
        IssueView::from(issue).with_sparkline(trend).with_bookmark(marked)
    })))
}

/// Which of these the caller has bookmarked; none of it for a token.
pub(super) async fn bookmarked(
    connection: &mut Connection,
    principal: &Principal,
    found: &[Issue],
) -> Result<Option<BTreeSet<IssueId>>, ApiError> {
    let Some(user) = principal.user_id() else { return Ok(None) };
    let ids: Vec<IssueId> = found.iter().map(|issue| issue.id).collect();
    Ok(Some(bookmarks::among(connection, user, &ids).await?))
}

/// The parameters that choose issues: of lists, exports and bulk changes.
pub(super) struct Asked {
    pub(super) project: Option<String>,
    pub(super) status: Option<IssueStatus>,
    pub(super) query: query::Query,
}

impl Asked {
    /// Reads `project`, `status` and `query`.
    pub(super) fn read(params: &mut Params, now: DateTime<Utc>) -> Self {
        let project = params.text("project");
        let status = params.optional("status", "unresolved, resolved or ignored", |text| text.parse().ok());
        Self { project, status, query: understood(params, now) }
    }

    /// The filter of the caller's; `None` when nothing can be what is asked for.
    pub(super) async fn filter(
        self,
        connection: &mut Connection,
        principal: &Principal,
    ) -> Result<Option<Filter>, ApiError> {
        let Self { project, status, mut query } = self;
        let Some(statuses) = both(status, query.statuses.clone()) else { return Ok(None) };
        let project = match project {
            Some(named) => Some(named::project_parameter(connection, principal, &named).await?.id),
            None => None,
        };
        refuse_unknown_tags(connection, &query).await?;
        let mine = principal.user_id().filter(|_| query.mine);
        if query.mine && mine.is_none() {
            query.assigned_to.push(principal.actor.name.clone());
        }
        // A token has no bookmarks.
        let bookmarked = query.bookmarked.map(|yes| (principal.user_id().unwrap_or(UserId(0)), yes));
        let scope = principal.scope();
        Ok(Some(Filter { scope, project, statuses, mine, bookmarked, ..Filter::from(query) }))
    }
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
