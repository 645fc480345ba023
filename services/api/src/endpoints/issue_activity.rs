//! `GET /api/v1/issues/{id}/activity?limit=&cursor=`, the latest first.

use super::named;
use crate::access::Principal;
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path};
use bugle_store::activity::{self, Activity};
use bugle_web::{Page, Params};

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<Json<Page<Activity>>, ApiError> {
    let mut params = Params::of(&request);
    let limit = params.limit();
    let before: Option<i64> = params.cursor();
    params.finish()?;
    let mut connection = state.store.conn().await?;
    let issue = named::issue(&mut connection, &principal, &id).await?;
    let found = activity::list(&mut connection, issue.id, before, limit + 1).await?;
    Ok(Json(Page::cut(found, limit, |activity| activity.id)))
}
