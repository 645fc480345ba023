//! The HTTP server that every process runs once.

use crate::{Code, Problem, request_id};
use actix_web::guard::{Any, Get, Head};
use actix_web::http::Method;
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::middleware::{NormalizePath, from_fn};
use actix_web::web::{self, ServiceConfig};
use actix_web::{App, HttpServer, Resource, ResponseError, Route};
use bugle_runtime::Shutdown;
use std::net::TcpListener;
use std::time::Duration;

/// An idle connection is closed after this long.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// The head of a request must be here after this long.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// A soft stop lets requests under way finish for this many seconds.
const DRAIN_SECONDS: u64 = 10;

/// A path of the API; its other methods answer 405 as a problem. `path` has no slash at its end: slashes are
/// merged and the last one is dropped before routing, without a redirect.
#[must_use]
pub fn resource(path: &str) -> Resource {
    web::resource(path)
        .default_service(web::to(|| async { Problem::new(Code::MethodNotAllowed).error_response() }))
}

/// As [`resource`], and its 405 says in `Allow` what the path knows.
#[must_use]
pub fn resource_with(path: &str, methods: &[Method]) -> Resource {
    let names =
        methods.iter().map(|method| if method == Method::GET { "GET, HEAD" } else { method.as_str() });
    let allow = names.collect::<Vec<_>>().join(", ");
    web::resource(path).default_service(web::to(move || {
        let mut answer = Problem::new(Code::MethodNotAllowed).error_response();
        if let Ok(allow) = HeaderValue::try_from(allow.as_str()) {
            answer.headers_mut().insert(ALLOW, allow);
        }
        async { answer }
    }))
}

/// GET, and HEAD: the same answer, of which the server sends no body. Monitors and load balancers ask so.
#[must_use]
pub fn read() -> Route {
    web::route().guard(Any(Get()).or(Head()))
}

/// Answers 404 as a problem; for paths that nobody knows.
#[must_use]
pub fn unknown_path() -> Route {
    web::to(|| async { Problem::with_detail(Code::NotFound, "there is no such path").error_response() })
}

/// Serves `configure`'s routes on the listener until the soft stop; the hard stop cuts what is under way.
///
/// Around every route: request ids, slashes merged and the last one dropped. Nothing else: ingest is on the hot path.
/// Handlers may take the [`Shutdown`] as `web::Data`.
///
/// # Errors
/// When the listener cannot be used.
pub async fn serve<F>(
    listener: TcpListener,
    workers: usize,
    shutdown: Shutdown,
    configure: F,
) -> std::io::Result<()>
where
    F: Fn(&mut ServiceConfig) + Clone + Send + 'static,
{
    let stop = web::Data::new(shutdown.clone());
    let server = HttpServer::new(move || {
        App::new()
            // For what would stay open until it is told.
            .app_data(stop.clone())
            // Before the rest, which may have another.
            .default_service(unknown_path())
            .configure(|config| configure(config))
            .wrap(NormalizePath::trim())
            .wrap(from_fn(request_id))
    })
    .workers(workers)
    .keep_alive(KEEP_ALIVE)
    // A head and its body may be two writes: the second must not wait for an acknowledgement.
    .tcp_nodelay(true)
    .client_request_timeout(HEAD_TIMEOUT)
    .shutdown_timeout(DRAIN_SECONDS)
    .disable_signals()
    .listen(listener)?
    .run();
    let handle = server.handle();
    let stopping = tokio::spawn(async move {
        shutdown.soft.cancelled().await;
        tokio::select! {
            () = handle.stop(true) => {}
            () = async { shutdown.hard.cancelled().await; handle.stop(false).await } => {}
        }
    });
    let result = server.await;
    stopping.abort();
    result
}
