//! Releases.

use super::super::{release, release_commits, release_deploys, release_issues, release_trend, releases};
use crate::access::{Endpoint, Need, delete, get, patch, post, put};
use bugle_web::Code;

/// Declaring a release is for members, as a build's token should not be able to do more; removing one is for managers.
pub(super) fn routes() -> Vec<Endpoint> {
    vec![
        get("/api/v1/releases", Need::VIEW, releases::list)
            .named("list_releases", "Releases, the last made known first.")
            .query(releases::PARAMETERS),
        post("/api/v1/releases", Need::TRIAGE, releases::create).named(
            "create_release",
            "Makes a release of a project known; one that is known gets what is said.",
        ),
        get("/api/v1/releases/{id}", Need::VIEW, release::get).named("get_release", "A release."),
        patch("/api/v1/releases/{id}", Need::TRIAGE, release::change)
            .named("change_release", "Changes what is said of a release."),
        delete("/api/v1/releases/{id}", Need::MANAGE, release::remove)
            .named("remove_release", "Removes a release that has no events, with its commits and deploys.")
            .fails(&[Code::Conflict]),
        get("/api/v1/releases/{id}/commits", Need::VIEW, release_commits::list)
            .named("list_release_commits", "The commits of a release, the newest first.")
            .query(release_commits::PARAMETERS),
        put("/api/v1/releases/{id}/commits", Need::TRIAGE, release_commits::put)
            .named("set_release_commits", "Gives a release commits, in place of those that it has."),
        get("/api/v1/releases/{id}/deploys", Need::VIEW, release_deploys::list)
            .named("list_release_deploys", "The deploys of a release, the latest first.")
            .query(release_deploys::PARAMETERS),
        post("/api/v1/releases/{id}/deploys", Need::TRIAGE, release_deploys::create)
            .named("create_release_deploy", "Notes a deploy of a release."),
        get("/api/v1/releases/{id}/issues", Need::VIEW, release_issues::list)
            .named("list_release_issues", "The issues that a release brought, brought back or resolved.")
            .query(release_issues::PARAMETERS),
        get("/api/v1/releases/{id}/trend", Need::VIEW, release_trend::get)
            .named("get_release_trend", "Events of a release's project before and after it came.")
            .query(release_trend::PARAMETERS),
    ]
}
