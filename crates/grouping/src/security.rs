//! Browsers' security reports: CSP and its kin.

use crate::names;
use bugle_model::Event;
use serde_json::Value;

/// What groups a report: what was violated, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    /// The effective directive, or the kind of report.
    pub(crate) directive: String,
    /// The blocked host, `self`, `inline`, `eval`, a scheme, or the report's host.
    pub(crate) blocked: String,
    pub(crate) is_csp: bool,
}

/// The first of `keys` that holds a text which is not empty.
fn text<'v>(report: &'v Value, keys: &[&str]) -> Option<&'v str> {
    keys.iter()
        .filter_map(|key| report.get(key))
        .filter_map(Value::as_str)
        .find(|text| !text.trim().is_empty())
}

/// The host of a URL in lower case without its port; the scheme when there is no host; else the word itself.
fn host(uri: &str) -> String {
    let uri = uri.trim();
    if let Some((scheme, rest)) = uri.split_once("://") {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        let host = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        return if host.is_empty() { format!("{scheme}:") } else { host.to_ascii_lowercase() };
    }
    match uri.split_once(':') {
        Some((scheme, _)) => format!("{scheme}:"),
        None => uri.split('/').next().unwrap_or(uri).to_ascii_lowercase(),
    }
}

fn csp(report: &Value) -> Option<Violation> {
    let directive = text(
        report,
        &["effective-directive", "effectiveDirective", "violated-directive", "violatedDirective"],
    )?;
    let directive = directive.split_whitespace().next()?.to_ascii_lowercase();
    let document = text(report, &["document-uri", "documentURL", "documentURI"]).map(host);
    let blocked = text(report, &["blocked-uri", "blockedURL", "blockedURI"]).unwrap_or("self");
    let blocked = match blocked {
        "inline" | "eval" | "self" | "wasm-eval" | "trusted-types-sink" | "trusted-types-policy" => {
            blocked.to_owned()
        }
        uri => host(uri),
    };
    let blocked = if document.as_deref() == Some(blocked.as_str()) { "self".to_owned() } else { blocked };
    Some(Violation { directive, blocked, is_csp: true })
}

/// What the event's report says. `None` without a report, or when nothing in it tells what was violated.
pub(crate) fn violation(event: &Event) -> Option<Violation> {
    let sent = event.security.as_ref()?;
    let sent = sent.as_array().and_then(|reports| reports.first()).unwrap_or(sent);
    for key in ["csp-report", "csp", "body"] {
        if let Some(violation) = sent.get(key).and_then(csp) {
            return Some(violation);
        }
    }
    if let Some(violation) = csp(sent) {
        return Some(violation);
    }
    let kinds = [
        ("expect-ct-report", "expect-ct"),
        ("expect_ct", "expect-ct"),
        ("expect-staple-report", "expect-staple"),
        ("known-pins", "hpkp"),
    ];
    let (body, kind) = kinds
        .iter()
        .find_map(|(key, kind)| sent.get(key).map(|body| (if *kind == "hpkp" { sent } else { body }, *kind)))
        .unwrap_or((sent, ""));
    let kind = if kind.is_empty() { text(sent, &["type"])? } else { kind };
    let place = text(body, &["hostname", "url"]).or_else(|| text(sent, &["url"])).unwrap_or_default();
    Some(Violation { directive: kind.to_ascii_lowercase(), blocked: host(place), is_csp: false })
}

impl Violation {
    /// `Blocked 'script' from 'host'`.
    pub(crate) fn title(&self) -> String {
        let what = self.directive.as_str();
        if !self.is_csp {
            return format!("{what} report for '{}'", names::basename(&self.blocked));
        }
        let what = what.trim_end_matches("-elem").trim_end_matches("-attr").trim_end_matches("-src");
        match self.blocked.as_str() {
            "inline" => format!("Blocked unsafe inline '{what}'"),
            "eval" | "wasm-eval" => format!("Blocked unsafe eval() '{what}'"),
            blocked => format!("Blocked '{what}' from '{blocked}'"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(report: Value) -> Option<String> {
        let mut event = Event::new(uuid::Uuid::nil(), chrono::DateTime::UNIX_EPOCH);
        event.security = Some(report);
        violation(&event).map(|violation| violation.title())
    }

    #[test]
    fn titles() {
        let legacy = json!({"csp-report": {"violated-directive": "script-src 'self'", "blocked-uri": "https://evil.example:8443/a.js?x"}});
        assert_eq!(of(legacy).as_deref(), Some("Blocked 'script' from 'evil.example'"));
        let new = json!([{"type": "csp-violation", "body": {"effectiveDirective": "script-src-elem", "blockedURL": "inline"}}]);
        assert_eq!(of(new).as_deref(), Some("Blocked unsafe inline 'script'"));
        let own = json!({"csp-report": {"effective-directive": "img-src", "blocked-uri": "https://a.example/x.png", "document-uri": "https://a.example/"}});
        assert_eq!(of(own).as_deref(), Some("Blocked 'img' from 'self'"));
        let data =
            json!({"csp-report": {"effective-directive": "font-src", "blocked-uri": "data:font/woff"}});
        assert_eq!(of(data).as_deref(), Some("Blocked 'font' from 'data:'"));
        let ct = json!({"expect-ct-report": {"hostname": "a.example"}});
        assert_eq!(of(ct).as_deref(), Some("expect-ct report for 'a.example'"));
        assert_eq!(of(json!({"x": 1})), None);
        assert_eq!(of(json!([])), None);
        assert_eq!(of(json!(null)), None);
    }
}
