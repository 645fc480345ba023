//! `GET`, `PATCH`, `DELETE /api/v1/releases/{id}`. The id is the project's id or name, a colon, and the version.

use super::conflicts::retried;
use super::issue_change::given;
use super::named;
use crate::access::Principal;
use crate::openapi::NoContent;
use crate::releases::{self, Mistakes};
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_model::ReleaseStatus;
use bugle_store::Connection;
use bugle_store::releases::{Release, ReleaseChange, get as get_release};
use bugle_web::JsonBody;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Deserialize;

/// The release with this id, when the caller sees it and may do with it what the route does.
pub(super) async fn named(
    connection: &mut Connection,
    principal: &Principal,
    id: &str,
) -> Result<Release, ApiError> {
    let missing = || named::missing("release", id);
    let (project, version) = id.split_once(':').ok_or_else(missing)?;
    let project =
        bugle_store::projects::find(connection, &principal.visible(), project).await?.ok_or_else(missing)?;
    let found = get_release(connection, project.id, version).await?.ok_or_else(missing)?;
    principal.allowed(found.team)?;
    Ok(found)
}

pub(super) async fn get(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<Json<Release>, ApiError> {
    let mut connection = state.store.conn().await?;
    Ok(Json(named(&mut connection, &principal, &id).await?))
}

/// What is to be different; what is left out stays, and `null` clears it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    /// Whether it is still looked at.
    status: Option<ReleaseStatus>,
    /// What it was built from: a branch, a tag or a commit, 250 characters at most.
    #[serde(default, rename = "ref", deserialize_with = "given")]
    reference: Option<Option<String>>,
    /// Where one can read about it, 2,048 characters at most.
    #[serde(default, deserialize_with = "given")]
    url: Option<Option<String>>,
    /// When work on it was begun.
    #[serde(default, deserialize_with = "given")]
    started_at: Option<Option<DateTime<Utc>>>,
    /// When it was released.
    #[serde(default, deserialize_with = "given")]
    released_at: Option<Option<DateTime<Utc>>>,
}

pub(super) async fn change(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Json<Release>, ApiError> {
    let Body { status, reference, url, started_at, released_at } = body;
    let change = ReleaseChange { status, reference, url, started_at, released_at };
    let mut mistakes = Mistakes::default();
    mistakes.change(&change);
    mistakes.refuse()?;
    let mut connection = state.store.conn().await?;
    let release = named(&mut connection, &principal, &id).await?;
    let now = state.clock.now();
    Ok(Json(releases::change(&mut connection, &principal, &release, &change, now).await?))
}

pub(super) async fn remove(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<NoContent, ApiError> {
    let mut connection = state.store.conn().await?;
    let release = named(&mut connection, &principal, &id).await?;
    let now = state.clock.now();
    retried(async || releases::remove(&mut connection, &principal, &release, now).await).await?;
    Ok(NoContent::new())
}
