//! `GET /api/v1/storage`: how much room each project takes.

use crate::access::Principal;
use crate::{ApiError, State};
use actix_web::web::{Data, Json};
use bugle_store::storage::{self, Room};
use bugle_web::Page;
use schemars::JsonSchema;
use serde::Serialize;

/// How much room a project takes.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Room")]
pub(super) struct RoomView {
    /// The project's id.
    project: i32,
    /// Its name.
    name: String,
    /// Bytes of its events: an estimate by a sample, once there are many.
    events_bytes: i64,
    /// Bytes of its attachments.
    attachments_bytes: i64,
}

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
) -> Result<Json<Page<RoomView>>, ApiError> {
    let mut connection = state.store.conn().await?;
    let found = storage::by_project(&mut connection, &principal.scope()).await?;
    let view = |Room { project, name, events, attachments }| RoomView {
        project,
        name,
        events_bytes: events,
        attachments_bytes: attachments,
    };
    Ok(Json(Page::whole(found).map(view)))
}
