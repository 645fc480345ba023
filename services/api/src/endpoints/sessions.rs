//! `/api/v1/sessions`: where I am signed in, and ending it there.

use super::named;
use crate::access::Principal;
use crate::openapi::NoContent;
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_store::Transactions;
use bugle_store::audit::{self, Target};
use bugle_store::sessions::{self, Session};
use bugle_web::Page;
use schemars::JsonSchema;
use serde::Serialize;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SignedInSession")]
pub(super) struct View {
    #[serde(flatten)]
    session: Session,
    current: bool,
}

/// `GET …/sessions`
pub(super) async fn list(principal: Principal, state: Data<State>) -> Result<Json<Page<View>>, ApiError> {
    let active = &principal.session()?.active;
    let mut connection = state.store.conn().await?;
    let found = sessions::list(&mut connection, active.user.id, state.clock.now()).await?;
    let view = |session: Session| View { current: session.id == active.session, session };
    Ok(Json(Page::whole(found.into_iter().map(view).collect())))
}

/// `DELETE …/sessions/{id}`
pub(super) async fn end(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<NoContent, ApiError> {
    let user = &principal.session()?.active.user;
    let number = id.parse().map_err(|_| named::missing("session", &id))?;
    let now = state.clock.now();
    let entry = principal.did("session.revoked", Target::new("session", number, &user.name), None);
    let mut connection = state.store.conn().await?;
    connection
        .transaction(async |connection| {
            if !sessions::end(connection, user.id, number).await? {
                return Err(ApiError::from(named::missing("session", &id)));
            }
            Ok(audit::add(connection, &entry, now).await?)
        })
        .await?;
    Ok(NoContent::new())
}

/// `DELETE …/sessions`: all but this one.
pub(super) async fn end_others(principal: Principal, state: Data<State>) -> Result<NoContent, ApiError> {
    let active = &principal.session()?.active;
    let now = state.clock.now();
    let target = Target::new("user", active.user.id, &active.user.name);
    let entry = principal.did("session.others_revoked", target, None);
    let mut connection = state.store.conn().await?;
    connection
        .transaction(async |connection| {
            sessions::end_all(connection, active.user.id, Some(active.session)).await?;
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(())
        })
        .await?;
    Ok(NoContent::new())
}
