//! `GET /api/v1/issues/{id}/stats?period=24h|14d|30d`: its events over time, and the releases of its project.

use super::named;
use super::stats::Period;
use crate::access::Principal;
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path};
use bugle_store::releases::{self, Marker};
use bugle_store::stats;
use bugle_web::Params;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

/// A chart has no room for more.
const RELEASES: i64 = 50;

/// Events over time.
#[derive(Serialize, JsonSchema)]
pub(super) struct Trend {
    /// When each begins.
    buckets: Vec<DateTime<Utc>>,
    counts: Vec<i64>,
    /// Those of the issue's project that were first seen within the period.
    releases: Vec<Marker>,
}

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<Json<Trend>, ApiError> {
    let mut params = Params::of(&request);
    let period = params.optional("period", "24h, 14d or 30d", Period::parse).unwrap_or(Period::Day);
    params.finish()?;
    let mut connection = state.store.conn().await?;
    let issue = named::issue(&mut connection, &principal, &id).await?;
    let buckets = period.buckets(state.clock.now());
    let counts = stats::of_issues(&mut connection, &[issue.id], &buckets).await?.remove(&issue.id);
    let releases = releases::markers(&mut connection, issue.project, buckets.since, RELEASES).await?;
    Ok(Json(Trend { buckets: buckets.starts(), counts: counts.unwrap_or_default(), releases }))
}
