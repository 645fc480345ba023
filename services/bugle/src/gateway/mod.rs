//! `bugle gateway`: one address in front of an ingest and an api process. For development and small set-ups; a real
//! proxy in front of many containers takes the same table, see [`table`].

mod table;
mod websocket;

use crate::output::line;
use actix_service::ServiceExt;
use actix_tls::connect::{Connection as TcpConnection, Connector as TcpConnector};
use actix_web::dev::PeerAddr;
use actix_web::http::Uri;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::from_fn;
use actix_web::rt::net::TcpStream;
use actix_web::web::{self, Data, Payload};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, ResponseError};
use anyhow::Context;
use awc::{Client, Connector};
use bugle_runtime::{Config, Shutdown, telemetry};
use bugle_web::{Code, Problem, request_id};
use clap::Args;
use std::time::Duration;
use table::Upstream;
use url::Url;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// Headers of one connection, which do not travel further (RFC 9110, 7.6.1).
const HOP_BY_HOP: [HeaderName; 6] = [
    header::CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::UPGRADE,
];
const ANSWER_TIMEOUT: Duration = Duration::from_secs(90);

/// Where the processes are.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The ingest process, as in `http://127.0.0.1:8081`.
    #[arg(long)]
    ingest: Url,
    /// The api process, as in `http://127.0.0.1:8082`.
    #[arg(long)]
    api: Url,
}

/// The two addresses without a slash at their end.
#[derive(Debug, Clone)]
struct Upstreams {
    ingest: String,
    api: String,
}

/// Proxies until a signal.
pub(crate) async fn run(config: &Config, arguments: &Arguments) -> anyhow::Result<()> {
    telemetry::init(config)?;
    let bare = |url: &Url| url.as_str().trim_end_matches('/').to_owned();
    let upstreams = Upstreams { ingest: bare(&arguments.ingest), api: bare(&arguments.api) };
    let shutdown = Shutdown::new();
    shutdown.follow_signals(config.stop_deadline)?;
    let stop = Data::new(shutdown.clone());
    let server = HttpServer::new(move || {
        // The default follows redirects and inflates, both of which are the client's business.
        let connector = Connector::new().connector(TcpConnector::default().service().map(without_delay));
        let client =
            Client::builder().connector(connector).disable_redirects().timeout(ANSWER_TIMEOUT).finish();
        App::new()
            .app_data(Data::new(client))
            .app_data(Data::new(upstreams.clone()))
            .app_data(stop.clone())
            .default_service(web::to(forward))
            .wrap(from_fn(request_id))
    })
    .workers(config.http_workers)
    .tcp_nodelay(true)
    .disable_signals()
    .shutdown_timeout(10)
    .shutdown_signal(shutdown.soft.clone().cancelled_owned())
    .bind(config.http_addr)
    .with_context(|| format!("cannot listen on {} (BUGLE_HTTP_ADDR)", config.http_addr))?;
    for address in server.addrs() {
        line(format_args!("bugle (gateway) is ready at http://{address}"));
    }
    server.run().await?;
    shutdown.stop_now();
    Ok(())
}

/// A head and its body are two writes: with Nagle's algorithm the second waits for the other side's delayed
/// acknowledgement, which is 40 ms on Linux.
fn without_delay(connection: TcpConnection<Uri, TcpStream>) -> TcpConnection<Uri, TcpStream> {
    if let Err(error) = connection.io_ref().set_nodelay(true) {
        tracing::debug!(%error, "a connection to an upstream keeps Nagle's algorithm");
    }
    connection
}

/// Both bodies are streamed; neither is held.
async fn forward(
    request: HttpRequest,
    payload: Payload,
    client: Data<Client>,
    upstreams: Data<Upstreams>,
    shutdown: Data<Shutdown>,
    peer: Option<PeerAddr>,
    id: bugle_web::RequestId,
) -> HttpResponse {
    let base = match table::route(request.method(), request.path()) {
        Upstream::Ingest => &upstreams.ingest,
        Upstream::Api => &upstreams.api,
    };
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let url = format!("{base}{path}");
    let headers = headers_onward(&request, peer, &id);
    let payload = if websocket::is_asked_for(&request) {
        match websocket::open(&request, payload, &client, url.clone(), &headers, &shutdown).await {
            websocket::Opened::Answer(answer) => return answer,
            // It has no body: what comes after it is for the socket that there will not be.
            websocket::Opened::Refused => None,
        }
    } else {
        Some(payload)
    };
    let mut onward = client.request_from(url, request.head()).no_decompress();
    *onward.headers_mut() = headers;
    let sent = match payload {
        Some(payload) => onward.send_stream(payload),
        None => onward.send(),
    };
    match sent.await {
        Ok(answer) => {
            let mut response = HttpResponse::build(answer.status());
            for (name, value) in answer.headers().iter().filter(|(name, _)| !HOP_BY_HOP.contains(name)) {
                response.append_header((name.clone(), value.clone()));
            }
            response.streaming(answer)
        }
        Err(error) => {
            tracing::warn!(%error, "an upstream does not answer");
            Problem::new(Code::Unavailable).retry_after(1).error_response()
        }
    }
}

/// The client's headers as the upstream gets them.
fn headers_onward(request: &HttpRequest, peer: Option<PeerAddr>, id: &bugle_web::RequestId) -> HeaderMap {
    let mut headers = request.headers().clone();
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
    headers.remove(header::EXPECT);
    if let Some(PeerAddr(address)) = peer {
        headers.insert(FORWARDED_FOR, forwarded_for(request, &address.ip().to_string()));
    }
    if let Ok(id) = HeaderValue::from_str(id.as_str()) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    headers
}

/// The chain so far, and who sent it here.
fn forwarded_for(request: &HttpRequest, peer: &str) -> HeaderValue {
    let before: Vec<_> = request
        .headers()
        .get_all(FORWARDED_FOR)
        .filter_map(|value| value.to_str().ok())
        .chain([peer])
        .collect();
    HeaderValue::from_str(&before.join(", ")).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
}
