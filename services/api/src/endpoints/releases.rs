//! `GET /api/v1/releases?project=&version=&status=&sort=&limit=&cursor=`, `POST /api/v1/releases`.

use super::named;
use super::release_commits::CommitBody;
use crate::access::Principal;
use crate::openapi::{CURSOR, Created, LIMIT, Parameter, parameter};
use crate::releases::{self, Mistakes};
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use bugle_model::ReleaseStatus;
use bugle_store::Transactions;
use bugle_store::releases::{
    Filter, NewCommit, Position, Release, ReleaseChange, Sort, list as list_releases,
};
use bugle_web::{JsonBody, Page, Params};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Deserialize;

pub(super) const PARAMETERS: &[Parameter] = &[
    parameter::<String>("project", "Only of this project: its id or name."),
    parameter::<String>("version", "Only of this version, in which `*` stands for anything."),
    parameter::<StatusWord>("status", "`open` unless said otherwise."),
    parameter::<SortWord>("sort", "`created`: the last made known first. `version`: the highest first."),
    LIMIT,
    CURSOR,
];

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
#[expect(dead_code, reason = "only its shape matters")]
enum StatusWord {
    Open,
    Archived,
    All,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
#[expect(dead_code, reason = "only its shape matters")]
enum SortWord {
    Created,
    Version,
}

pub(super) async fn list(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Json<Page<Release>>, ApiError> {
    let mut params = Params::of(&request);
    let project = params.text("project");
    let version = params.text("version");
    let status = params.optional("status", "open, archived or all", |text| match text {
        "all" => Some(None),
        word => Some(Some(word.parse::<ReleaseStatus>().ok()?)),
    });
    let sort = params.optional("sort", "created or version", |text| match text {
        "created" => Some(Sort::Created),
        "version" => Some(Sort::Version),
        _ => None,
    });
    let limit = params.limit();
    let after: Option<Position> = params.cursor();
    params.finish()?;
    let mut connection = state.store.conn().await?;
    let project = match project {
        Some(named) => Some(named::project_parameter(&mut connection, &principal, &named).await?.id),
        None => None,
    };
    let status = status.unwrap_or(Some(ReleaseStatus::Open));
    let filter = Filter { scope: principal.scope(), project, version, status };
    let found =
        list_releases(&mut connection, &filter, sort.unwrap_or_default(), after.as_ref(), limit + 1).await?;
    Ok(Json(Page::cut(found, limit, Position::of)))
}

/// A release to be made known. One that is known gets what is said here.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    /// Its project: an id or a name.
    project: String,
    /// What apps send: 1 to 200 bytes.
    version: String,
    /// What it was built from: a branch, a tag or a commit, 250 characters at most.
    #[serde(rename = "ref")]
    reference: Option<String>,
    /// Where one can read about it, 2,048 characters at most.
    url: Option<String>,
    /// When work on it was begun.
    started_at: Option<DateTime<Utc>>,
    /// When it was released.
    released_at: Option<DateTime<Utc>>,
    /// What it is made of, the newest first, 1,000 at most; in place of those that it has.
    commits: Option<Vec<CommitBody>>,
}

pub(super) async fn create(
    principal: Principal,
    state: Data<State>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Created<Release>, ApiError> {
    let change = ReleaseChange {
        status: None,
        reference: body.reference.map(Some),
        url: body.url.map(Some),
        started_at: body.started_at.map(Some),
        released_at: body.released_at.map(Some),
    };
    let commits: Option<Vec<NewCommit>> =
        body.commits.map(|commits| commits.into_iter().map(NewCommit::from).collect());
    let mut mistakes = Mistakes::default();
    mistakes.version(&body.version);
    mistakes.change(&change);
    mistakes.commits(commits.as_deref().unwrap_or_default());
    mistakes.refuse()?;
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let project = named::project_parameter(&mut connection, &principal, &body.project).await?;
    let made = connection
        .transaction(async |connection| {
            let made =
                releases::declare(connection, &principal, &project, &body.version, &change, now).await?;
            let Some(commits) = &commits else { return Ok(made) };
            releases::set_commits(connection, &principal, &made, commits, now).await?;
            releases::reread(connection, &made).await
        })
        .await?;
    Ok(Created::of(made))
}
