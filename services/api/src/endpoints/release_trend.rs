//! `GET /api/v1/releases/{id}/trend?period=24h|14d`: events of the release's project before and after it came.

use super::release;
use crate::access::Principal;
use crate::openapi::{Parameter, parameter};
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path};
use bugle_store::outcomes::hour_of;
use bugle_store::releases::{self, Release};
use bugle_store::stats::{self, Buckets};
use bugle_web::Params;
use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::Serialize;

/// How far on either side, and how fine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename = "ReleasePeriod")]
enum Period {
    /// By the hour.
    #[schemars(rename = "24h")]
    Day,
    /// By 24 hours.
    #[schemars(rename = "14d")]
    TwoWeeks,
}

pub(super) const PARAMETERS: &[Parameter] = &[parameter::<Period>(
    "period",
    "How far on either side: by the hour, or by 24 hours; 24h when left out.",
)];

impl Period {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "24h" => Some(Self::Day),
            "14d" => Some(Self::TwoWeeks),
            _ => None,
        }
    }

    /// The length of a bucket in hours, and how many there are on either side.
    const fn shape(self) -> (i64, i32) {
        match self {
            Self::Day => (1, 24),
            Self::TwoWeeks => (24, 14),
        }
    }
}

/// What shows that a release came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ReleaseArrival")]
enum Arrival {
    /// Its first event.
    Event,
    /// Its first deploy.
    Deploy,
}

/// Events of a release's project, of whatever release, before and after it came.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ReleaseTrend")]
pub(super) struct Trend {
    /// When it came: its first event or the end of its first deploy, whichever was earlier. Null before that; then the rest is empty.
    came_at: Option<DateTime<Utc>>,
    /// Which of the two.
    came_by: Option<Arrival>,
    /// The length of a bucket, in hours.
    hours: i64,
    /// The beginnings of the buckets; none of them is in the future. The release came in the hour with which the first of `after` begins.
    buckets: Vec<DateTime<Utc>>,
    /// Events before, one number for each of the first buckets.
    before: Vec<i64>,
    /// Events since, one number for each of the others.
    after: Vec<i64>,
}

pub(super) async fn get(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<Json<Trend>, ApiError> {
    let mut params = Params::of(&request);
    let period = params.optional("period", "24h or 14d", Period::parse).unwrap_or(Period::Day);
    params.finish()?;
    let mut connection = state.store.conn().await?;
    let release = release::named(&mut connection, &principal, &id).await?;
    let deployed = releases::first_deploy(&mut connection, &release).await?;
    let (hours, _) = period.shape();
    let now = state.clock.now();
    let Some((came_at, came_by)) = arrival(&release, deployed).filter(|(at, _)| *at <= now) else {
        let (buckets, before, after) = (Vec::new(), Vec::new(), Vec::new());
        return Ok(Json(Trend { came_at: None, came_by: None, hours, buckets, before, after }));
    };
    let (buckets, first_after) = around(came_at, period, now);
    let trend = stats::trend(&mut connection, &principal.visible(), Some(release.project), &buckets).await?;
    let mut before = trend.by_project.into_values().next().unwrap_or_else(|| vec![0; buckets.count]);
    let after = before.split_off(first_after.min(before.len()));
    let (came_at, came_by) = (Some(came_at), Some(came_by));
    Ok(Json(Trend { came_at, came_by, hours, buckets: buckets.starts(), before, after }))
}

fn arrival(release: &Release, deployed: Option<DateTime<Utc>>) -> Option<(DateTime<Utc>, Arrival)> {
    let event = release.first_seen.map(|at| (at, Arrival::Event));
    let deploy = deployed.map(|at| (at, Arrival::Deploy));
    event.into_iter().chain(deploy).min_by_key(|(at, _)| *at)
}

/// The buckets, and how many of them are before. What is still to come is left out, but for the bucket under way.
fn around(came_at: DateTime<Utc>, period: Period, now: DateTime<Utc>) -> (Buckets, usize) {
    let (hours, side) = period.shape();
    let (step, middle) = (TimeDelta::hours(hours), hour_of(came_at));
    let begun = (now - middle).num_seconds().div_euclid(step.num_seconds()) + 1;
    let after = i32::try_from(begun).unwrap_or(i32::MAX).clamp(0, side);
    let count = |number: i32| usize::try_from(number).unwrap_or_default();
    (Buckets { since: middle - step * side, step, count: count(side + after) }, count(side))
}
