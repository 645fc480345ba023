//! Where a request comes from.

use actix_web::HttpRequest;
use actix_web::http::header::HeaderName;
use ipnet::IpNet;
use std::net::{IpAddr, Ipv6Addr};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// Nobody has more proxies one behind the other.
const MAX_FORWARDED: usize = 32;

/// The peer; behind a trusted proxy the last address of `X-Forwarded-For` that is no trusted proxy itself.
#[must_use]
pub fn client_address(request: &HttpRequest, trusted: &[IpNet]) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip().to_canonical();
    let forwarded = request.headers().get_all(X_FORWARDED_FOR).filter_map(|value| value.to_str().ok());
    Some(behind_proxies(peer, &forwarded.collect::<Vec<_>>(), trusted))
}

/// The network that an address is counted with: an IPv6 customer has a /64 of them.
#[must_use]
pub fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
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
