//! What `sentry-cli` calls: Sentry's own API below `/api/0`, as far as releases go.
//!
//! There is one organisation, and every name for it is taken. A release of several projects is one of each: a call that names
//! projects is about theirs, one that names none is about those of every project that the token reaches.

mod deploys;
mod names;
mod organizations;
mod release;
mod releases;
mod shapes;
mod unsupported;

use crate::access::{Endpoint, Need, delete, get, post, put};

/// Declaring what was built and where it runs is for members: a build's token should not be able to change keys and settings
/// as well. Removing a release is for managers.
pub(super) fn routes() -> Vec<Endpoint> {
    let mut all = of_organization();
    all.extend(of_project());
    all.extend(not_supported());
    all
}

fn of_organization() -> Vec<Endpoint> {
    vec![
        get("/api/0", Need::VIEW, organizations::who)
            .named("sentry_who", "Tells sentry-cli whose token it uses."),
        get("/api/0/organizations", Need::VIEW, organizations::list)
            .named("sentry_organizations", "The one organisation that there is."),
        get("/api/0/organizations/{org}/projects", Need::VIEW, organizations::projects)
            .named("sentry_projects", "The projects that the token sees."),
        get("/api/0/organizations/{org}/repos", Need::VIEW, organizations::repositories)
            .named("sentry_repos", "The repositories that releases have commits of."),
        get("/api/0/organizations/{org}/releases", Need::VIEW, releases::list)
            .named("sentry_releases", "Releases, the last made known first."),
        post("/api/0/organizations/{org}/releases", Need::TRIAGE, releases::create)
            .named("sentry_release_create", "Makes a version of one or several projects known."),
        get("/api/0/organizations/{org}/releases/{version}", Need::VIEW, release::get)
            .named("sentry_release", "A release."),
        put("/api/0/organizations/{org}/releases/{version}", Need::TRIAGE, release::change)
            .named("sentry_release_change", "Finalises a release, or gives it commits."),
        delete("/api/0/organizations/{org}/releases/{version}", Need::MANAGE, release::remove)
            .named("sentry_release_remove", "Removes a release that has no events."),
        get("/api/0/organizations/{org}/releases/{version}/commits", Need::VIEW, release::commits)
            .named("sentry_release_commits", "The commits of a release, the newest first."),
        get(
            "/api/0/organizations/{org}/releases/{version}/previous-with-commits",
            Need::VIEW,
            release::previous,
        )
        .named("sentry_release_previous", "The release before that has commits."),
        get("/api/0/organizations/{org}/releases/{version}/deploys", Need::VIEW, deploys::list)
            .named("sentry_deploys", "The deploys of a release, the latest first."),
        post("/api/0/organizations/{org}/releases/{version}/deploys", Need::TRIAGE, deploys::create)
            .named("sentry_deploy_create", "Notes a deploy of a release."),
    ]
}

/// The same for one project, as sentry-cli before 3 calls them.
fn of_project() -> Vec<Endpoint> {
    vec![
        get("/api/0/projects/{org}/{project}/releases", Need::VIEW, releases::of_project)
            .named("sentry_project_releases", "Releases of a project, the last made known first."),
        get("/api/0/projects/{org}/{project}/releases/{version}", Need::VIEW, release::get)
            .named("sentry_project_release", "A release of a project."),
        put("/api/0/projects/{org}/{project}/releases/{version}", Need::TRIAGE, release::change)
            .named("sentry_project_release_change", "Finalises a release of a project, or gives it commits."),
        delete("/api/0/projects/{org}/{project}/releases/{version}", Need::MANAGE, release::remove)
            .named("sentry_project_release_remove", "Removes a release of a project that has no events."),
    ]
}

/// Uploads: what cannot be kept yet is refused by name, not taken and dropped.
fn not_supported() -> Vec<Endpoint> {
    vec![
        get("/api/0/organizations/{org}/chunk-upload", Need::Nothing, unsupported::uploads)
            .named("sentry_chunk_upload", "Not there yet: source maps and debug files are not taken."),
        post("/api/0/organizations/{org}/artifactbundle/assemble", Need::Nothing, unsupported::uploads)
            .named("sentry_artifact_bundle", "Not there yet: source maps are not taken."),
        post("/api/0/projects/{org}/{project}/files/difs/assemble", Need::Nothing, unsupported::uploads)
            .named("sentry_debug_files", "Not there yet: debug files are not taken."),
    ]
}
