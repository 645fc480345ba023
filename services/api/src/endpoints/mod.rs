//! One endpoint, one file. What there is, and what each needs of its caller, is declared in [`table`] and nowhere else.

mod account;
mod assignee;
mod attachments;
mod audit;
mod audit_export;
mod availability;
mod canary;
mod conflicts;
mod dead_letters;
mod destination_change;
mod destination_create;
mod destination_remove;
mod destination_test;
mod destinations;
mod developers;
mod discards;
mod errors_assign;
mod errors_change;
mod errors_critical;
mod errors_escalate;
mod errors_get;
mod errors_list;
mod errors_resolve;
mod errors_stats;
mod event;
mod event_anywhere;
mod event_feedback;
mod events;
mod export;
mod grouping_try;
mod highlights;
mod ignoring;
mod invitation_accept;
mod invitations;
mod issue;
mod issue_activity;
mod issue_bookmark;
mod issue_change;
mod issue_comment;
mod issue_delete;
mod issue_event;
mod issue_events;
mod issue_export;
mod issue_facets;
mod issue_grouping;
mod issue_merge;
mod issue_resolution;
mod issue_search;
mod issue_share;
mod issue_stats;
mod issue_tags;
mod issues;
mod issues_bulk;
mod keys;
mod live;
mod members;
mod mentions;
mod named;
mod notifications;
mod oidc;
mod oncall;
mod openapi;
mod outcomes;
mod ownership;
mod password_resets;
mod project_change;
mod project_create;
mod projects;
mod release;
mod release_commits;
mod release_deploys;
mod release_issues;
mod release_trend;
mod releases;
mod saved_searches;
mod second_factor;
mod sentry;
mod services;
mod session;
mod sessions;
mod setup;
mod stats;
mod storage;
mod table;
mod tag_names;
mod teams;
mod tokens;
mod users;

pub(crate) use oncall::alerts::Counts as AlertCounts;

use crate::access::{Declared, SENTRY, mount};
use crate::{State, dashboard};
use actix_web::web::{Data, ServiceConfig};
use serde_json::Value;

/// Mounts every path of the API.
pub fn routes(config: &mut ServiceConfig, state: Data<State>) {
    mount(config, &state, table::all());
    config.app_data(state);
    dashboard::routes(config);
}

/// The table of access: every endpoint there is, with what it needs. What is not in it is not mounted.
#[must_use]
pub fn declared() -> Vec<Declared> {
    table::all().into_iter().map(|endpoint| endpoint.declared).collect()
}

/// The OpenAPI document of this API. What sentry-cli calls is Sentry's contract, which they describe.
#[must_use]
pub fn document() -> Value {
    let ours: Vec<_> = declared().into_iter().filter(|one| !one.path.starts_with(SENTRY)).collect();
    crate::openapi::document(&ours)
}
