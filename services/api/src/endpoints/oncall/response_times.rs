//! `PUT /api/v1/teams/{id}/response-times`: how long a team's incidents have to be answered. The team shows them.

use super::super::named;
use crate::access::Principal;
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_store::Transactions;
use bugle_store::audit::{self, Target};
use bugle_store::oncall::{self, ResponseTimes};
use bugle_web::{FieldError, JsonBody};
use serde_json::json;

/// All of them anew.
pub(in super::super) async fn set(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
    JsonBody(times): JsonBody<ResponseTimes>,
) -> Result<Json<ResponseTimes>, ApiError> {
    let mistakes = times.mistakes().into_iter().map(|(field, message)| FieldError::new(field, message));
    named::refuse(mistakes.collect())?;
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let team = named::team(&mut connection, &principal, &id).await?;
    connection
        .transaction(async |connection| {
            oncall::set_response_times(connection, team.id, &times).await?;
            let target = Target::new("team", team.id, &team.name);
            let (before, after) = (Some(json!(team.response_times)), Some(json!(times)));
            let entry = principal.changed("response_times.changed", target, Some(team.id), before, after);
            Ok::<_, ApiError>(audit::add(connection, &entry, now).await?)
        })
        .await?;
    Ok(Json(times))
}
