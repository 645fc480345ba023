//! One endpoint, one file. What there is, and what each needs of its caller, is declared here and
//! nowhere else.

mod account;
mod audit;
mod dead_letters;
mod destination_create;
mod destination_remove;
mod destination_test;
mod destinations;
mod errors_change;
mod errors_get;
mod errors_list;
mod errors_resolve;
mod event;
mod event_anywhere;
mod invitation_accept;
mod invitations;
mod issue;
mod issue_activity;
mod issue_change;
mod issue_comment;
mod issue_events;
mod issue_grouping;
mod issue_resolution;
mod issue_stats;
mod issue_tags;
mod issues;
mod keys;
mod members;
mod named;
mod notifications;
mod openapi;
mod outcomes;
mod password_resets;
mod project_change;
mod project_create;
mod projects;
mod release;
mod release_commits;
mod release_deploys;
mod release_issues;
mod releases;
mod second_factor;
mod sentry;
mod services;
mod session;
mod sessions;
mod setup;
mod stats;
mod teams;
mod tokens;
mod users;

use crate::access::{Declared, Endpoint, Need, SENTRY, delete, get, mount, patch, post, put};
use crate::openapi::{CURSOR, LIMIT};
use crate::{State, dashboard};
use actix_web::web::{Data, ServiceConfig};
use bugle_model::TeamRole;
use bugle_web::Code;
use serde_json::Value;
use stats::PERIOD;

/// Mounts every path of the API.
pub fn routes(config: &mut ServiceConfig, state: Data<State>) {
    mount(config, &state, all());
    config.app_data(state);
    dashboard::routes(config);
}

/// The table of access: every endpoint there is, with what it needs. What is not in it is not mounted.
#[must_use]
pub fn declared() -> Vec<Declared> {
    all().into_iter().map(|endpoint| endpoint.declared).collect()
}

/// The OpenAPI document of this API. What sentry-cli calls is Sentry's contract, which they describe.
#[must_use]
pub fn document() -> Value {
    let ours: Vec<_> = declared().into_iter().filter(|one| !one.path.starts_with(SENTRY)).collect();
    crate::openapi::document(&ours)
}

fn all() -> Vec<Endpoint> {
    let parts = [accounts(), people(), issue_routes(), project_routes(), operator_routes(), older_routes()];
    let releases = [release_routes(), sentry::routes()];
    let parts = parts.into_iter().chain(releases);
    parts.flatten().collect()
}

fn accounts() -> Vec<Endpoint> {
    vec![
        get("/api/v1/openapi.json", Need::Nothing, openapi::handler).named("get_openapi", "This document."),
        get("/api/v1/setup", Need::Nothing, setup::needed).named("get_setup", "Whether there is nobody yet."),
        post("/api/v1/setup", Need::Nothing, setup::run)
            .named("run_setup", "Makes the owner and the first team, by the setup link.")
            .fails(&[Code::InvalidCredentials, Code::RateLimited, Code::Conflict]),
        get("/api/v1/session", Need::Person, session::show).named("get_session", "Who one is."),
        post("/api/v1/session", Need::Nothing, session::create).named("sign_in", "Signs in.").fails(&[
            Code::InvalidCredentials,
            Code::SecondFactorNeeded,
            Code::RateLimited,
        ]),
        delete("/api/v1/session", Need::Person, session::end).named("sign_out", "Signs out."),
        get("/api/v1/sessions", Need::Person, sessions::list)
            .named("list_sessions", "Where one is signed in."),
        delete("/api/v1/sessions", Need::Person, sessions::end_others)
            .named("end_other_sessions", "Signs out everywhere else."),
        delete("/api/v1/sessions/{id}", Need::Person, sessions::end).named("end_session", "Signs out there."),
        post("/api/v1/password-resets", Need::Nothing, password_resets::ask)
            .named("ask_password_reset", "Asks for a link to set a new password; it goes by mail.")
            .fails(&[Code::RateLimited]),
        post("/api/v1/password-resets/{token}", Need::Nothing, password_resets::set)
            .named("reset_password", "Sets a new password by a link."),
        patch("/api/v1/account", Need::Person, account::change)
            .named("change_account", "Changes one's name, time zone or password.")
            .fails(&[Code::RateLimited]),
        post("/api/v1/account/totp", Need::Person, second_factor::propose)
            .named("propose_second_factor", "Makes a second factor, which counts once it is confirmed.")
            .fails(&[Code::Conflict]),
        put("/api/v1/account/totp", Need::Person, second_factor::enable)
            .named("confirm_second_factor", "Confirms the second factor by its first code.")
            .fails(&[Code::Conflict]),
        delete("/api/v1/account/totp", Need::Person, second_factor::remove)
            .named("remove_second_factor", "Does without a second factor again.")
            .fails(&[Code::RateLimited]),
        get("/api/v1/invitations/{token}/preview", Need::Nothing, invitation_accept::preview)
            .named("preview_invitation", "What the invited are shown."),
        post("/api/v1/invitations/{token}/accept", Need::Nothing, invitation_accept::accept)
            .named("accept_invitation", "Makes the account and signs in.")
            .fails(&[Code::Conflict]),
    ]
}

fn people() -> Vec<Endpoint> {
    vec![
        get("/api/v1/invitations", Need::MANAGE, invitations::list)
            .named("list_invitations", "Who is invited."),
        post("/api/v1/invitations", Need::MANAGE, invitations::create)
            .named("create_invitation", "Invites somebody.")
            .fails(&[Code::Conflict]),
        delete("/api/v1/invitations/{id}", Need::MANAGE, invitations::remove)
            .named("remove_invitation", "Takes an invitation back."),
        get("/api/v1/users", Need::VIEW, users::list)
            .named("list_users", "The people one shares a team with; for admins everybody.")
            .query(&[LIMIT, CURSOR]),
        get("/api/v1/users/{id}", Need::VIEW, users::get).named("get_user", "One of them."),
        patch("/api/v1/users/{id}", Need::Admin, users::change)
            .named("change_user", "Changes a role, a name, or shuts somebody out.")
            .fails(&[Code::Conflict]),
        get("/api/v1/teams", Need::VIEW, teams::list)
            .named("list_teams", "The teams that one is in; for admins all."),
        post("/api/v1/teams", Need::Admin, teams::create)
            .named("create_team", "Makes a team.")
            .fails(&[Code::Conflict]),
        get("/api/v1/teams/{id}", Need::VIEW, teams::get).named("get_team", "One team."),
        patch("/api/v1/teams/{id}", Need::MANAGE, teams::change)
            .named("change_team", "Renames a team.")
            .fails(&[Code::Conflict]),
        delete("/api/v1/teams/{id}", Need::Admin, teams::remove)
            .named("remove_team", "Removes a team without projects.")
            .fails(&[Code::Conflict]),
        get("/api/v1/teams/{id}/members", Need::VIEW, members::list)
            .named("list_members", "Who is in the team."),
        put("/api/v1/teams/{id}/members/{user_id}", Need::MANAGE, members::put)
            .named("put_member", "Puts somebody into the team, or gives them another role."),
        delete("/api/v1/teams/{id}/members/{user_id}", Need::MANAGE, members::remove)
            .named("remove_member", "Takes somebody out of the team."),
        get("/api/v1/tokens", Need::PersonWithRole(TeamRole::Manager), tokens::list)
            .named("list_tokens", "The tokens, without what makes them one."),
        post("/api/v1/tokens", Need::PersonWithRole(TeamRole::Manager), tokens::create)
            .named("create_token", "Makes a token, which is shown this once.")
            .fails(&[Code::Conflict]),
        delete("/api/v1/tokens/{id}", Need::PersonWithRole(TeamRole::Manager), tokens::remove)
            .named("revoke_token", "Revokes a token."),
        get("/api/v1/audit", Need::MANAGE, audit::list)
            .named("list_audit", "Who changed what, the newest first.")
            .query(audit::PARAMETERS),
    ]
}

fn issue_routes() -> Vec<Endpoint> {
    vec![
        get("/api/v1/issues", Need::VIEW, issues::handler)
            .named("list_issues", "The issues, those seen last first.")
            .query(issues::PARAMETERS),
        get("/api/v1/issues/{id}", Need::VIEW, issue::handler).named("get_issue", "One issue."),
        patch("/api/v1/issues/{id}", Need::TRIAGE, issue_change::handler)
            .named("change_issue", "Changes status, priority or assignee."),
        get("/api/v1/issues/{id}/events", Need::VIEW, issue_events::handler)
            .named("list_issue_events", "Its events, the newest first.")
            .query(&[LIMIT, CURSOR]),
        get("/api/v1/issues/{id}/stats", Need::VIEW, issue_stats::handler)
            .named("get_issue_stats", "Its events over time.")
            .query(&[PERIOD]),
        get("/api/v1/issues/{id}/tags", Need::VIEW, issue_tags::handler)
            .named("get_issue_tags", "How often each value of each tag occurs among its latest events."),
        get("/api/v1/issues/{id}/activity", Need::VIEW, issue_activity::handler)
            .named("list_issue_activity", "What happened to it, the latest first.")
            .query(&[LIMIT, CURSOR]),
        post("/api/v1/issues/{id}/comments", Need::TRIAGE, issue_comment::handler)
            .named("comment_issue", "Says something about it."),
        get("/api/v1/issues/{id}/grouping", Need::VIEW, issue_grouping::handler)
            .named("explain_issue_grouping", "Why its latest event is grouped as it is."),
        get("/api/v1/events/{event_id}", Need::VIEW, event_anywhere::handler)
            .named("find_event", "An event by its id alone.")
            .fails(&[Code::Conflict]),
    ]
}

fn project_routes() -> Vec<Endpoint> {
    vec![
        get("/api/v1/projects", Need::VIEW, projects::handler)
            .named("list_projects", "The projects.")
            .query(&[LIMIT, CURSOR]),
        post("/api/v1/projects", Need::MANAGE, project_create::handler)
            .named("create_project", "Makes a project and its first key.")
            .fails(&[Code::Conflict]),
        get("/api/v1/projects/{project}", Need::VIEW, project_change::get)
            .named("get_project", "One project."),
        patch("/api/v1/projects/{project}", Need::MANAGE, project_change::change)
            .named("change_project", "Changes name, team or settings.")
            .fails(&[Code::Conflict]),
        delete("/api/v1/projects/{project}", Need::MANAGE, project_change::remove)
            .named("remove_project", "Removes a project with all that is in it."),
        get("/api/v1/projects/{project}/events/{event_id}", Need::VIEW, event::handler)
            .named("get_event", "An event of the project."),
        get("/api/v1/projects/{project}/keys", Need::VIEW, keys::list).named("list_keys", "Its keys."),
        post("/api/v1/projects/{project}/keys", Need::MANAGE, keys::create)
            .named("create_key", "Makes a key.")
            .fails(&[Code::Conflict]),
        patch("/api/v1/projects/{project}/keys/{key_id}", Need::MANAGE, keys::change)
            .named("change_key", "Changes label, quota, or whether it is enabled."),
        delete("/api/v1/projects/{project}/keys/{key_id}", Need::MANAGE, keys::remove)
            .named("remove_key", "Removes a key."),
        post("/api/v1/projects/{project}/keys/{key_id}/rotate", Need::MANAGE, keys::rotate)
            .named("rotate_key", "Makes a new key like it and disables the old one."),
        get("/api/v1/projects/{project}/destinations", Need::VIEW, destinations::handler)
            .named("list_destinations", "Where its notifications go."),
        post("/api/v1/projects/{project}/destinations", Need::MANAGE, destination_create::handler)
            .named("create_destination", "Makes a destination.")
            .fails(&[Code::Conflict]),
        delete("/api/v1/projects/{project}/destinations/{id}", Need::MANAGE, destination_remove::handler)
            .named("remove_destination", "Removes a destination."),
        post("/api/v1/projects/{project}/destinations/{id}/test", Need::MANAGE, destination_test::handler)
            .named("test_destination", "Sends a test there."),
    ]
}

/// Declaring a release is for members, as a build's token should not be able to do more; removing one is for managers.
fn release_routes() -> Vec<Endpoint> {
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
    ]
}

fn operator_routes() -> Vec<Endpoint> {
    vec![
        get("/api/v1/notifications", Need::VIEW, notifications::handler)
            .named("list_notifications", "What was told to whom, the newest first.")
            .query(notifications::PARAMETERS)
            .fails(&[Code::NotFound]),
        get("/api/v1/outcomes", Need::VIEW, outcomes::handler)
            .named("list_outcomes", "How items ended, by the hour.")
            .query(outcomes::PARAMETERS),
        get("/api/v1/stats", Need::VIEW, stats::handler)
            .named("get_stats", "Events over time, and how issues stand.")
            .query(&[stats::PROJECT, PERIOD]),
        get("/api/v1/services", Need::VIEW, services::handler)
            .named("list_services", "The processes that showed a sign of life within the last minute.")
            .fails(&[Code::Invalid]),
        get("/api/v1/admin/dead-letters", Need::Admin, dead_letters::list)
            .named("list_dead_letters", "What was rejected for good.")
            .query(&[dead_letters::QUEUE, LIMIT]),
        post("/api/v1/admin/dead-letters/redrive", Need::Admin, dead_letters::redrive)
            .named("redrive_dead_letters", "Puts dead letters back into their queue."),
        post("/api/v1/admin/dead-letters/discard", Need::Admin, dead_letters::discard)
            .named("discard_dead_letters", "Throws dead letters away."),
    ]
}

/// `POST /api/error-logging/errors/` captures and is ingest's: the list is mounted for reading only.
fn older_routes() -> Vec<Endpoint> {
    vec![
        get("/api/error-logging/errors", Need::VIEW, errors_list::handler)
            .named("list_errors", "The errors of the older contract.")
            .query(errors_list::PARAMETERS),
        get("/api/error-logging/errors/{id}", Need::VIEW, errors_get::handler)
            .named("get_error", "One error."),
        patch("/api/error-logging/errors/{id}", Need::TRIAGE, errors_change::handler)
            .named("change_error", "Changes status, severity or assignee."),
        post("/api/error-logging/errors/{id}/resolve", Need::TRIAGE, errors_resolve::handler)
            .named("resolve_error", "Resolves an error."),
    ]
}
