//! `GET /api/v1/services`: the processes that showed a sign of life within the last minute.

use super::named;
use crate::access::Principal;
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use bugle_store::heartbeats::{self, Heartbeat};
use bugle_web::Page;
use chrono::TimeDelta;

/// Six signs of life missed.
const SILENCE: TimeDelta = TimeDelta::minutes(1);

pub(super) async fn handler(
    _: Principal,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Json<Page<Heartbeat>>, ApiError> {
    named::no_parameters(&request)?;
    let mut connection = state.store.conn().await?;
    let found = heartbeats::list(&mut connection, state.clock.now() - SILENCE).await?;
    Ok(Json(Page::whole(found)))
}
