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
use actix_web::web::{Data, ServiceConfig, method, resource, route, to};
use actix_web::{FromRequest, Handler, HttpResponse, Resource, Responder};

/// A path, and what serves it.
struct Served {
    path: &'static str,
    methods: Vec<Method>,
    resource: Resource,
}

fn at(path: &'static str) -> Served {
    Served { path, methods: Vec::new(), resource: resource(path) }
}

impl Served {
    fn on<F, Args>(mut self, on: Method, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.resource = self.resource.route(method(on.clone()).to(handler));
        self.methods.push(on);
        self
    }

    fn post<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.on(Method::POST, handler)
    }
}

/// Mounts every endpoint of ingest. To be called before those who serve other methods of `/api/error-logging/errors`.
pub fn routes(config: &mut ServiceConfig, state: Data<Ingest>) {
    config.app_data(state);
    for Served { resource, .. } in served().into_iter().chain(refused()) {
        config.service(finish(resource));
    }
}

/// Each method and path that ingest serves, as the router has it: `/api/{project:[0-9]+}/envelope`. Without what is always refused.
#[must_use]
pub fn declared() -> Vec<(Method, &'static str)> {
    let all = served();
    all.into_iter().flat_map(|one| one.methods.into_iter().map(move |method| (method, one.path))).collect()
}

fn served() -> Vec<Served> {
    let otlp = |path| at(path).post(otlp::export);
    vec![
        at("/api/{project:[0-9]+}/envelope").post(envelope::post),
        at("/tunnel").post(envelope::post),
        at("/api/{project:[0-9]+}/store").post(store::post).on(Method::GET, store::pixel),
        at("/api/store").post(store::post).on(Method::GET, store::pixel),
        at("/api/{project:[0-9]+}/security").post(security::post),
        at("/api/{project:[0-9]+}/csp-report").post(security::post),
        at("/api/{project:[0-9]+}/nel").post(security::nel),
        at("/api/{project:[0-9]+}/cron/{slug}").post(cron::check_in).on(Method::GET, cron::check_in),
        at("/api/{project:[0-9]+}/cron/{slug}/{key}").post(cron::check_in).on(Method::GET, cron::check_in),
        otlp("/api/{project:[0-9]+}/integration/otlp/v1/{signal:traces|logs|metrics}"),
        otlp("/api/{project:[0-9]+}/otlp/v1/{signal:traces|logs|metrics}"),
        at("/api/error-logging/webhook/health").on(Method::GET, webhook::health),
        at("/api/error-logging/webhook/{source:laravel|java|frontend|mobile|generic}").post(webhook::post),
        at("/api/v1/logs/frontend").post(frontend::post),
        shared(at("/api/error-logging/errors").post(webhook::capture)),
    ]
}

/// Others serve the other methods of this path.
fn shared(served: Served) -> Served {
    Served { resource: served.resource.guard(Any(Post()).or(Options())), ..served }
}

/// What clients may ask for and is always refused, with a reason.
fn refused() -> Vec<Served> {
    let upload = |path| at(path).post(unsupported::upload).on(Method::PATCH, unsupported::upload);
    let rest = "/api/{project:[1-9][0-9]*}/{rest:.*}";
    vec![
        at("/api/{project:[0-9]+}/minidump").post(unsupported::minidump),
        at("/api/{project:[0-9]+}/unreal/{key}").post(unsupported::unreal),
        at("/api/{project:[0-9]+}/playstation").post(unsupported::playstation),
        upload("/api/{project:[0-9]+}/upload"),
        upload("/api/{project:[0-9]+}/upload/{id}"),
        at("/api/{project:[0-9]+}/events/{event_id}/attachments").post(unsupported::attachments),
        // 0 is the root of a web API that sentry-cli asks for. Last: it takes whatever is left.
        Served { resource: resource(rest).route(route().to(unsupported::unknown)), ..at(rest) },
    ]
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
