//! `GET /api/v1/issues?project=&status=&query=&sort=&sparkline=&limit=&cursor=`

use super::issue_search::Asked;
use super::stats::Period;
use crate::access::Principal;
use crate::view::issue::IssueView;
use crate::{ApiError, State};
use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, Responder};
use bugle_store::issues::{self, Found, Place, Sort};
use bugle_store::stats;
use bugle_web::{Page, Params};
use std::collections::BTreeMap;

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
) -> Result<impl Responder, ApiError> {
    let mut params = Params::of(&request);
    let now = state.clock.now();
    let asked = Asked::take(&mut params, &principal, now);
    let names = "last_seen, first_seen, events, users or priority";
    let sort: Sort = params.optional("sort", names, |text| text.parse().ok()).unwrap_or_default();
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
    let found = issues::search(&mut connection, &filter, sort, after, limit + 1).await?;
    let page = Page::cut(found, limit, |found: &Found| found.place);
    let mut trends = if sparkline {
        let ids: Vec<_> = page.items.iter().map(|found| found.issue.id).collect();
        stats::of_issues(&mut connection, &ids, &Period::Day.buckets(now)).await?
    } else {
        BTreeMap::new()
    };
    Ok(Json(page.map(|Found { issue, .. }| {
        let trend = trends.remove(&issue.id);
        IssueView::from(issue).with_sparkline(trend)
    })))
}
