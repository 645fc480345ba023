//! `DELETE /api/v1/issues/{id}?discard=true`: removes it with its events; discarded, events like them are filtered from then on.

use super::conflicts::retried;
use super::{issue_merge, named};
use crate::access::Principal;
use crate::openapi::{NoContent, Parameter, parameter};
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::{Data, Path};
use bugle_model::IssueId;
use bugle_store::audit::{self, Target};
use bugle_store::issues::merge::{self, Gone};
use bugle_store::{Connection, Transactions};
use bugle_web::Params;
use chrono::{DateTime, Utc};
use serde_json::json;

pub(super) const PARAMETERS: &[Parameter] =
    &[parameter::<bool>("discard", "Whether events with its fingerprints are filtered from now on.")];

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<NoContent, ApiError> {
    let mut params = Params::of(&request);
    let discard = params.optional("discard", "true or false", |text| text.parse().ok()).unwrap_or(false);
    params.finish()?;
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let issue = named::issue(&mut connection, &principal, &id).await?;
    retried(async || {
        connection
            .transaction(async |connection| {
                let gone = remove(connection, &principal, issue.id, discard, now).await?;
                let gone = gone.ok_or_else(|| named::missing("issue", &id))?;
                let target = Target::new("issue", gone.id, &gone.short_id);
                let before = json!({ "title": gone.title });
                let after = discard.then(|| json!({ "discarded": true }));
                let entry = principal.changed("issue.deleted", target, gone.team(), Some(before), after);
                audit::add(connection, &entry, now).await?;
                Ok(())
            })
            .await
    })
    .await?;
    issue_merge::follow(&mut connection, now).await;
    Ok(NoContent::new())
}

/// Removes an issue of the caller's.
pub(super) async fn remove(
    connection: &mut Connection,
    principal: &Principal,
    id: IssueId,
    discard: bool,
    now: DateTime<Utc>,
) -> Result<Option<Gone>, ApiError> {
    let discarded_by = discard.then_some(principal.actor.name.as_str());
    Ok(merge::delete(connection, &principal.scope(), id, discarded_by, now).await?)
}
