//! Who asks, the one organisation, its projects and repositories.

use super::shapes::{ORGANIZATION, ProjectShape};
use crate::access::Principal;
use crate::{ApiError, State};
use actix_web::web::{Data, Json};
use bugle_model::TokenScope;
use bugle_store::{projects, releases};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

/// sentry-cli asks for the next page where there is one; nobody has more projects than this.
const MAX_PROJECTS: usize = 1_000;

/// Whose token it is.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Who {
    version: &'static str,
    user: User,
    auth: Auth,
}

#[derive(Debug, Serialize, JsonSchema)]
struct User {
    id: String,
    email: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Auth {
    scopes: Vec<TokenScope>,
}

/// `GET /api/0/`. A token has a name where Sentry's has a person.
pub(super) async fn who(principal: Principal) -> Result<Json<Who>, ApiError> {
    let id = principal.actor.id.unwrap_or_default().to_string();
    let email = principal.actor.name.clone();
    let scopes = principal.scopes().to_vec();
    Ok(Json(Who { version: "0", user: User { id, email }, auth: Auth { scopes } }))
}

/// An organisation.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Organization {
    id: &'static str,
    slug: &'static str,
    name: &'static str,
    date_created: DateTime<Utc>,
    is_early_adopter: bool,
    #[serde(rename = "require2FA")]
    require_2fa: bool,
    features: [&'static str; 0],
}

/// `GET /api/0/organizations/`.
pub(super) async fn list(_: Principal) -> Result<Json<Vec<Organization>>, ApiError> {
    Ok(Json(vec![Organization {
        id: "1",
        slug: ORGANIZATION,
        name: "Bugle",
        date_created: DateTime::UNIX_EPOCH,
        is_early_adopter: false,
        require_2fa: false,
        features: [],
    }]))
}

/// `GET /api/0/organizations/{org}/projects/`.
pub(super) async fn projects(
    principal: Principal,
    state: Data<State>,
) -> Result<Json<Vec<ProjectShape>>, ApiError> {
    let mut connection = state.store.conn().await?;
    let found = projects::list(&mut connection, &principal.scope(), None, MAX_PROJECTS).await?;
    Ok(Json(found.into_iter().map(ProjectShape::from).collect()))
}

/// A repository.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Repository {
    id: String,
    name: String,
    url: Option<String>,
    provider: Provider,
    status: &'static str,
    date_created: DateTime<Utc>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Provider {
    id: &'static str,
    name: &'static str,
}

/// `GET /api/0/organizations/{org}/repos/`: what sentry-cli may name with `--commit`.
pub(super) async fn repositories(
    principal: Principal,
    state: Data<State>,
) -> Result<Json<Vec<Repository>>, ApiError> {
    let mut connection = state.store.conn().await?;
    let found = releases::repositories(&mut connection, &principal.scope()).await?;
    let shown = found.into_iter().map(|repository| Repository {
        id: repository.id.to_string(),
        name: repository.name,
        url: None,
        // None of the hosts that sentry-cli knows: it then reads the commits from the local repository.
        provider: Provider { id: "bugle", name: "Bugle" },
        status: "active",
        date_created: repository.created_at,
    });
    Ok(Json(shown.collect()))
}
