//! What surrounds a request's body: who sent it, when.

use crate::answer;
use crate::state::Ingest;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HeaderName, USER_AGENT};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, web};
use bugle_web::RequestId;
use chrono::{DateTime, Utc};
use ipnet::IpNet;
use std::net::IpAddr;
use std::time::Instant;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const MAX_USER_AGENT: usize = 512;
/// Nobody has more proxies one behind the other.
const MAX_FORWARDED: usize = 32;

/// What is stored with each item of a request.
#[derive(Debug, Clone)]
pub(crate) struct Meta {
    pub(crate) request_id: Option<String>,
    pub(crate) address: Option<IpAddr>,
    pub(crate) user_agent: Option<String>,
    pub(crate) received_at: DateTime<Utc>,
}

impl Meta {
    /// To be taken when the whole request has arrived.
    pub(crate) fn of(request: &HttpRequest, ingest: &Ingest) -> Self {
        let request_id = request.extensions().get::<RequestId>().map(|id| id.as_str().to_owned());
        Self {
            request_id,
            address: client_address(request, &ingest.settings.trusted_proxies),
            user_agent: user_agent(request),
            received_at: ingest.clock.now(),
        }
    }
}

fn user_agent(request: &HttpRequest) -> Option<String> {
    let text = request.headers().get(USER_AGENT)?.to_str().ok()?;
    Some(text.chars().take(MAX_USER_AGENT).collect())
}

/// Goes around every endpoint: CORS on every answer, the time it took.
pub(crate) async fn surround(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let started = Instant::now();
    let ingest = request.app_data::<web::Data<Ingest>>().cloned();
    let _under_way = ingest.as_ref().map(|ingest| ingest.enter());
    let is_options = request.method() == Method::OPTIONS;
    let mut response = next.call(request).await?;
    let status = response.status();
    answer::add_cors(response.headers_mut(), is_options);
    if let Some(ingest) = ingest.filter(|_| !is_options) {
        ingest.metrics.answered(status.as_u16(), started.elapsed());
    }
    Ok(response)
}

/// The peer; behind a trusted proxy the last address of `X-Forwarded-For` that is no trusted proxy itself.
pub(crate) fn client_address(request: &HttpRequest, trusted: &[IpNet]) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip().to_canonical();
    let forwarded = request.headers().get_all(X_FORWARDED_FOR).filter_map(|value| value.to_str().ok());
    Some(behind_proxies(peer, &forwarded.collect::<Vec<_>>(), trusted))
}

fn behind_proxies(peer: IpAddr, forwarded: &[&str], trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|net| net.contains(&address));
    let mut address = peer;
    for text in forwarded.iter().rev().flat_map(|value| value.rsplit(',')).take(MAX_FORWARDED) {
        if !is_trusted(address) {
            break;
        }
        // What cannot be read was not written by a proxy that is trusted.
        let Some(next) = parse_address(text.trim()) else { break };
        address = next;
    }
    address
}

/// An address, with a port where a proxy adds one.
fn parse_address(text: &str) -> Option<IpAddr> {
    let bare =
        text.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or(text, |(address, _)| address);
    let address =
        bare.parse::<IpAddr>().ok().or_else(|| Some(text.parse::<std::net::SocketAddr>().ok()?.ip()))?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_proxies_are_believed() {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        for (peer, forwarded, expected) in [
            ("203.0.113.9", vec!["1.2.3.4"], "203.0.113.9"),
            ("10.0.0.1", vec![], "10.0.0.1"),
            ("10.0.0.1", vec!["1.2.3.4"], "1.2.3.4"),
            ("10.0.0.1", vec!["6.6.6.6, 1.2.3.4"], "1.2.3.4"),
            ("10.0.0.1", vec!["6.6.6.6, 1.2.3.4, 10.1.1.1"], "1.2.3.4"),
            ("10.0.0.1", vec!["6.6.6.6", "1.2.3.4", "10.1.1.1,10.2.2.2"], "1.2.3.4"),
            ("::1", vec!["2001:db8::1"], "2001:db8::1"),
            ("10.0.0.1", vec!["[2001:db8::1]:4711"], "2001:db8::1"),
            ("10.0.0.1", vec!["1.2.3.4:80"], "1.2.3.4"),
            ("10.0.0.1", vec!["1.2.3.4, unknown"], "10.0.0.1"),
            ("10.0.0.1", vec!["10.3.3.3"], "10.3.3.3"),
        ] {
            let found = behind_proxies(peer.parse().unwrap(), &forwarded, &trusted);
            assert_eq!(found, expected.parse::<IpAddr>().unwrap(), "{peer} {forwarded:?}");
        }
    }
}
