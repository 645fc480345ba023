//! `GET /api/v1/stats?project=&period=24h|14d|30d`: events over time by project and level, and how issues stand.

use super::named;
use crate::access::Principal;
use crate::openapi::{Parameter, parameter};
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use bugle_model::{Level, ProjectId};
use bugle_store::outcomes::hour_of;
use bugle_store::stats::{self, Buckets};
use bugle_store::{Connection, Pooled, Scope};
use bugle_web::Params;
use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::Serialize;

/// How far back, and how fine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
pub(super) enum Period {
    #[schemars(rename = "24h")]
    Day,
    #[schemars(rename = "14d")]
    TwoWeeks,
    #[schemars(rename = "30d")]
    Month,
}

pub(super) const PERIOD: Parameter = parameter::<Period>("period", "How far back; 24h when left out.");
pub(super) const PROJECT: Parameter = parameter::<String>("project", "Only this project, by id or name.");

impl Period {
    /// Understands what `period=` may be.
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "24h" => Some(Self::Day),
            "14d" => Some(Self::TwoWeeks),
            "30d" => Some(Self::Month),
            _ => None,
        }
    }

    /// Buckets that end with the hour of `now`.
    pub(super) fn buckets(self, now: DateTime<Utc>) -> Buckets {
        let (hours, count): (i32, usize) = match self {
            Self::Day => (1, 24),
            Self::TwoWeeks => (6, 56),
            Self::Month => (24, 30),
        };
        let step = TimeDelta::hours(i64::from(hours));
        let end = hour_of(now) + TimeDelta::hours(1);
        Buckets { since: end - step * i32::try_from(count).unwrap_or(i32::MAX), step, count }
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ProjectTrend")]
struct OfProject {
    project: ProjectId,
    name: String,
    counts: Vec<i64>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "LevelTrend")]
struct OfLevel {
    level: Level,
    counts: Vec<i64>,
}

/// Events over time, and how issues stand.
#[derive(Serialize, JsonSchema)]
pub(super) struct Stats {
    buckets: Vec<DateTime<Utc>>,
    total: Vec<i64>,
    by_project: Vec<OfProject>,
    by_level: Vec<OfLevel>,
    new_issues: i64,
    regressed_issues: i64,
    unresolved: i64,
}

/// What [`PROJECT`] and [`PERIOD`] say, and the connection that the project was looked up with.
pub(super) async fn asked(
    state: &State,
    principal: &Principal,
    request: &HttpRequest,
) -> Result<(Pooled, Option<ProjectId>, Period), ApiError> {
    let mut params = Params::of(request);
    let project = params.text("project");
    let period = params.optional("period", "24h, 14d or 30d", Period::parse).unwrap_or(Period::Day);
    params.finish()?;
    let mut connection = state.store.conn().await?;
    let project = match project {
        Some(named) => Some(named::project_parameter(&mut connection, principal, &named).await?.id),
        None => None,
    };
    Ok((connection, project, period))
}

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Json<Stats>, ApiError> {
    let (mut connection, project, period) = asked(&state, &principal, &request).await?;
    let buckets = period.buckets(state.clock.now());
    Ok(Json(answer(&mut connection, &principal.scope(), project, &buckets).await?))
}

async fn answer(
    connection: &mut Connection,
    scope: &Scope,
    project: Option<ProjectId>,
    buckets: &Buckets,
) -> Result<Stats, ApiError> {
    let trend = stats::trend(connection, scope, project, buckets).await?;
    let summary = stats::summary(connection, scope, project, buckets.since).await?;
    let mut total = vec![0; buckets.count];
    for counts in trend.by_project.values() {
        total.iter_mut().zip(counts).for_each(|(total, count)| *total += count);
    }
    let by_project =
        trend.by_project.into_iter().map(|((project, name), counts)| OfProject { project, name, counts });
    let by_level = trend.by_level.into_iter().rev().map(|(level, counts)| OfLevel { level, counts });
    Ok(Stats {
        buckets: buckets.starts(),
        total,
        by_project: by_project.collect(),
        by_level: by_level.collect(),
        new_issues: summary.new,
        regressed_issues: summary.regressed,
        unresolved: summary.unresolved,
    })
}
