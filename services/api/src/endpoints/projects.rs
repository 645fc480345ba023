//! `GET /api/v1/projects?limit=&cursor=`

use crate::access::Principal;
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use bugle_model::{ProjectId, ProjectSettings, TeamId};
use bugle_store::projects::{self, Project};
use bugle_web::{Page, Params};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

/// A project as shown.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Project")]
pub(super) struct View {
    id: ProjectId,
    name: String,
    prefix: String,
    created_at: DateTime<Utc>,
    settings: ProjectSettings,
    /// Why the settings cannot be read and the defaults are in force; not there when all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    settings_error: Option<String>,
    team: Option<TeamView>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TeamName")]
struct TeamView {
    id: TeamId,
    name: String,
}

impl From<Project> for View {
    fn from(project: Project) -> Self {
        let Project { id, name, prefix, created_at, settings, settings_error, team, team_name } = project;
        let team = team.map(|id| TeamView { id, name: team_name.unwrap_or_default() });
        Self { id, name, prefix, created_at, settings, settings_error, team }
    }
}

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Json<Page<View>>, ApiError> {
    let mut params = Params::of(&request);
    let limit = params.limit();
    let after: Option<ProjectId> = params.cursor();
    params.finish()?;
    let mut connection = state.store.conn().await?;
    let found = projects::list(&mut connection, &principal.scope(), after, limit + 1).await?;
    Ok(Json(Page::cut(found, limit, |last| last.id).map(View::from)))
}
