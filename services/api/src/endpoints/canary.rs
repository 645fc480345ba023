//! `POST /api/v1/canary`: the webhook at the end of the canary's road. The id of the event, which nobody else knows, says which round it is
//! about. Whatever else comes (tests, other events of the project) is answered as well as that, and let be.

use crate::openapi::NoContent;
use crate::{ApiError, State};
use actix_web::web::Data;
use bugle_model::parse_event_id;
use bugle_store::canary;
use bugle_web::JsonBody;
use schemars::JsonSchema;
use serde::Deserialize;

/// As much of a webhook's body as matters here.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "CanaryMessage")]
pub(super) struct Body {
    data: Option<Told>,
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "CanaryMessageData")]
struct Told {
    event: Option<Event>,
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "CanaryEvent")]
struct Event {
    event_id: String,
}

pub(super) async fn receive(
    state: Data<State>,
    JsonBody(body): JsonBody<Body>,
) -> Result<NoContent, ApiError> {
    let event = body.data.and_then(|told| told.event);
    if let Some(id) = event.and_then(|event| parse_event_id(&event.event_id)) {
        canary::arrive(&mut *state.store.conn().await?, id, state.clock.now()).await?;
    }
    Ok(NoContent::new())
}
