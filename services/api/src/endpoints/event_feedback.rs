//! `GET /api/v1/events/{event_id}/feedback`: what users said about an event.

use super::named;
use crate::access::Principal;
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path};
use bugle_store::feedback::{self, Feedback};
use bugle_web::Page;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

/// What one user said.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Feedback")]
pub(super) struct FeedbackView {
    /// Its id.
    id: i64,
    /// Who, as they wrote it.
    name: Option<String>,
    /// Their mail address, as they wrote it.
    email: Option<String>,
    /// The text.
    message: String,
    /// The page that they were on.
    url: Option<String>,
    /// When it came.
    received_at: DateTime<Utc>,
}

impl From<Feedback> for FeedbackView {
    fn from(found: Feedback) -> Self {
        let Feedback { id, name, email, message, url, received_at } = found;
        Self { id, name, email, message, url, received_at }
    }
}

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
    text: Path<String>,
) -> Result<Json<Page<FeedbackView>>, ApiError> {
    let mut connection = state.store.conn().await?;
    let event = named::event(&mut connection, &principal, &request, &text).await?;
    let found = feedback::of_event(&mut connection, event.project, event.event.event_id).await?;
    Ok(Json(Page::whole(found).map(FeedbackView::from)))
}
