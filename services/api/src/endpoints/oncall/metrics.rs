//! `GET /api/v1/on-call/metrics?from=&to=&team=`: how on-call went.

use super::schedules::time;
use crate::access::Principal;
use crate::openapi::{Parameter, parameter};
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use bugle_model::TeamId;
use bugle_store::oncall::{self, MAX_RANGE, MetricsFilter, OnCallMetrics};
use bugle_store::teams;
use bugle_web::{Params, Problem};
use chrono::{DateTime, TimeDelta, Utc};

/// What is looked at when nothing is said.
const DEFAULT_RANGE: TimeDelta = TimeDelta::days(30);

pub(in super::super) const PARAMETERS: &[Parameter] = &[
    parameter::<DateTime<Utc>>("from", "The beginning; 30 days before the end, when absent."),
    parameter::<DateTime<Utc>>("to", "The end, 90 days later at most; now, when absent."),
    parameter::<TeamId>("team", "Only of this team, by its id."),
];

/// `GET /api/v1/on-call/metrics`
pub(in super::super) async fn get(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Json<OnCallMetrics>, ApiError> {
    let mut params = Params::of(&request);
    let to = time(&mut params, "to").unwrap_or_else(|| state.clock.now());
    let from = time(&mut params, "from").unwrap_or(to - DEFAULT_RANGE);
    if to <= from || to - from > MAX_RANGE {
        params.complain("to", format!("later than from, by {} days at most", MAX_RANGE.num_days()));
    }
    let team = params.optional("team", "a team's id", |text| text.parse().ok());
    params.finish()?;
    let mut connection = state.store.conn().await?;
    if let Some(id) = team
        && teams::get(&mut connection, &principal.visible(), id).await?.is_none()
    {
        return Err(Problem::invalid_field("team", format!("there is no team {id}")).into());
    }
    let filter = MetricsFilter { from, to, team };
    Ok(Json(oncall::metrics(&mut connection, &principal.scope(), &filter).await?))
}
