//! Deploys of a release.

use super::names::Named;
use super::shapes::projects;
use crate::access::Principal;
use crate::openapi::Created;
use crate::releases::{self, Mistakes};
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_store::Transactions;
use bugle_store::releases::{Deploy, NewDeploy, deploys as deploys_of};
use bugle_web::{JsonBody, Problem};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;

/// The latest of them.
const MAX_DEPLOYS: usize = 100;

/// A deploy.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeployShape {
    id: String,
    environment: String,
    name: Option<String>,
    url: Option<String>,
    date_started: Option<DateTime<Utc>>,
    date_finished: DateTime<Utc>,
}

impl From<Deploy> for DeployShape {
    fn from(deploy: Deploy) -> Self {
        let Deploy { id, environment, name, url, started_at, finished_at } = deploy;
        let (date_started, date_finished) = (started_at, finished_at);
        Self { id: id.to_string(), environment, name, url, date_started, date_finished }
    }
}

/// `GET …/releases/{version}/deploys/`. One deploy of several projects is shown once.
pub(super) async fn list(
    principal: Principal,
    state: Data<State>,
    path: Path<Named>,
) -> Result<Json<Vec<DeployShape>>, ApiError> {
    let mut connection = state.store.conn().await?;
    let mut all: Vec<Deploy> = Vec::new();
    for release in path.releases(&mut connection, &principal, None).await? {
        for deploy in deploys_of(&mut connection, &release, None, MAX_DEPLOYS).await? {
            let same = |known: &Deploy| *known == Deploy { id: known.id, ..deploy.clone() };
            if !all.iter().any(same) {
                all.push(deploy);
            }
        }
    }
    all.sort_by_key(|deploy| Reverse((deploy.finished_at, deploy.id)));
    all.truncate(MAX_DEPLOYS);
    Ok(Json(all.into_iter().map(DeployShape::from).collect()))
}

/// What is said of a deploy.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Body {
    environment: String,
    name: Option<String>,
    url: Option<String>,
    date_started: Option<DateTime<Utc>>,
    date_finished: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "projects")]
    #[schemars(with = "Option<Vec<String>>")]
    projects: Option<Vec<String>>,
}

/// `POST …/releases/{version}/deploys/`.
pub(super) async fn create(
    principal: Principal,
    state: Data<State>,
    path: Path<Named>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Created<DeployShape>, ApiError> {
    let now = state.clock.now();
    let new = NewDeploy {
        environment: body.environment,
        name: body.name,
        url: body.url,
        started_at: body.date_started,
        finished_at: body.date_finished.unwrap_or(now),
    };
    let mut mistakes = Mistakes::default();
    mistakes.deploy(&new);
    mistakes.refuse()?;
    let mut connection = state.store.conn().await?;
    let found = path.releases(&mut connection, &principal, body.projects.as_deref()).await?;
    let made = connection
        .transaction(async |connection| {
            let mut made = None;
            for release in &found {
                made = Some(releases::deploy(connection, &principal, release, &new, now).await?);
            }
            Ok::<_, ApiError>(made)
        })
        .await?;
    let made = made.ok_or_else(|| Problem::not_found("release"))?;
    Ok(Created::of(DeployShape::from(made)))
}
