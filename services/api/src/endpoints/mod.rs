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
mod issue_stats;
mod issue_tags;
mod issues;
mod keys;
mod live;
mod members;
mod named;
mod notifications;
mod oidc;
mod outcomes;
mod password_resets;
mod project_change;
mod project_create;
mod projects;
mod second_factor;
mod services;
mod session;
mod sessions;
mod setup;
mod stats;
mod teams;
mod tokens;
mod users;

use crate::access::{Declared, Endpoint, Need, delete, get, mount, patch, post, put};
use crate::openapi::parameter;
use crate::{State, dashboard};
use actix_web::web::{Data, ServiceConfig};
use bugle_model::TeamRole;

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

fn all() -> Vec<Endpoint> {
    let parts = [accounts(), people(), issue_routes(), project_routes(), operator_routes(), older_routes()];
    parts.into_iter().flatten().collect()
}

fn accounts() -> Vec<Endpoint> {
    vec![
        get("/api/v1/setup", Need::Nothing, setup::needed),
        post("/api/v1/setup", Need::Nothing, setup::run),
        get("/api/v1/session", Need::Person, session::show),
        post("/api/v1/session", Need::Nothing, session::create),
        delete("/api/v1/session", Need::Person, session::end),
        get("/api/v1/session/methods", Need::Nothing, oidc::methods)
            .named("list_sign_in_methods", "How people sign in, besides with a password."),
        get("/api/v1/session/oidc", Need::Nothing, oidc::start)
            .named("start_oidc", "Sends the browser to the OpenID Connect provider.")
            .query(const { &[parameter::<String>("next", "The page to go on with.")] }),
        get("/api/v1/session/oidc/callback", Need::Nothing, oidc::callback)
            .named("finish_oidc", "Where the OpenID Connect provider sends the browser back to.")
            .query(
                const {
                    &[
                        parameter::<String>("state", "What was begun."),
                        parameter::<String>("code", "What proves who it is."),
                        parameter::<String>("error", "Why the provider refuses."),
                        parameter::<String>("iss", "The provider."),
                    ]
                },
            ),
        get("/api/v1/sessions", Need::Person, sessions::list),
        delete("/api/v1/sessions", Need::Person, sessions::end_others),
        delete("/api/v1/sessions/{id}", Need::Person, sessions::end),
        post("/api/v1/password-resets", Need::Nothing, password_resets::ask),
        post("/api/v1/password-resets/{token}", Need::Nothing, password_resets::set),
        patch("/api/v1/account", Need::Person, account::change),
        post("/api/v1/account/totp", Need::Person, second_factor::propose),
        put("/api/v1/account/totp", Need::Person, second_factor::enable),
        delete("/api/v1/account/totp", Need::Person, second_factor::remove),
        get("/api/v1/invitations/{token}/preview", Need::Nothing, invitation_accept::preview),
        post("/api/v1/invitations/{token}/accept", Need::Nothing, invitation_accept::accept),
    ]
}

fn people() -> Vec<Endpoint> {
    vec![
        get("/api/v1/invitations", Need::MANAGE, invitations::list),
        post("/api/v1/invitations", Need::MANAGE, invitations::create),
        delete("/api/v1/invitations/{id}", Need::MANAGE, invitations::remove),
        get("/api/v1/users", Need::VIEW, users::list),
        get("/api/v1/users/{id}", Need::VIEW, users::get),
        patch("/api/v1/users/{id}", Need::Admin, users::change),
        get("/api/v1/teams", Need::VIEW, teams::list),
        post("/api/v1/teams", Need::Admin, teams::create),
        get("/api/v1/teams/{id}", Need::VIEW, teams::get),
        patch("/api/v1/teams/{id}", Need::MANAGE, teams::change),
        delete("/api/v1/teams/{id}", Need::Admin, teams::remove),
        get("/api/v1/teams/{id}/members", Need::VIEW, members::list),
        put("/api/v1/teams/{id}/members/{user_id}", Need::MANAGE, members::put),
        delete("/api/v1/teams/{id}/members/{user_id}", Need::MANAGE, members::remove),
        get("/api/v1/tokens", Need::PersonWithRole(TeamRole::Manager), tokens::list),
        post("/api/v1/tokens", Need::PersonWithRole(TeamRole::Manager), tokens::create),
        delete("/api/v1/tokens/{id}", Need::PersonWithRole(TeamRole::Manager), tokens::remove),
        get("/api/v1/audit", Need::MANAGE, audit::list),
    ]
}

fn issue_routes() -> Vec<Endpoint> {
    vec![
        get("/api/v1/issues", Need::VIEW, issues::handler),
        get("/api/v1/issues/{id}", Need::VIEW, issue::handler),
        patch("/api/v1/issues/{id}", Need::TRIAGE, issue_change::handler),
        get("/api/v1/issues/{id}/events", Need::VIEW, issue_events::handler),
        get("/api/v1/issues/{id}/stats", Need::VIEW, issue_stats::handler),
        get("/api/v1/issues/{id}/tags", Need::VIEW, issue_tags::handler),
        get("/api/v1/issues/{id}/activity", Need::VIEW, issue_activity::handler),
        post("/api/v1/issues/{id}/comments", Need::TRIAGE, issue_comment::handler),
        get("/api/v1/issues/{id}/grouping", Need::VIEW, issue_grouping::handler),
        get("/api/v1/events/{event_id}", Need::VIEW, event_anywhere::handler),
    ]
}

fn project_routes() -> Vec<Endpoint> {
    vec![
        get("/api/v1/projects", Need::VIEW, projects::handler),
        post("/api/v1/projects", Need::MANAGE, project_create::handler),
        get("/api/v1/projects/{project}", Need::VIEW, project_change::get),
        patch("/api/v1/projects/{project}", Need::MANAGE, project_change::change),
        delete("/api/v1/projects/{project}", Need::MANAGE, project_change::remove),
        get("/api/v1/projects/{project}/events/{event_id}", Need::VIEW, event::handler),
        get("/api/v1/projects/{project}/keys", Need::VIEW, keys::list),
        post("/api/v1/projects/{project}/keys", Need::MANAGE, keys::create),
        patch("/api/v1/projects/{project}/keys/{key_id}", Need::MANAGE, keys::change),
        delete("/api/v1/projects/{project}/keys/{key_id}", Need::MANAGE, keys::remove),
        post("/api/v1/projects/{project}/keys/{key_id}/rotate", Need::MANAGE, keys::rotate),
        get("/api/v1/projects/{project}/destinations", Need::VIEW, destinations::handler),
        post("/api/v1/projects/{project}/destinations", Need::MANAGE, destination_create::handler),
        delete("/api/v1/projects/{project}/destinations/{id}", Need::MANAGE, destination_remove::handler),
        post("/api/v1/projects/{project}/destinations/{id}/test", Need::MANAGE, destination_test::handler),
    ]
}

fn operator_routes() -> Vec<Endpoint> {
    vec![
        get("/api/v1/live", Need::VIEW, live::handler)
            .named("watch_changes", "Opens a WebSocket that tells what changes.")
            .query(
                const {
                    &[parameter::<String>(
                        "after",
                        "The `id` of the last message, to be told what was missed.",
                    )]
                },
            ),
        get("/api/v1/notifications", Need::VIEW, notifications::handler),
        get("/api/v1/outcomes", Need::VIEW, outcomes::handler),
        get("/api/v1/stats", Need::VIEW, stats::handler),
        get("/api/v1/services", Need::VIEW, services::handler),
        get("/api/v1/admin/dead-letters", Need::Admin, dead_letters::list),
        post("/api/v1/admin/dead-letters/redrive", Need::Admin, dead_letters::redrive),
        post("/api/v1/admin/dead-letters/discard", Need::Admin, dead_letters::discard),
    ]
}

/// `POST /api/error-logging/errors/` captures and is ingest's: the list is mounted for reading only.
fn older_routes() -> Vec<Endpoint> {
    vec![
        get("/api/error-logging/errors", Need::VIEW, errors_list::handler),
        get("/api/error-logging/errors/{id}", Need::VIEW, errors_get::handler),
        patch("/api/error-logging/errors/{id}", Need::TRIAGE, errors_change::handler),
        post("/api/error-logging/errors/{id}/resolve", Need::TRIAGE, errors_resolve::handler),
    ]
}
