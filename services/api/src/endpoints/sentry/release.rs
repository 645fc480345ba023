//! One release.

use super::names::Named;
use super::releases::{described, shown};
use super::shapes::{CommitShape, ReleaseBody, ReleaseShape};
use crate::access::Principal;
use crate::endpoints::conflicts::retried;
use crate::openapi::NoContent;
use crate::{ApiError, State, releases};
use actix_web::web::{Data, Json, Path};
use bugle_store::Transactions;
use bugle_store::releases::{commits as commits_of, previous_with_commits};
use bugle_web::JsonBody;
use schemars::JsonSchema;
use serde::Serialize;

/// `GET …/releases/{version}/`.
pub(super) async fn get(
    principal: Principal,
    state: Data<State>,
    path: Path<Named>,
) -> Result<Json<ReleaseShape>, ApiError> {
    let mut connection = state.store.conn().await?;
    let found = path.releases(&mut connection, &principal, None).await?;
    Ok(Json(shown(&mut connection, found).await?))
}

/// `PUT …/releases/{version}/`.
pub(super) async fn change(
    principal: Principal,
    state: Data<State>,
    path: Path<Named>,
    JsonBody(body): JsonBody<ReleaseBody>,
) -> Result<Json<ReleaseShape>, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let found = path.releases(&mut connection, &principal, body.projects.as_deref()).await?;
    let change = body.change();
    let changed = connection
        .transaction(async |connection| described(connection, &principal, found, body, change, now).await)
        .await?;
    Ok(Json(changed))
}

/// `DELETE …/releases/{version}/`: of all projects, or of none.
pub(super) async fn remove(
    principal: Principal,
    state: Data<State>,
    path: Path<Named>,
) -> Result<NoContent, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let found = path.releases(&mut connection, &principal, None).await?;
    retried(async || {
        connection
            .transaction(async |connection| {
                for release in &found {
                    releases::remove(connection, &principal, release, now).await?;
                }
                Ok::<_, ApiError>(())
            })
            .await
    })
    .await?;
    Ok(NoContent::new())
}

/// `GET …/releases/{version}/commits/`.
pub(super) async fn commits(
    principal: Principal,
    state: Data<State>,
    path: Path<Named>,
) -> Result<Json<Vec<CommitShape>>, ApiError> {
    let mut connection = state.store.conn().await?;
    let found = path.releases(&mut connection, &principal, None).await?;
    let commits = match found.iter().max_by_key(|release| release.commit_count) {
        Some(release) => commits_of(&mut connection, release, None, releases::MAX_COMMITS).await?,
        None => Vec::new(),
    };
    Ok(Json(commits.into_iter().map(CommitShape::from).collect()))
}

/// A release, or an empty object.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Previous {
    Release(Box<ReleaseShape>),
    None {},
}

/// `GET …/releases/{version}/previous-with-commits/`: where sentry-cli goes on from.
pub(super) async fn previous(
    principal: Principal,
    state: Data<State>,
    path: Path<Named>,
) -> Result<Json<Previous>, ApiError> {
    let mut connection = state.store.conn().await?;
    for release in path.releases(&mut connection, &principal, None).await? {
        if let Some(previous) = previous_with_commits(&mut connection, &release).await? {
            let shape = shown(&mut connection, vec![previous]).await?;
            return Ok(Json(Previous::Release(Box::new(shape))));
        }
    }
    Ok(Json(Previous::None {}))
}
