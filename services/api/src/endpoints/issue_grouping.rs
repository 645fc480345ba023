//! `GET /api/v1/issues/{id}/grouping`: why its latest event is grouped as it is, by the project's rules of now.

use super::named;
use crate::access::Principal;
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_grouping::{Explanation, Grouper};
use bugle_store::{events, projects};
use bugle_web::Problem;

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<Json<Explanation>, ApiError> {
    let mut connection = state.store.conn().await?;
    let issue = named::issue(&mut connection, &principal, &id).await?;
    let latest = events::latest(&mut connection, &[issue.id]).await?.remove(&issue.id);
    let latest = latest.ok_or_else(|| Problem::not_found("event of this issue any more"))?;
    let project = projects::find(&mut connection, &principal.scope(), &issue.project.to_string()).await?;
    let rules = project.map(|project| project.settings.grouping_rules).unwrap_or_default();
    // Rules are checked when they are saved; an older release may have known others.
    let grouper =
        Grouper::new(&rules).map_err(|error| Problem::invalid_field("grouping_rules", error.to_string()))?;
    Ok(Json(grouper.explain(&latest.event)))
}
