//! `GET /api/v1/projects/{project}/discards`: what is filtered because an issue was discarded, the latest first. `DELETE …/{id}` lets
//! its events in again.

use super::named;
use crate::access::Principal;
use crate::openapi::NoContent;
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path};
use bugle_store::Transactions;
use bugle_store::audit::{self, Target};
use bugle_store::discards::{self, Discard};
use bugle_web::{Page, Params};
use serde_json::json;

pub(super) async fn list(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
    project: Path<String>,
) -> Result<Json<Page<Discard>>, ApiError> {
    let mut params = Params::of(&request);
    let limit = params.limit();
    let before: Option<i32> = params.cursor();
    params.finish()?;
    let mut connection = state.store.conn().await?;
    let project = named::project(&mut connection, &principal, &project).await?;
    let found = discards::list(&mut connection, project.id, before, limit + 1).await?;
    Ok(Json(Page::cut(found, limit, |last| last.id)))
}

pub(super) async fn remove(
    principal: Principal,
    state: Data<State>,
    path: Path<(String, String)>,
) -> Result<NoContent, ApiError> {
    let (project, id) = path.into_inner();
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let project = named::project(&mut connection, &principal, &project).await?;
    let number: i32 = id.parse().map_err(|_| named::missing("discard", &id))?;
    connection
        .transaction(async |connection| {
            let removed = discards::remove(connection, project.id, number).await?;
            let removed = removed.ok_or_else(|| named::missing("discard", &id))?;
            let target = Target::new("discard", removed.id, &removed.title);
            let before = Some(json!({ "project": project.id, "fingerprints": removed.fingerprints }));
            let entry = principal.changed("discard.removed", target, project.team, before, None);
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(())
        })
        .await?;
    Ok(NoContent::new())
}
