//! `GET /api/v1/issues/{id}/events?limit=&cursor=`, the newest first.

use super::named;
use crate::access::Principal;
use crate::view::event::EventView;
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path};
use bugle_store::events::{self, Position};
use bugle_web::{Page, Params};

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<Json<Page<EventView>>, ApiError> {
    let mut params = Params::of(&request);
    let limit = params.limit();
    let after: Option<Position> = params.cursor();
    params.finish()?;
    let mut connection = state.store.conn().await?;
    let issue = named::issue(&mut connection, &principal, &id).await?;
    let found = events::list(&mut connection, issue.id, after, limit + 1).await?;
    Ok(Json(Page::cut(found, limit, Position::of).map(|stored| EventView::new(&stored))))
}
