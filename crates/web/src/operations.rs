//! What operators and their machines ask every process: `/health/…` and `/metrics`.

use crate::{Code, Params, Problem, read, resource};
use actix_web::http::header;
use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Responder};
use bugle_runtime::Metrics;
use bugle_runtime::health::{CheckResult, Registry, Report, Scope};
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
struct Health {
    healthy: bool,
    checks: BTreeMap<String, CheckResult>,
}

/// Mounts `/health`, `/api/v1/health`, `/health/live`, `/health/ready` and `/metrics`, all without a token.
pub fn routes(config: &mut ServiceConfig, registry: Registry, metrics: Metrics) {
    config
        .app_data(Data::new(registry))
        .app_data(Data::new(metrics))
        .service(resource("/health").route(read().to(overall)))
        .service(resource("/api/v1/health").route(read().to(overall)))
        .service(resource("/health/live").route(read().to(live)))
        .service(resource("/health/ready").route(read().to(ready)))
        .service(resource("/metrics").route(read().to(render)));
}

async fn overall(registry: Data<Registry>) -> impl Responder {
    answer(registry.run(Scope::Overall).await)
}

async fn live(registry: Data<Registry>) -> impl Responder {
    answer(registry.run(Scope::Live).await)
}

/// `?service=ingest` asks one service of the process: a load balancer in front of captures must not turn away from a
/// door that is open because the API's database is away.
async fn ready(registry: Data<Registry>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut params = Params::of(&request);
    let service = params.text("service");
    params.finish()?;
    let mut report = registry.run(Scope::Ready).await;
    if let Some(service) = service {
        report.checks.retain(|name, _| *name == service);
        if report.checks.is_empty() {
            return Err(Problem::with_detail(Code::NotFound, "no such service runs here"));
        }
    }
    Ok(answer(report))
}

fn answer(report: Report) -> HttpResponse {
    let healthy = report.is_healthy();
    let mut response = if healthy { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    response.json(Health { healthy, checks: report.checks })
}

async fn render(metrics: Data<Metrics>) -> impl Responder {
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(metrics.render())
}
