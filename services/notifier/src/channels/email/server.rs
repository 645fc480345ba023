//! The mail server's URL: what it says about TLS.

use url::{Host, Url};

/// The URL as lettre reads it, with the TLS that is meant spelled out.
///
/// `smtps` is TLS from the start. `smtp` takes `?tls=required` (STARTTLS or nothing), `?tls=opportunistic` (STARTTLS when
/// it is offered) and `?tls=none`. Without: required when a password would otherwise cross a network, else opportunistic.
///
/// # Errors
/// A sentence that names the value that is wrong.
pub fn spelled_out(url: &Url) -> Result<Url, String> {
    let given = url.query_pairs().find(|(key, _)| key == "tls").map(|(_, value)| value.into_owned());
    let mut spelled = url.clone();
    spelled.set_query(None);
    if url.scheme() == "smtps" {
        return Ok(spelled);
    }
    let tls = match given.as_deref() {
        Some("none") => return Ok(spelled),
        Some(mode @ ("required" | "opportunistic")) => mode,
        Some(other) => return Err(format!("tls={other}: expected required, opportunistic or none")),
        None if url.password().is_some() && !is_local(url) => "required",
        None => "opportunistic",
    };
    if url.port().is_none() && tls == "opportunistic" {
        // lettre would take 587, the port for submission.
        spelled.set_port(Some(25)).map_err(|()| "has no host".to_owned())?;
    }
    spelled.set_query(Some(&format!("tls={tls}")));
    Ok(spelled)
}

fn is_local(url: &Url) -> bool {
    // The scheme is not one of the web's, so an address may still be unparsed text.
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        _ => host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_is_spelled_out() {
        for (given, expected) in [
            ("smtp://mail.example.com", "smtp://mail.example.com:25?tls=opportunistic"),
            ("smtp://127.0.0.1:1025", "smtp://127.0.0.1:1025?tls=opportunistic"),
            ("smtp://u:p@127.0.0.1:1025", "smtp://u:p@127.0.0.1:1025?tls=opportunistic"),
            ("smtp://u:p@[::1]:1025", "smtp://u:p@[::1]:1025?tls=opportunistic"),
            ("smtp://u:p@localhost", "smtp://u:p@localhost:25?tls=opportunistic"),
            ("smtp://u:p@mail.example.com:587", "smtp://u:p@mail.example.com:587?tls=required"),
            ("smtp://u:p@mail.example.com:25?tls=none", "smtp://u:p@mail.example.com:25"),
            ("smtp://mail.example.com?tls=required", "smtp://mail.example.com?tls=required"),
            ("smtps://u:p@mail.example.com", "smtps://u:p@mail.example.com"),
        ] {
            let spelled = spelled_out(&Url::parse(given).unwrap());
            assert_eq!(spelled.as_ref().map(Url::as_str), Ok(expected), "{given}");
        }
        let wrong = spelled_out(&Url::parse("smtp://a?tls=maybe").unwrap());
        assert_eq!(wrong.unwrap_err(), "tls=maybe: expected required, opportunistic or none");
    }
}
