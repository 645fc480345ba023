//! How Bugle is watched from outside, and watches itself.

use super::reader::Reader;
use super::{Secret, SecretUrl, parse};
use std::time::Duration;
use url::Url;

/// Settings of what tells others that Bugle works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    /// Asked for by the notifier as long as on-call works; such as a check of healthchecks.io. Unset: nothing is.
    pub heartbeat_url: Option<SecretUrl>,
    /// How often; 10 s to an hour. Default 60 s.
    pub heartbeat_interval: Duration,
    /// Where the api sends itself an error every now and then: the DSN of a project of its own. Unset: it does not.
    pub canary_dsn: Option<Dsn>,
    /// Asked for when that error has come out as a message, and with `/fail` at its end when it has not.
    pub canary_url: Option<SecretUrl>,
    /// How often; a minute to a day. Default 5 min.
    pub canary_interval: Duration,
    /// How long it may take; 5 s to 10 min. Default 60 s.
    pub canary_deadline: Duration,
}

impl Watch {
    pub(super) fn read(r: &mut Reader) -> Self {
        let web = parse::url_of(&["http", "https"]);
        let url =
            |r: &mut Reader, key| r.optional(key, "an http:// or https:// URL", &web).map(SecretUrl::from);
        let seconds = |r: &mut Reader, key, default, range: std::ops::RangeInclusive<u64>| {
            let expected = format!("seconds from {} to {}", range.start(), range.end());
            r.value(key, &expected, Duration::from_secs(default), parse::seconds(range))
        };
        Self {
            heartbeat_url: url(r, "heartbeat_url"),
            heartbeat_interval: seconds(r, "heartbeat_interval", 60, 10..=3600),
            canary_dsn: r.optional("canary_dsn", "a project's DSN", Dsn::parse),
            canary_url: url(r, "canary_url"),
            canary_interval: seconds(r, "canary_interval", 300, 60..=86_400),
            canary_deadline: seconds(r, "canary_deadline", 60, 5..=600),
        }
    }

    /// Settings that cannot go together.
    pub(super) fn check(&self, r: &mut Reader) {
        if self.canary_url.is_some() && self.canary_dsn.is_none() {
            r.conflict("canary_dsn, canary_url", "only the URL is set; without the DSN nothing is sent");
        }
    }
}

/// Where a project's events are sent, and what lets them in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dsn {
    /// `…/api/{project}/store/`.
    pub endpoint: Url,
    /// The key.
    pub key: Secret,
    /// The project's id.
    pub project: i32,
}

impl Dsn {
    /// From `https://key@host/1`; the host may be followed by a path.
    fn parse(text: &str) -> Option<Self> {
        let mut endpoint = parse::url_of(&["http", "https"])(text)?;
        let key = Secret::new(Some(endpoint.username()).filter(|key| !key.is_empty())?);
        let (path, project) = endpoint.path().trim_end_matches('/').rsplit_once('/')?;
        let (path, project) = (path.to_owned(), project.parse().ok()?);
        endpoint.set_path(&format!("{path}/api/{project}/store/"));
        endpoint.set_username("").ok()?;
        endpoint.set_password(None).ok()?;
        endpoint.set_query(None);
        Some(Self { endpoint, key, project })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dsn_is_an_endpoint_and_a_key() {
        for (text, endpoint) in [
            ("https://abc@bugle.example.com/7", "https://bugle.example.com/api/7/store/"),
            ("http://abc:old@localhost:8080/below/7/?x=1", "http://localhost:8080/below/api/7/store/"),
        ] {
            let dsn = Dsn::parse(text).unwrap();
            assert_eq!((dsn.endpoint.as_str(), dsn.key.reveal(), dsn.project), (endpoint, "abc", 7));
        }
        for text in
            ["https://bugle.example.com/7", "https://abc@bugle.example.com/shop", "abc", "ftp://abc@h/7"]
        {
            assert_eq!(Dsn::parse(text), None, "{text}");
        }
    }
}
