//! `GET /api/v1/stats/highlights?project=&period=24h|14d|30d`: unresolved issues worth a look.

use super::issues;
use super::stats::{Period, asked};
use crate::access::Principal;
use crate::view::issue::IssueView;
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use bugle_model::IssueId;
use bugle_store::highlights::{self, Worsening};
use bugle_store::{issues as stored, stats};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::HashMap;

/// An issue that gets worse.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "WorseningIssue")]
struct Worse {
    issue: IssueView,
    /// Events within the period.
    now: i64,
    /// Events within the period before.
    before: i64,
}

/// Unresolved issues worth a look, up to five of each kind, with their sparklines.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Highlights")]
pub(super) struct View {
    /// First seen within the period, the newest first.
    new: Vec<IssueView>,
    /// Came back within the period after they were resolved, the latest first.
    regressed: Vec<IssueView>,
    /// Known before the period, and in it at least ten events and twice as many as in the one before; the greatest difference first.
    worsening: Vec<Worse>,
}

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Json<View>, ApiError> {
    let (mut connection, project, period) = asked(&state, &principal, &request).await?;
    let now = state.clock.now();
    let buckets = period.buckets(now);
    let length = buckets.step * i32::try_from(buckets.count).unwrap_or(i32::MAX);
    let scope = principal.scope();
    let found =
        highlights::highlights(&mut connection, &scope, project, buckets.since, buckets.since - length)
            .await?;

    let worsening = found.worsening.iter().map(Worsening::issue);
    let ids: Vec<IssueId> = found.new.iter().chain(&found.regressed).copied().chain(worsening).collect();
    let marked = issues::bookmarked(&mut connection, &principal, &ids).await?;
    let mut trends = stats::of_issues(&mut connection, &ids, &Period::Day.buckets(now)).await?;
    let known = stored::get_many(&mut connection, &scope, &ids).await?;
    let views: HashMap<IssueId, IssueView> = known
        .into_iter()
        .map(|issue| {
            let id = issue.id;
            let marked = marked.as_ref().map(|marked| marked.contains(&id));
            (id, IssueView::from(issue).with_sparkline(trends.remove(&id)).with_bookmark(marked))
        })
        .collect();
    let all = |ids: Vec<IssueId>| ids.iter().filter_map(|id| views.get(id).cloned()).collect();
    let worse = |one: &Worsening| {
        Some(Worse { issue: views.get(&one.issue())?.clone(), now: one.now, before: one.before })
    };
    Ok(Json(View {
        worsening: found.worsening.iter().filter_map(worse).collect(),
        new: all(found.new),
        regressed: all(found.regressed),
    }))
}
