//! `POST /api/v1/incidents/{id}/merge`: an incident becomes part of another one.

use super::incidents::of;
use crate::access::Principal;
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_model::IncidentId;
use bugle_store::audit::{self, Target};
use bugle_store::oncall::{self, Incident, Merged};
use bugle_store::{Connection, Transactions};
use bugle_web::{Code, JsonBody, Problem};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

/// What an incident is to be part of.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "IncidentMerge")]
pub(in super::super) struct Body {
    /// Another open incident of the same team.
    into: IncidentId,
}

/// `POST …/merge` with `into`: gives that one as it is then.
pub(in super::super) async fn merge(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
    JsonBody(Body { into }): JsonBody<Body>,
) -> Result<Json<Incident>, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let going = of(&mut connection, &principal, &id).await?;
    let staying = staying(&mut connection, &principal, &going, into).await?;
    let merged = connection
        .transaction(async |connection| {
            let actor = &principal.actor.name;
            match oncall::merge_incident(connection, going.id, into, actor, now).await? {
                Merged::Done => {}
                Merged::NotOpen(which) => {
                    let detail = format!("incident {which} is resolved");
                    return Err(Problem::with_detail(Code::Conflict, detail).into());
                }
            }
            let name = going.short_id.as_deref().unwrap_or(&going.title);
            let target = Target::new("incident", going.id, name);
            let after = Some(json!({ "into": into }));
            let entry = principal.changed("incident.merged", target, going.team, None, after);
            audit::add(connection, &entry, now).await?;
            of(connection, &principal, &staying.id.to_string()).await
        })
        .await?;
    Ok(Json(merged))
}

/// The incident that the body names, when the caller sees it and it may be merged into.
async fn staying(
    connection: &mut Connection,
    principal: &Principal,
    going: &Incident,
    into: IncidentId,
) -> Result<Incident, ApiError> {
    let refused = |message: String| Problem::invalid_field("into", message);
    if into == going.id {
        return Err(refused("is the incident itself".to_owned()).into());
    }
    let found = oncall::get_incident(connection, &principal.visible(), into).await?;
    let found = found.ok_or_else(|| refused(format!("there is no incident {into}")))?;
    if found.team.is_none() || found.team != going.team {
        return Err(refused(format!("incident {into} is another team's")).into());
    }
    Ok(found)
}
