//! `GET /api/v1/services`: the processes, and how they are.

use crate::access::Principal;
use crate::{ApiError, State};
use actix_web::web::{Data, Json};
use bugle_store::heartbeats::{self, Heartbeat};
use bugle_web::Page;
use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::Serialize;

/// Six signs of life missed.
const SILENCE: TimeDelta = TimeDelta::minutes(1);
/// How long one is missed that has no successor.
const MISSED: TimeDelta = TimeDelta::days(1);

/// One process of one service.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Service")]
pub(super) struct View {
    #[serde(flatten)]
    heartbeat: Heartbeat,
    /// Whether it showed a sign of life within the last minute.
    alive: bool,
}

pub(super) async fn handler(_: Principal, state: Data<State>) -> Result<Json<Page<View>>, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let found = heartbeats::list(&mut connection, now - SILENCE, now - MISSED).await?;
    let view = |heartbeat: Heartbeat| View { alive: heartbeat.seen_at >= now - SILENCE, heartbeat };
    Ok(Json(Page::whole(found.into_iter().map(view).collect())))
}
