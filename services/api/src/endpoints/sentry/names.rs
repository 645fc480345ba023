//! What the paths and bodies of sentry-cli name.

use super::super::named as ours;
use crate::ApiError;
use crate::access::Principal;
use bugle_store::Connection;
use bugle_store::projects::Project;
use bugle_store::releases::{self, Release};
use bugle_web::Problem;
use serde::Deserialize;

/// A call names at most this many projects.
const MAX_PROJECTS: usize = 50;

/// A release in a path.
#[derive(Debug, Deserialize)]
pub(super) struct Named {
    pub(super) version: String,
    #[serde(default)]
    project: Option<String>,
}

impl Named {
    /// The releases with this version that the caller may do with what the route does: of the project of the path, of each of
    /// those named, or of all that are seen. There is at least one.
    pub(super) async fn releases(
        &self,
        connection: &mut Connection,
        principal: &Principal,
        projects: Option<&[String]>,
    ) -> Result<Vec<Release>, ApiError> {
        let named = self.projects(connection, principal, projects).await?;
        let ids: Option<Vec<_>> = named.as_ref().map(|all| all.iter().map(|project| project.id).collect());
        let visible = principal.visible();
        let mut found = releases::of_version(connection, &visible, &self.version, ids.as_deref()).await?;
        let Some(first) = found.first() else { return Err(ours::missing("release", &self.version).into()) };
        let has = |project: &Project| found.iter().any(|release| release.project == project.id);
        if let Some(without) = named.iter().flatten().find(|project| !has(project)) {
            let message = format!("`{}` has no release `{}`", without.name, first.version);
            return Err(Problem::invalid_field("projects", message).into());
        }
        let refused = principal.allowed(first.team);
        found.retain(|release| principal.allowed(release.team).is_ok());
        if found.is_empty() {
            refused?;
        }
        Ok(found)
    }

    async fn projects(
        &self,
        connection: &mut Connection,
        principal: &Principal,
        named: Option<&[String]>,
    ) -> Result<Option<Vec<Project>>, ApiError> {
        if let Some(project) = &self.project {
            return Ok(Some(vec![ours::project(connection, principal, project).await?]));
        }
        match named {
            Some(names) if !names.is_empty() => Ok(Some(projects(connection, principal, names).await?)),
            _ => Ok(None),
        }
    }
}

/// The projects that a body names, by id or name.
pub(super) async fn projects(
    connection: &mut Connection,
    principal: &Principal,
    names: &[String],
) -> Result<Vec<Project>, ApiError> {
    if names.is_empty() || names.len() > MAX_PROJECTS {
        let message = format!("expected 1 to {MAX_PROJECTS} projects");
        return Err(Problem::invalid_field("projects", message).into());
    }
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        found.push(ours::project_parameter(connection, principal, name).await?);
    }
    Ok(found)
}
