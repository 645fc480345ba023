//! `GET /api/v1/releases/{id}/deploys?limit=&cursor=`, the latest first; `POST` notes one.

use super::release;
use crate::access::Principal;
use crate::openapi::{CURSOR, Created, LIMIT, Parameter};
use crate::releases::{self, Mistakes};
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path};
use bugle_store::releases::{Deploy, NewDeploy, deploys};
use bugle_web::{JsonBody, Page, Params};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Deserialize;

pub(super) const PARAMETERS: &[Parameter] = &[LIMIT, CURSOR];

pub(super) async fn list(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<Json<Page<Deploy>>, ApiError> {
    let mut params = Params::of(&request);
    let limit = params.limit();
    let before: Option<i32> = params.cursor();
    params.finish()?;
    let mut connection = state.store.conn().await?;
    let release = release::named(&mut connection, &principal, &id).await?;
    let found = deploys(&mut connection, &release, before, limit + 1).await?;
    Ok(Json(Page::cut(found, limit, |deploy| deploy.id)))
}

/// A deploy of a release.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    /// Where to, 64 bytes at most.
    environment: String,
    /// What it is called, 64 characters at most.
    name: Option<String>,
    /// Where one can read about it, 2,048 characters at most.
    url: Option<String>,
    /// When it was begun.
    started_at: Option<DateTime<Utc>>,
    /// When it was finished; now, unless said otherwise.
    finished_at: Option<DateTime<Utc>>,
}

pub(super) async fn create(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Created<Deploy>, ApiError> {
    let now = state.clock.now();
    let Body { environment, name, url, started_at, finished_at } = body;
    let new = NewDeploy { environment, name, url, started_at, finished_at: finished_at.unwrap_or(now) };
    let mut mistakes = Mistakes::default();
    mistakes.deploy(&new);
    mistakes.refuse()?;
    let mut connection = state.store.conn().await?;
    let release = release::named(&mut connection, &principal, &id).await?;
    Ok(Created::of(releases::deploy(&mut connection, &principal, &release, &new, now).await?))
}
