//! Settings from text. `None` is "not what was expected".

use super::{HealthProbe, Secret};
use ipnet::IpNet;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;
use url::Url;

/// `true`, `false`, and their usual spellings.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// A number of bytes: `1048576`, `512MiB`, `2 GiB`, `100MB`.
pub(super) fn bytes(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits)?;
    let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "t" | "tib" => 1 << 40,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// A network in CIDR notation, or one address.
pub(super) fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// A URL with one of these schemes.
pub(super) fn url_of(schemes: &'static [&'static str]) -> impl Fn(&str) -> Option<Url> {
    move |text| Url::parse(text).ok().filter(|url| schemes.contains(&url.scheme()))
}

/// A number within a range.
pub(super) fn within(range: std::ops::RangeInclusive<usize>) -> impl Fn(&str) -> Option<usize> {
    move |text| text.parse().ok().filter(|number| range.contains(number))
}

/// A number of seconds within a range.
pub(super) fn seconds(range: std::ops::RangeInclusive<u64>) -> impl Fn(&str) -> Option<Duration> {
    move |text| text.parse().ok().filter(|seconds| range.contains(seconds)).map(Duration::from_secs)
}

/// A domain such as `example.com`.
pub(super) fn domain(text: &str) -> Option<String> {
    let is_domain =
        text.contains('.') && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b));
    is_domain.then(|| text.to_ascii_lowercase())
}

/// The secret that a file holds.
pub(super) fn secret_in(path: &Path) -> Option<Secret> {
    let text = std::fs::read_to_string(path).ok()?;
    Some(text.trim()).filter(|text| !text.is_empty()).map(Secret::new)
}

/// `name=https://…` or `name=cmd:…`.
pub(super) fn probe_text(text: &str) -> Option<HealthProbe> {
    let (name, what) = text.split_once('=')?;
    let (name, what) = (name.trim(), what.trim());
    if name.is_empty() || what.is_empty() {
        return None;
    }
    match what.strip_prefix("cmd:") {
        Some(command) => {
            Some(HealthProbe::Command { name: name.to_owned(), command: command.trim().to_owned() })
        }
        None => Some(HealthProbe::Url { name: name.to_owned(), url: url_of(&["http", "https"])(what)? }),
    }
}

/// `{ name = "…", url = "…" }` or `{ name = "…", command = "…" }`.
pub(super) fn probe_table(table: &toml::Table) -> Option<HealthProbe> {
    let text = |key: &str| table.get(key).and_then(toml::Value::as_str).map(str::to_owned);
    let name = text("name").filter(|name| !name.is_empty())?;
    if table.keys().any(|key| !["name", "url", "command"].contains(&key.as_str())) {
        return None;
    }
    match (text("url"), text("command")) {
        (Some(url), None) => Some(HealthProbe::Url { name, url: url_of(&["http", "https"])(&url)? }),
        (None, Some(command)) => Some(HealthProbe::Command { name, command }),
        _ => None,
    }
}
