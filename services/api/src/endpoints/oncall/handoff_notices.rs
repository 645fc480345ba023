//! `/api/v1/account/handoff-notices`: when one is told of one's shifts.

use crate::access::Principal;
use crate::{ApiError, State};
use actix_web::web::{Data, Json};
use bugle_store::Transactions;
use bugle_store::audit::{self, Target};
use bugle_store::oncall::{self, BEFORE_HOURS, HandoffSettings};
use bugle_web::{JsonBody, Problem};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

/// When one is to be told by mail of one's shifts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewHandoffSettings")]
pub(in super::super) struct Body {
    /// So many hours before one begins: some of 0 (when it does), 1, 12 and 24. None: not at all.
    before_hours: Vec<i16>,
    /// When one ends.
    going_off: bool,
}

/// `GET …/handoff-notices`
pub(in super::super) async fn get(
    principal: Principal,
    state: Data<State>,
) -> Result<Json<HandoffSettings>, ApiError> {
    let user = &principal.session()?.active.user;
    let mut connection = state.store.conn().await?;
    Ok(Json(oncall::handoff_settings(&mut connection, user.id).await?))
}

/// `PUT …/handoff-notices`
pub(in super::super) async fn set(
    principal: Principal,
    state: Data<State>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Json<HandoffSettings>, ApiError> {
    let user = &principal.session()?.active.user;
    if body.before_hours.iter().any(|hours| !BEFORE_HOURS.contains(hours)) {
        return Err(Problem::invalid_field("before_hours", "expected some of 0, 1, 12 and 24").into());
    }
    let settings =
        HandoffSettings { before_hours: body.before_hours.into_iter().collect(), going_off: body.going_off };
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    connection
        .transaction(async |connection| {
            let before = oncall::handoff_settings(connection, user.id).await?;
            oncall::set_handoff_settings(connection, user.id, &settings).await?;
            let target = Target::new("handoff_notices", user.id, "");
            let (before, after) = (Some(json!(before)), Some(json!(settings)));
            let entry = principal.changed("handoff_notices.changed", target, None, before, after);
            Ok::<_, ApiError>(audit::add(connection, &entry, now).await?)
        })
        .await?;
    Ok(Json(settings))
}
