//! `GET /api/v1/issues/{id}/activity?limit=&cursor=`, the latest first.

use super::named;
use crate::access::Principal;
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpRequest, Responder};
use bugle_store::activity;
use bugle_web::{Page, Params};

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<impl Responder, ApiError> {
    let mut params = Params::of(&request);
    let limit = params.limit();
    let before: Option<i64> = params.cursor();
    params.finish()?;
    let mut connection = state.store.conn().await?;
    let issue = named::issue(&mut connection, &principal, &id).await?;
    let found = activity::list(&mut connection, issue.id, before, limit + 1).await?;
    Ok(Json(Page::cut(found, limit, |activity| activity.id)))
}
