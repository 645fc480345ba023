//! `DELETE /api/v1/projects/{project}/destinations/{id}`: 204.

use super::destination_test::of_project;
use crate::{ApiError, State};
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, Responder};
use bugle_store::destinations;
use bugle_web::auth::Caller;

pub(super) async fn handler(
    caller: Caller,
    state: Data<State>,
    path: Path<(String, String)>,
) -> Result<impl Responder, ApiError> {
    let (project, id) = path.into_inner();
    let mut connection = state.store.conn().await?;
    let destination = of_project(&mut connection, &project, &id).await?;
    destinations::delete(&mut connection, destination).await?;
    tracing::info!(%destination, token = caller.name, "destination removed");
    Ok(HttpResponse::NoContent())
}
