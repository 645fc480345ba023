//! Which path goes where.
//!
//! Paths have no slash at their end: the server merges slashes and drops the last one before routing, without a
//! redirect. `{project}` is digits, so that `/api/v1/…` goes elsewhere.

use crate::answer::{Refusal, Style};
use crate::endpoints::{cron, envelope, frontend, otlp, security, store, unsupported, webhook};
use crate::request::surround;
use crate::state::Ingest;
use actix_web::guard::{Any, Options, Post};
use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::web::{Data, ServiceConfig, get, method, post, resource, route, to};
use actix_web::{HttpResponse, Resource, Route};

/// Mounts every endpoint of ingest. To be called before those who serve other methods of `/api/error-logging/errors`.
pub fn routes(config: &mut ServiceConfig, state: Data<Ingest>) {
    config.app_data(state);
    let mut serve = |path: &str, routes: Vec<Route>| {
        config.service(finish(routes.into_iter().fold(resource(path.to_owned()), Resource::route)));
    };
    serve("/api/{project:[0-9]+}/envelope", vec![post().to(envelope::post)]);
    serve("/tunnel", vec![post().to(envelope::post)]);
    let store = || vec![post().to(store::post), get().to(store::pixel)];
    serve("/api/{project:[0-9]+}/store", store());
    serve("/api/store", store());
    serve("/api/{project:[0-9]+}/security", vec![post().to(security::post)]);
    serve("/api/{project:[0-9]+}/csp-report", vec![post().to(security::post)]);
    serve("/api/{project:[0-9]+}/nel", vec![post().to(security::nel)]);
    let cron = || vec![post().to(cron::check_in), get().to(cron::check_in)];
    serve("/api/{project:[0-9]+}/cron/{slug}", cron());
    serve("/api/{project:[0-9]+}/cron/{slug}/{key}", cron());
    let otlp = || vec![post().to(otlp::export)];
    serve("/api/{project:[0-9]+}/integration/otlp/v1/{signal:traces|logs|metrics}", otlp());
    serve("/api/{project:[0-9]+}/otlp/v1/{signal:traces|logs|metrics}", otlp());
    serve("/api/{project:[0-9]+}/minidump", vec![post().to(unsupported::minidump)]);
    serve("/api/{project:[0-9]+}/unreal/{key}", vec![post().to(unsupported::unreal)]);
    serve("/api/{project:[0-9]+}/playstation", vec![post().to(unsupported::playstation)]);
    let upload = || vec![post().to(unsupported::upload), method(Method::PATCH).to(unsupported::upload)];
    serve("/api/{project:[0-9]+}/upload", upload());
    serve("/api/{project:[0-9]+}/upload/{id}", upload());
    serve("/api/{project:[0-9]+}/events/{event_id}/attachments", vec![post().to(unsupported::attachments)]);
    // 0 is the root of a web API that sentry-cli asks for.
    serve("/api/{project:[1-9][0-9]*}/{rest:.*}", vec![route().to(unsupported::unknown)]);
    serve("/api/error-logging/webhook/health", vec![get().to(webhook::health)]);
    let sources = "/api/error-logging/webhook/{source:laravel|java|frontend|mobile|generic}";
    serve(sources, vec![post().to(webhook::post)]);
    serve("/api/v1/logs/frontend", vec![post().to(frontend::post)]);
    // Others serve the other methods of this path.
    let capture = resource("/api/error-logging/errors").guard(Any(Post()).or(Options()));
    config.service(finish(capture.route(post().to(webhook::capture))));
}

fn finish(
    resource: Resource,
) -> Resource<
    impl actix_web::dev::ServiceFactory<
        actix_web::dev::ServiceRequest,
        Config = (),
        Response = actix_web::dev::ServiceResponse<impl actix_web::body::MessageBody>,
        Error = actix_web::Error,
        InitError = (),
    >,
> {
    resource
        .route(method(Method::OPTIONS).to(unsupported::options))
        .default_service(to(not_allowed))
        .wrap(from_fn(surround))
}

async fn not_allowed() -> HttpResponse {
    Refusal::Method("POST, OPTIONS").response(Style::Sentry)
}
