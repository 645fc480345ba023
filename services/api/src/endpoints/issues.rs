//! `GET /api/v1/issues?project=&status=&query=&sort=&sparkline=&limit=&cursor=`

use super::issue_search::{self, Asked, CHOOSE, SORT};
use super::stats::Period;
use crate::access::Principal;
use crate::openapi::{CURSOR, LIMIT, Parameter, parameter};
use crate::view::issue::IssueView;
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use bugle_model::IssueId;
use bugle_store::issues::{self, Found, Place};
use bugle_store::{Connection, bookmarks, stats};
use bugle_web::{Page, Params};
use std::collections::{BTreeMap, BTreeSet};

pub(super) const PARAMETERS: &[Parameter] = &[
    CHOOSE[0],
    CHOOSE[1],
    CHOOSE[2],
    SORT,
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
    let now = state.clock.now();
    let asked = Asked::take(&mut params, now);
    let sort = issue_search::sort(&mut params);
    let sparkline = params.optional("sparkline", "true or false", |text| text.parse().ok()).unwrap_or(false);
    let limit = params.limit();
    let after: Option<Place> = params.cursor();
    if after.is_some_and(|place| place.sort != sort) {
        params.complain("cursor", "is of a list in another order");
    }
    params.finish()?;
    let mut connection = state.store.conn().await?;
    let Some(filter) = asked.filter(&mut connection, &principal).await? else {
        return Ok(Json(Page::whole(Vec::new())));
    };
    let found = issues::search(&mut connection, &filter, sort, after, limit + 1)
        .await
        .map_err(ApiError::of_search)?;
    let page = Page::cut(found, limit, |found: &Found| found.place);
    let ids: Vec<IssueId> = page.items.iter().map(|found| found.issue.id).collect();
    let mut trends = if sparkline {
        stats::of_issues(&mut connection, &ids, &Period::Day.buckets(now)).await?
    } else {
        BTreeMap::new()
    };
    let marked = bookmarked(&mut connection, &principal, &ids).await?;
    Ok(Json(page.map(|Found { issue, .. }| {
        let trend = trends.remove(&issue.id);
        let marked = marked.as_ref().map(|marked| marked.contains(&issue.id));
        IssueView::from(issue).with_sparkline(trend).with_bookmark(marked)
    })))
}

/// Which of these the caller has bookmarked; none of it for a token.
pub(super) async fn bookmarked(
    connection: &mut Connection,
    principal: &Principal,
    issues: &[IssueId],
) -> Result<Option<BTreeSet<IssueId>>, ApiError> {
    let Some(user) = principal.user_id() else { return Ok(None) };
    Ok(Some(bookmarks::among(connection, user, issues).await?))
}
