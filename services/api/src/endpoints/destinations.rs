//! `GET /api/v1/projects/{project}/destinations`, one of them, and `/api/v1/teams/{id}/destinations`; without their secrets.

use super::destination_test::of_project;
use super::named;
use crate::access::Principal;
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_model::{Channel, DestinationId, DestinationSettings, Priority, ProjectId};
use bugle_store::destinations::{self, Destination};
use bugle_web::Page;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

/// A destination as shown.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Destination")]
pub(super) struct View {
    id: DestinationId,
    project: ProjectId,
    channel: Channel,
    /// Of a URL only scheme and host, for whoever may not change it: Slack's are secrets, and others hold some.
    target: String,
    min_priority: Priority,
    settings: DestinationSettings,
    enabled: bool,
    disabled_reason: Option<String>,
    failures: i32,
    open_until: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    /// The signing secret, in the answer that made it and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl View {
    pub(super) fn new(project: ProjectId, destination: &Destination) -> Self {
        Self {
            id: destination.id,
            project,
            channel: destination.channel,
            target: destination.target.clone(),
            min_priority: destination.min_priority,
            settings: destination.redacted(),
            enabled: destination.enabled,
            disabled_reason: destination.disabled_reason.clone(),
            failures: destination.failures,
            open_until: destination.open_until,
            created_at: destination.created_at,
            secret: None,
        }
    }

    /// The same for whoever only looks.
    fn without_credentials(mut self) -> Self {
        self.target = destinations::without_credentials(&self.target);
        self
    }

    pub(super) fn with_secret(mut self, destination: &Destination) -> Self {
        self.secret.clone_from(&destination.settings.secret);
        self
    }
}

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
    project: Path<String>,
) -> Result<Json<Page<View>>, ApiError> {
    let mut connection = state.store.conn().await?;
    let project = named::project(&mut connection, &principal, &project).await?;
    let found = destinations::list(&mut connection, project.id).await?;
    Ok(Json(Page::whole(views(&found, principal.manages(project.team)))))
}

/// One of them.
pub(super) async fn get(
    principal: Principal,
    state: Data<State>,
    path: Path<(String, String)>,
) -> Result<Json<View>, ApiError> {
    let (project, id) = path.into_inner();
    let mut connection = state.store.conn().await?;
    let (project, found) = of_project(&mut connection, &principal, &project, &id).await?;
    let view = View::new(project.id, &found);
    Ok(Json(if principal.manages(project.team) { view } else { view.without_credentials() }))
}

/// Those of a team's projects; the first 1,000.
pub(super) async fn of_team(
    principal: Principal,
    state: Data<State>,
    team: Path<String>,
) -> Result<Json<Page<View>>, ApiError> {
    let mut connection = state.store.conn().await?;
    let team = named::team(&mut connection, &principal, &team).await?;
    let found = destinations::list_of_team(&mut connection, team.id).await?;
    Ok(Json(Page::whole(views(&found, principal.manages(Some(team.id))))))
}

fn views(found: &[Destination], manages: bool) -> Vec<View> {
    let view = |one: &Destination| {
        let view = View::new(one.project?, one);
        Some(if manages { view } else { view.without_credentials() })
    };
    found.iter().filter_map(view).collect()
}
