//! Alerts of other tools: webhooks of Alertmanager and Grafana, events of PagerDuty.
//!
//! What is too long is cut and what cannot be shown is left out: an alert that is refused pages nobody. Refused is only what does not
//! say which alert it is, or what has become of it.

mod alertmanager;
mod pagerduty;

pub use alertmanager::{Batch, alertmanager};
pub use pagerduty::pagerduty;

use crate::scrub::Scrubber;
use bugle_model::{Alert, AlertLink, Priority};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Removes secrets from everything that an alert says; its key and the names of its labels stay.
pub fn scrub(scrubber: &Scrubber, alert: &mut Alert) {
    scrubber.scrub_text(&mut alert.title);
    alert.title = cut(&alert.title, Alert::MAX_TITLE);
    if let Some(message) = &mut alert.message {
        scrubber.scrub_text(message);
        *message = cut(message, Alert::MAX_MESSAGE);
    }
    let mut labels: Map<String, Value> = std::mem::take(&mut alert.labels)
        .into_iter()
        .map(|(name, value)| (name, Value::String(value)))
        .collect();
    scrubber.scrub_fields(&mut labels);
    alert.labels =
        texts(&labels).map(|(name, value)| (name.to_owned(), cut(&value, Alert::MAX_LABEL))).collect();
    for link in &mut alert.links {
        scrubber.scrub_text(&mut link.url);
        if let Some(text) = &mut link.text {
            scrubber.scrub_text(text);
        }
    }
    alert.links.retain(AlertLink::leads_somewhere);
}

/// What a tool calls how bad it is, in our words; `None` when it is no such word.
fn priority(word: &str) -> Option<Priority> {
    Some(match word.trim().to_ascii_lowercase().as_str() {
        "critical" | "crit" | "page" | "emergency" | "fatal" | "disaster" | "p1" => Priority::Critical,
        "error" | "err" | "high" | "major" | "severe" | "p2" => Priority::High,
        "warning" | "warn" | "medium" | "minor" | "average" | "p3" => Priority::Medium,
        "info" | "information" | "informational" | "low" | "notice" | "none" | "ok" | "debug" | "p4"
        | "p5" => Priority::Low,
        _ => return None,
    })
}

/// The first `limit` characters, with `…` as the last one when something was cut. PostgreSQL keeps no NUL in a text.
fn cut(text: &str, limit: usize) -> String {
    let shown = |c| if c == '\0' { '\u{fffd}' } else { c };
    if text.chars().count() <= limit {
        return text.chars().map(shown).collect();
    }
    text.chars().take(limit.saturating_sub(1)).map(shown).chain(['…']).collect()
}

/// A text that says something, trimmed.
fn text<'a>(map: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    map.get(name)?.as_str().map(str::trim).filter(|text| !text.is_empty())
}

/// The texts, numbers and truths of an object, as texts.
fn texts(map: &Map<String, Value>) -> impl Iterator<Item = (&str, String)> {
    map.iter().filter_map(|(name, value)| match value {
        Value::String(text) => Some((name.as_str(), text.clone())),
        Value::Number(_) | Value::Bool(_) => Some((name.as_str(), value.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    })
}

/// The first labels by name, each cut.
fn labels(map: &Map<String, Value>) -> BTreeMap<String, String> {
    let sorted: BTreeMap<&str, String> = texts(map).filter(|(name, _)| !name.is_empty()).collect();
    sorted
        .into_iter()
        .take(Alert::MAX_LABELS)
        .map(|(name, value)| (cut(name, Alert::MAX_LABEL_NAME), cut(&value, Alert::MAX_LABEL)))
        .collect()
}

/// Links that lead somewhere, each once.
fn links<'a>(all: impl Iterator<Item = (Option<&'a str>, Option<&'a str>)>) -> Vec<AlertLink> {
    let mut found: Vec<AlertLink> = Vec::new();
    for (url, text) in all {
        let text = text.map(|text| cut(text.trim(), Alert::MAX_LINK_TEXT)).filter(|text| !text.is_empty());
        let Some(link) = url.map(|url| AlertLink { url: url.trim().to_owned(), text }) else { continue };
        if link.leads_somewhere() && !found.iter().any(|other| other.url == link.url) {
            found.push(link);
        }
    }
    found.truncate(Alert::MAX_LINKS);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use bugle_model::ScrubSettings;

    #[test]
    fn secrets_go_and_what_names_them_stays() {
        let label = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut alert = Alert {
            key: "k".to_owned(),
            title: "login with password=hunter22 failed".to_owned(),
            labels: BTreeMap::from([label("api_key", "abcdef"), label("instance", "db1:9100")]),
            links: vec![AlertLink {
                url: "https://a.example.com/d/1".to_owned(),
                text: Some("Board".to_owned()),
            }],
            ..Alert::default()
        };
        scrub(&Scrubber::new(&ScrubSettings::default()), &mut alert);
        assert_eq!(alert.title, "login with password=[Filtered] failed");
        assert_eq!(
            alert.labels,
            BTreeMap::from([label("api_key", "[Filtered]"), label("instance", "db1:9100")])
        );
        assert_eq!(alert.links.len(), 1);
    }

    #[test]
    fn what_is_too_long_is_cut_and_a_nul_is_shown() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "ab…");
        assert_eq!(cut("a\0c", 3), "a\u{fffd}c");
    }
}
