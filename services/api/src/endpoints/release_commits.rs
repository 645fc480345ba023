//! `GET /api/v1/releases/{id}/commits?limit=&cursor=`, the newest first; `PUT` gives it others.

use super::release;
use crate::access::Principal;
use crate::openapi::{CURSOR, LIMIT, Parameter};
use crate::releases::{self, Mistakes};
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path};
use bugle_store::releases::{Commit, NewCommit, Release, commits};
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
) -> Result<Json<Page<Commit>>, ApiError> {
    let mut params = Params::of(&request);
    let limit = params.limit();
    let after: Option<i32> = params.cursor();
    params.finish()?;
    let mut connection = state.store.conn().await?;
    let release = release::named(&mut connection, &principal, &id).await?;
    let found = commits(&mut connection, &release, after, limit + 1).await?;
    Ok(Json(Page::cut(found, limit, |commit| commit.place)))
}

/// A commit of a release.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CommitBody {
    /// Its id, 64 characters at most.
    id: String,
    /// Where it is, 200 characters at most.
    repository: Option<String>,
    /// Who made it, 128 characters at most.
    author_name: Option<String>,
    /// Their address, 254 characters at most.
    author_email: Option<String>,
    /// What they say of it, 4,096 characters at most.
    message: Option<String>,
    /// When it was made.
    timestamp: Option<DateTime<Utc>>,
}

impl From<CommitBody> for NewCommit {
    fn from(body: CommitBody) -> Self {
        let CommitBody { id, repository, author_name, author_email, message, timestamp } = body;
        Self { id, repository, author_name, author_email, message, timestamp }
    }
}

/// What a release is made of.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    /// The newest first, 1,000 at most.
    commits: Vec<CommitBody>,
}

pub(super) async fn put(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Json<Release>, ApiError> {
    let commits: Vec<NewCommit> = body.commits.into_iter().map(NewCommit::from).collect();
    let mut mistakes = Mistakes::default();
    mistakes.commits(&commits);
    mistakes.refuse()?;
    let mut connection = state.store.conn().await?;
    let release = release::named(&mut connection, &principal, &id).await?;
    releases::set_commits(&mut connection, &principal, &release, &commits, state.clock.now()).await?;
    Ok(Json(releases::reread(&mut connection, &release).await?))
}
