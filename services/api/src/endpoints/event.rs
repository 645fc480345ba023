//! `GET /api/v1/projects/{project}/events/{event_id}`; the project by id or name.

use super::named;
use crate::access::Principal;
use crate::view::event::EventView;
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_store::events;

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
    path: Path<(String, String)>,
) -> Result<Json<EventView>, ApiError> {
    let (project, text) = path.into_inner();
    let id = named::event_id(&text)?;
    let mut connection = state.store.conn().await?;
    let project = named::project(&mut connection, &principal, &project).await?;
    let found = events::find(&mut connection, &principal.scope(), id, Some(project.id)).await?;
    let stored = found.first().ok_or_else(|| named::missing("event", &text))?;
    Ok(Json(EventView::new(stored)))
}
