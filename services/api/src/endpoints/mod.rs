//! One endpoint, one file. A path's methods are listed here and nowhere else.

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
mod issue;
mod issue_activity;
mod issue_change;
mod issue_comment;
mod issue_events;
mod issue_grouping;
mod issue_stats;
mod issue_tags;
mod issues;
mod named;
mod notifications;
mod outcomes;
mod project_create;
mod projects;
mod services;
mod stats;

use crate::{State, Tokens, dashboard};
use actix_web::guard::{Any, Get, Head};
use actix_web::web::{self, Data, ServiceConfig};
use bugle_web::auth::TokenVerifier;
use bugle_web::{read, resource};
use std::sync::Arc;

/// Mounts every path of the API.
pub fn routes(config: &mut ServiceConfig, state: Data<State>) {
    let tokens: Arc<dyn TokenVerifier> = Arc::new(Tokens(state.get_ref().clone()));
    config.app_data(Data::from(tokens)).app_data(state);
    issue_routes(config);
    project_routes(config);
    operator_routes(config);
    older_routes(config);
    dashboard::routes(config);
}

fn issue_routes(config: &mut ServiceConfig) {
    config
        .service(resource("/api/v1/issues").route(read().to(issues::handler)))
        .service(
            resource("/api/v1/issues/{id}")
                .route(read().to(issue::handler))
                .route(web::patch().to(issue_change::handler)),
        )
        .service(resource("/api/v1/issues/{id}/events").route(read().to(issue_events::handler)))
        .service(resource("/api/v1/issues/{id}/stats").route(read().to(issue_stats::handler)))
        .service(resource("/api/v1/issues/{id}/tags").route(read().to(issue_tags::handler)))
        .service(resource("/api/v1/issues/{id}/activity").route(read().to(issue_activity::handler)))
        .service(resource("/api/v1/issues/{id}/comments").route(web::post().to(issue_comment::handler)))
        .service(resource("/api/v1/issues/{id}/grouping").route(read().to(issue_grouping::handler)))
        .service(resource("/api/v1/events/{event_id}").route(read().to(event_anywhere::handler)));
}

fn project_routes(config: &mut ServiceConfig) {
    config
        .service(
            resource("/api/v1/projects")
                .route(read().to(projects::handler))
                .route(web::post().to(project_create::handler)),
        )
        .service(resource("/api/v1/projects/{project}/events/{event_id}").route(read().to(event::handler)))
        .service(
            resource("/api/v1/projects/{project}/destinations")
                .route(read().to(destinations::handler))
                .route(web::post().to(destination_create::handler)),
        )
        .service(
            resource("/api/v1/projects/{project}/destinations/{id}")
                .route(web::delete().to(destination_remove::handler)),
        )
        .service(
            resource("/api/v1/projects/{project}/destinations/{id}/test")
                .route(web::post().to(destination_test::handler)),
        );
}

fn operator_routes(config: &mut ServiceConfig) {
    config
        .service(resource("/api/v1/notifications").route(read().to(notifications::handler)))
        .service(resource("/api/v1/stats").route(read().to(stats::handler)))
        .service(resource("/api/v1/services").route(read().to(services::handler)))
        .service(resource("/api/v1/outcomes").route(read().to(outcomes::handler)))
        .service(resource("/api/v1/admin/dead-letters").route(read().to(dead_letters::list)))
        .service(resource("/api/v1/admin/dead-letters/redrive").route(web::post().to(dead_letters::redrive)))
        .service(resource("/api/v1/admin/dead-letters/discard").route(web::post().to(dead_letters::discard)));
}

/// `POST /api/error-logging/errors/` captures and is ingest's: the list is mounted for reading only.
fn older_routes(config: &mut ServiceConfig) {
    config
        .service(
            web::resource("/api/error-logging/errors")
                .guard(Any(Get()).or(Head()))
                .route(web::route().to(errors_list::handler)),
        )
        .service(
            resource("/api/error-logging/errors/{id}")
                .route(read().to(errors_get::handler))
                .route(web::patch().to(errors_change::handler)),
        )
        .service(
            resource("/api/error-logging/errors/{id}/resolve").route(web::post().to(errors_resolve::handler)),
        );
}
