//! Lists of releases, and new ones.

use super::names;
use super::shapes::{ReleaseBody, ReleaseShape};
use crate::access::Principal;
use crate::openapi::Created;
use crate::releases::{self, Mistakes};
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_model::{ProjectId, ReleaseStatus};
use bugle_store::releases::{Filter, Release, ReleaseChange, Sort};
use bugle_store::{Connection, Transactions};
use bugle_web::{JsonBody, Problem};
use chrono::{DateTime, Utc};
use serde::Deserialize;

/// The newest of them; sentry-cli shows no more.
const MAX_RELEASES: usize = 100;

/// `GET /api/0/organizations/{org}/releases/`.
pub(super) async fn list(
    principal: Principal,
    state: Data<State>,
) -> Result<Json<Vec<ReleaseShape>>, ApiError> {
    let mut connection = state.store.conn().await?;
    Ok(Json(newest(&mut connection, &principal, None).await?))
}

/// A project in a path.
#[derive(Debug, Deserialize)]
pub(super) struct OfProject {
    project: String,
}

/// `GET /api/0/projects/{org}/{project}/releases/`.
pub(super) async fn of_project(
    principal: Principal,
    state: Data<State>,
    path: Path<OfProject>,
) -> Result<Json<Vec<ReleaseShape>>, ApiError> {
    let mut connection = state.store.conn().await?;
    let project = super::super::named::project(&mut connection, &principal, &path.project).await?;
    Ok(Json(newest(&mut connection, &principal, Some(project.id)).await?))
}

async fn newest(
    connection: &mut Connection,
    principal: &Principal,
    project: Option<ProjectId>,
) -> Result<Vec<ReleaseShape>, ApiError> {
    let status = Some(ReleaseStatus::Open);
    let filter = Filter { scope: principal.scope(), project, version: None, status };
    let found = bugle_store::releases::list(connection, &filter, Sort::Created, None, MAX_RELEASES).await?;
    let mut by_version: Vec<Vec<Release>> = Vec::new();
    for release in found {
        match by_version.iter_mut().find(|known| known.iter().any(|one| one.version == release.version)) {
            Some(known) => known.push(release),
            None => by_version.push(vec![release]),
        }
    }
    Ok(by_version.into_iter().filter_map(|releases| ReleaseShape::of(releases, None)).collect())
}

/// `POST /api/0/organizations/{org}/releases/`. A version that is known gets what is said here; one that is known may be
/// named without its projects.
pub(super) async fn create(
    principal: Principal,
    state: Data<State>,
    JsonBody(body): JsonBody<ReleaseBody>,
) -> Result<Created<ReleaseShape>, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let made =
        connection.transaction(async |connection| declared(connection, &principal, body, now).await).await?;
    Ok(Created::of(made))
}

async fn declared(
    connection: &mut Connection,
    principal: &Principal,
    body: ReleaseBody,
    now: DateTime<Utc>,
) -> Result<ReleaseShape, ApiError> {
    let version = body.version.clone().unwrap_or_default();
    let change = body.change();
    let mut mistakes = Mistakes::default();
    mistakes.version(&version);
    mistakes.change(&change);
    mistakes.refuse()?;
    let mut names = body.projects.clone().unwrap_or_default();
    if names.is_empty() {
        let known = bugle_store::releases::of_version(connection, &principal.scope(), &version, None).await?;
        names = known.iter().map(|release| release.project.to_string()).collect();
    }
    let mut made = Vec::new();
    for project in names::projects(connection, principal, &names).await? {
        made.push(releases::declare(connection, principal, &project, &version, &change, now).await?);
    }
    described(connection, principal, made, body, ReleaseChange::default(), now).await
}

/// Applies what a body says to releases of one version, and shows them as they are then.
pub(super) async fn described(
    connection: &mut Connection,
    principal: &Principal,
    all: Vec<Release>,
    body: ReleaseBody,
    change: ReleaseChange,
    now: DateTime<Utc>,
) -> Result<ReleaseShape, ApiError> {
    let commits = body.commits();
    let mut mistakes = Mistakes::default();
    mistakes.change(&change);
    mistakes.commits(commits.as_deref().unwrap_or_default());
    mistakes.refuse()?;
    let mut after = Vec::with_capacity(all.len());
    for release in all {
        let mut release = releases::change(connection, principal, &release, &change, now).await?;
        if let Some(commits) = &commits {
            releases::set_commits(connection, principal, &release, commits, now).await?;
            release = releases::reread(connection, &release).await?;
        }
        after.push(release);
    }
    shown(connection, after).await
}

/// Releases of one version as one.
pub(super) async fn shown(connection: &mut Connection, all: Vec<Release>) -> Result<ReleaseShape, ApiError> {
    let last = match all.iter().max_by_key(|release| release.commit_count) {
        Some(release) => bugle_store::releases::last_commit(connection, release).await?,
        None => None,
    };
    ReleaseShape::of(all, last).ok_or_else(|| Problem::not_found("release").into())
}
