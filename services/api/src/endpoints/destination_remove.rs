//! `DELETE /api/v1/projects/{project}/destinations/{id}`: 204.

use super::destination_test::of_project;
use crate::access::Principal;
use crate::openapi::NoContent;
use crate::{ApiError, State};
use actix_web::web::{Data, Path};
use bugle_store::audit::{self, Target};
use bugle_store::{Transactions, destinations};

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
    path: Path<(String, String)>,
) -> Result<NoContent, ApiError> {
    let (project, id) = path.into_inner();
    let mut connection = state.store.conn().await?;
    let (project, destination) = of_project(&mut connection, &principal, &project, &id).await?;
    let now = state.clock.now();
    connection
        .transaction(async |connection| {
            destinations::delete(connection, destination.id).await?;
            let target = Target::new("destination", destination.id, &project.name);
            let before = Some(destination.audited());
            let entry = principal.changed("destination.deleted", target, project.team, before, None);
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(())
        })
        .await?;
    Ok(NoContent::new())
}
