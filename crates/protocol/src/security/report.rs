//! One report, whatever its wire.

use crate::Invalid;
use crate::normalise::truncate;
use bugle_model::Level;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

const MAX_TEXT_CHARS: usize = 200;

/// A report.
#[derive(Debug)]
pub(super) struct Report {
    /// `csp`, `expect-ct`, `expect-staple`, `hpkp`, or the type of a report of the Reporting API.
    pub kind: String,
    /// The whole, as sent.
    sent: Map<String, Value>,
    fields: Map<String, Value>,
    url: Option<String>,
    user_agent: Option<String>,
}

/// Finds the report within the object that carries it.
pub(super) fn read(mut object: Map<String, Value>, content_type: &str) -> Result<Report, Invalid> {
    let sent = object.clone();
    for (name, kind) in
        [("csp-report", "csp"), ("expect-ct-report", "expect-ct"), ("expect-staple-report", "expect-staple")]
    {
        if let Some(Value::Object(fields)) = object.remove(name) {
            return Ok(Report { kind: kind.to_owned(), sent, fields, url: None, user_agent: None });
        }
    }
    let mut take = |name: &str| match object.remove(name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let (kind, url, user_agent) = (take("type"), take("url"), take("user_agent"));
    match (kind, object.remove("body")) {
        (Some(mut kind), Some(Value::Object(fields))) => {
            truncate(&mut kind, 64);
            let kind = if kind == "csp-violation" { "csp".to_owned() } else { kind };
            Ok(Report { kind, sent, fields, url, user_agent })
        }
        _ if object.contains_key("known-pins") => {
            Ok(Report { kind: "hpkp".to_owned(), sent, fields: object, url, user_agent })
        }
        // Some browsers send the fields without the object around them.
        _ if content_type.contains("csp-report") && object.contains_key("violated-directive") => {
            Ok(Report { kind: "csp".to_owned(), sent, fields: object, url, user_agent })
        }
        _ => Err(Invalid::new(
            "body",
            "no report of a known form: csp-report, expect-ct-report, expect-staple-report, or `type` with `body`",
        )),
    }
}

impl Report {
    /// The first of these that holds text; the two APIs spell names differently.
    fn text(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.fields.get(*name)?.as_str()).filter(|text| !text.is_empty())
    }

    /// The page.
    pub fn document(&self) -> Option<&str> {
        self.text(&["document-uri", "documentURL", "documentURI"]).or(self.url.as_deref())
    }

    pub fn referrer(&self) -> Option<&str> {
        self.text(&["referrer"])
    }

    pub fn user_agent(&self) -> Option<&str> {
        self.user_agent.as_deref()
    }

    fn host(&self) -> Option<String> {
        self.text(&["hostname"]).map(str::to_owned).or_else(|| host_of(self.document()?))
    }

    fn blocked(&self) -> Option<&str> {
        self.text(&["blocked-uri", "blockedURL", "blockedURI"])
    }

    /// The directive without its sources: `script-src 'self'` is what old browsers send.
    fn directive(&self) -> Option<&str> {
        let names = ["effective-directive", "effectiveDirective", "violated-directive", "violatedDirective"];
        self.text(&names)?.split_ascii_whitespace().next()
    }

    /// What was blocked, short enough to group: a host, or a word such as `inline`.
    fn blocked_source(&self) -> String {
        let blocked = self.blocked().unwrap_or("self");
        let source = match blocked {
            "self" => "'self'".to_owned(),
            "inline" | "eval" | "wasm-eval" | "trusted-types-policy" | "trusted-types-sink" => {
                blocked.to_owned()
            }
            _ => match host_of(blocked) {
                Some(host) if Some(&host) == self.host().as_ref() => "'self'".to_owned(),
                Some(host) => host,
                // `data`, `blob`, `chrome-extension`.
                None => blocked.split(':').next().unwrap_or(blocked).to_owned(),
            },
        };
        short(source)
    }

    /// What people read, and what groups.
    pub fn message(&self) -> String {
        let host = || self.host().unwrap_or_else(|| "an unknown host".to_owned());
        let text = match self.kind.as_str() {
            "csp" => match (self.directive(), self.blocked_source().as_str()) {
                (Some(directive), "inline") => format!("Blocked inline '{directive}'"),
                (Some(directive), "eval") => format!("Blocked eval() by '{directive}'"),
                (Some(directive), source) => format!("Blocked '{directive}' from '{source}'"),
                (None, source) => format!("Content Security Policy violated by '{source}'"),
            },
            "expect-ct" => format!("Expect-CT failed for '{}'", host()),
            "expect-staple" => format!("Expect-Staple failed for '{}'", host()),
            "hpkp" => format!("Public key pinning validation failed for '{}'", host()),
            kind => match self.text(&["message", "reason", "id", "phase"]) {
                Some(reason) => format!("{kind}: {reason}"),
                None => format!("{kind} on '{}'", host()),
            },
        };
        short(text)
    }

    /// Only what was really blocked is an error.
    pub fn level(&self) -> Level {
        match self.text(&["disposition"]) {
            Some("report") => Level::Warning,
            _ if matches!(self.kind.as_str(), "deprecation" | "intervention") => Level::Warning,
            _ => Level::Error,
        }
    }

    pub fn transaction(&self) -> Option<String> {
        self.directive().map(|directive| short(directive.to_owned()))
    }

    pub fn tags(&self) -> BTreeMap<String, String> {
        let tags = [
            ("report.type", Some(self.kind.as_str())),
            ("effective-directive", self.directive()),
            ("blocked-uri", self.blocked()),
            ("disposition", self.text(&["disposition"])),
            ("hostname", self.text(&["hostname"])),
        ];
        tags.into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), short(value?.replace(['\n', '\r'], " ")))))
            .collect()
    }

    pub fn into_value(self) -> Value {
        Value::Object(self.sent)
    }
}

fn short(mut text: String) -> String {
    truncate(&mut text, MAX_TEXT_CHARS);
    text
}

fn host_of(url: &str) -> Option<String> {
    url::Url::parse(url).ok()?.host_str().map(str::to_owned)
}
