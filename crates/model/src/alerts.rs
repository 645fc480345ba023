//! Alerts: what other tools tell, and where incidents come from.

use crate::Priority;
use crate::level::{UnknownName, vocabulary};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

vocabulary!(
    /// Where an incident comes from.
    IncidentOrigin, "origin", "issue, alert, person", {
        /// A signal about an issue: it ends with that.
        Issue = 1 => "issue",
        /// An alert of another tool.
        Alert = 2 => "alert",
        /// Somebody opened it by hand.
        Person = 3 => "person",
    }
);

vocabulary!(
    /// The form in which a tool tells of alerts.
    AlertSourceKind, "kind", "alertmanager, pagerduty, generic", {
        /// Webhooks of Alertmanager (version 4) and Grafana.
        Alertmanager = 1 => "alertmanager",
        /// Events of PagerDuty (version 2).
        Pagerduty = 2 => "pagerduty",
        /// Bugle's own form.
        Generic = 3 => "generic",
    }
);

/// A place that has more to say about an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertLink {
    /// `http` or `https`, up to [`Alert::MAX_URL`] bytes.
    pub url: String,
    /// What it is called, up to [`Alert::MAX_LINK_TEXT`] characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// Something that is wrong, as a tool tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alert {
    /// What makes it the same alert: 1 to [`Alert::MAX_KEY`] characters.
    pub key: String,
    /// A line that says what is wrong: 1 to [`Alert::MAX_TITLE`] characters.
    pub title: String,
    /// More of it, up to [`Alert::MAX_MESSAGE`] characters.
    pub message: Option<String>,
    /// How urgent it is; its source's default, when it does not say.
    pub priority: Option<Priority>,
    /// Names and values, [`Alert::MAX_LABELS`] at most.
    pub labels: BTreeMap<String, String>,
    /// [`Alert::MAX_LINKS`] at most.
    pub links: Vec<AlertLink>,
}

impl Alert {
    /// Characters of a key, as PagerDuty has it.
    pub const MAX_KEY: usize = 255;
    /// Characters of a title.
    pub const MAX_TITLE: usize = 256;
    /// Characters of a message.
    pub const MAX_MESSAGE: usize = 10_000;
    /// Labels of an alert.
    pub const MAX_LABELS: usize = 64;
    /// Characters of a label's name.
    pub const MAX_LABEL_NAME: usize = 128;
    /// Characters of a label's value.
    pub const MAX_LABEL: usize = 1024;
    /// Links of an alert.
    pub const MAX_LINKS: usize = 10;
    /// Bytes of a link's URL.
    pub const MAX_URL: usize = 2048;
    /// Characters of a link's text.
    pub const MAX_LINK_TEXT: usize = 100;

    /// The environment that it is about: its label `environment`.
    #[must_use]
    pub fn environment(&self) -> Option<&str> {
        self.labels.get("environment").map(String::as_str).filter(|name| !name.is_empty())
    }

    /// Every field that breaks a limit, and what it must be.
    #[must_use]
    pub fn mistakes(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut unless = |good: bool, field: String, message: String| {
            if !good {
                found.push((field, message));
            }
        };
        let length = |text: &str| text.chars().count();
        let key = (1..=Self::MAX_KEY).contains(&length(&self.key));
        unless(key, "key".to_owned(), format!("1 to {} characters", Self::MAX_KEY));
        let title = (1..=Self::MAX_TITLE).contains(&length(self.title.trim()));
        unless(title, "title".to_owned(), format!("1 to {} characters", Self::MAX_TITLE));
        let message = self.message.as_deref().is_none_or(|text| length(text) <= Self::MAX_MESSAGE);
        unless(message, "message".to_owned(), format!("at most {} characters", Self::MAX_MESSAGE));
        unless(
            self.labels.len() <= Self::MAX_LABELS,
            "labels".to_owned(),
            format!("at most {}", Self::MAX_LABELS),
        );
        for (name, value) in self.labels.iter().take(Self::MAX_LABELS) {
            let name_fits = (1..=Self::MAX_LABEL_NAME).contains(&length(name));
            unless(
                name_fits,
                "labels".to_owned(),
                format!("names of 1 to {} characters", Self::MAX_LABEL_NAME),
            );
            let message = format!("at most {} characters", Self::MAX_LABEL);
            unless(length(value) <= Self::MAX_LABEL, format!("labels.{name}"), message);
        }
        let count = self.links.len() <= Self::MAX_LINKS;
        unless(count, "links".to_owned(), format!("at most {}", Self::MAX_LINKS));
        for (index, link) in self.links.iter().enumerate().take(Self::MAX_LINKS) {
            let message = format!("http:// or https://, at most {} bytes", Self::MAX_URL);
            unless(link.leads_somewhere(), format!("links[{index}].url"), message);
            let text = link.text.as_deref().is_none_or(|text| length(text) <= Self::MAX_LINK_TEXT);
            let message = format!("at most {} characters", Self::MAX_LINK_TEXT);
            unless(text, format!("links[{index}].text"), message);
        }
        found
    }
}

impl AlertLink {
    /// Whether a browser may follow it: anything else than these schemes could be a script.
    #[must_use]
    pub fn leads_somewhere(&self) -> bool {
        let has_scheme = |scheme: &str| {
            self.url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        };
        (has_scheme("http://") || has_scheme("https://"))
            && self.url.len() <= Alert::MAX_URL
            && !self.url.chars().any(|c| c.is_control() || c.is_whitespace())
    }
}

/// What a tool tells of an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlertSignal {
    /// It fires, or still does.
    Firing(Alert),
    /// Somebody deals with it: the key.
    Acknowledged(String),
    /// It is over: the key.
    Resolved(String),
}

impl AlertSignal {
    /// What makes it the same alert.
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            Self::Firing(alert) => &alert.key,
            Self::Acknowledged(key) | Self::Resolved(key) => key,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_name_the_field_and_the_limit() {
        let good = Alert { key: "disk".to_owned(), title: "Disk full".to_owned(), ..Alert::default() };
        assert_eq!(good.mistakes(), []);
        let link = |url: &str| AlertLink { url: url.to_owned(), text: None };
        let bad = Alert {
            key: "x".repeat(256),
            title: " ".to_owned(),
            message: Some("x".repeat(10_001)),
            labels: BTreeMap::from([("a".to_owned(), "x".repeat(1025))]),
            links: vec![link("HTTPS://a"), link("javascript:alert(1)"), link("https://a b")],
            ..Alert::default()
        };
        let found: Vec<String> =
            bad.mistakes().into_iter().map(|(field, message)| format!("{field}: {message}")).collect();
        assert_eq!(
            found,
            [
                "key: 1 to 255 characters",
                "title: 1 to 256 characters",
                "message: at most 10000 characters",
                "labels.a: at most 1024 characters",
                "links[1].url: http:// or https://, at most 2048 bytes",
                "links[2].url: http:// or https://, at most 2048 bytes",
            ]
        );
    }
}
