//! `GET /api/error-logging/errors/{id}/` by issue number or event id; 404 with `Retry-After` until the event is recorded.

use super::named;
use crate::access::Principal;
use crate::view::older::ErrorView;
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<Json<ErrorView>, ApiError> {
    let mut connection = state.store.conn().await?;
    let (issue, event) = named::error(&mut connection, &principal, &id).await?;
    Ok(Json(ErrorView::new(issue, event.as_ref())))
}
