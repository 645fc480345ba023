//! `GET /api/v1/events/{event_id}`, where the id is unique among the projects that the caller may see.

use super::named;
use crate::access::Principal;
use crate::view::event::EventView;
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_store::events;
use bugle_web::{Code, Problem};

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
    text: Path<String>,
) -> Result<Json<EventView>, ApiError> {
    let id = named::event_id(&text)?;
    let mut connection = state.store.conn().await?;
    let found = events::find(&mut connection, &principal.scope(), id, None).await?;
    let stored = found.first().ok_or_else(|| named::missing("event", &text))?;
    if found.iter().any(|other| other.project != stored.project) {
        let detail =
            "several projects have an event with this id; ask /api/v1/projects/{project}/events/{event_id}";
        return Err(Problem::with_detail(Code::Conflict, detail).into());
    }
    Ok(Json(EventView::new(stored)))
}
