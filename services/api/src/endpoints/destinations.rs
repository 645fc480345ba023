//! `GET /api/v1/projects/{project}/destinations`, without their secrets.

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
    pub(super) fn new(destination: &Destination) -> Self {
        Self {
            id: destination.id,
            project: destination.project,
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
    Ok(Json(Page::whole(found.iter().map(View::new).collect())))
}
