//! `PUT` and `DELETE /api/v1/issues/{id}/bookmark`: each person's own; nobody else is told.

use super::named;
use crate::access::Principal;
use crate::openapi::NoContent;
use crate::{ApiError, State};
use actix_web::web::{Data, Path};
use bugle_store::bookmarks;

pub(super) async fn put(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<NoContent, ApiError> {
    let mut connection = state.store.conn().await?;
    let issue = named::issue(&mut connection, &principal, &id).await?.id;
    let user = principal.session()?.active.user.id;
    bookmarks::add(&mut connection, user, issue, state.clock.now()).await?;
    Ok(NoContent::new())
}

pub(super) async fn remove(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<NoContent, ApiError> {
    let mut connection = state.store.conn().await?;
    let issue = named::issue(&mut connection, &principal, &id).await?.id;
    let user = principal.session()?.active.user.id;
    bookmarks::remove(&mut connection, user, issue).await?;
    Ok(NoContent::new())
}
