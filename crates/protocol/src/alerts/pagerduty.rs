//! Events of PagerDuty, version 2 (<https://developer.pagerduty.com/docs/events-api-v2/trigger-events/>).

use super::{cut, labels, links, priority, text};
use crate::Invalid;
use bugle_model::{Alert, AlertSignal};
use serde_json::{Map, Value};
use uuid::Uuid;

/// Characters of a summary, as PagerDuty has it.
const MAX_SUMMARY: usize = 1024;
/// The words for how bad it is.
const SEVERITIES: [&str; 4] = ["critical", "error", "warning", "info"];

/// Reads an event: its routing key, when it has one, and what it tells. An event without a deduplication key gets `new_key`.
///
/// # Errors
/// Every field that is wrong.
pub fn pagerduty(body: &[u8], new_key: Uuid) -> Result<(Option<String>, AlertSignal), Vec<Invalid>> {
    let body: Value = serde_json::from_slice(body)
        .map_err(|error| vec![Invalid::new("body", format!("is not JSON: {error}"))])?;
    let Value::Object(event) = body else { return Err(vec![Invalid::new("body", "is not an object")]) };
    let routing_key = text(&event, "routing_key").map(str::to_owned);
    let key = key(&event).map_err(|wrong| vec![wrong])?;
    let needed = || Invalid::new("dedup_key", "is missing: expected that of a trigger");
    let signal = match text(&event, "event_action") {
        Some("trigger") => {
            AlertSignal::Firing(trigger(&event, key.unwrap_or_else(|| new_key.simple().to_string()))?)
        }
        Some("acknowledge") => AlertSignal::Acknowledged(key.ok_or_else(|| vec![needed()])?),
        Some("resolve") => AlertSignal::Resolved(key.ok_or_else(|| vec![needed()])?),
        _ => return Err(vec![Invalid::new("event_action", "expected trigger, acknowledge or resolve")]),
    };
    Ok((routing_key, signal))
}

fn key(event: &Map<String, Value>) -> Result<Option<String>, Invalid> {
    match event.get("dedup_key") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(key)) if key.trim().is_empty() => Ok(None),
        Some(Value::String(key)) if key.chars().count() <= Alert::MAX_KEY => {
            Ok(Some(cut(key, Alert::MAX_KEY)))
        }
        Some(_) => Err(Invalid::new("dedup_key", format!("a text of at most {} characters", Alert::MAX_KEY))),
    }
}

fn trigger(event: &Map<String, Value>, key: String) -> Result<Alert, Vec<Invalid>> {
    let Some(Value::Object(payload)) = event.get("payload") else {
        return Err(vec![Invalid::new("payload", "is missing or not an object")]);
    };
    let mut wrong = Vec::new();
    let summary = text(payload, "summary").unwrap_or_default();
    if !(1..=MAX_SUMMARY).contains(&summary.chars().count()) {
        wrong.push(Invalid::new("payload.summary", format!("1 to {MAX_SUMMARY} characters")));
    }
    if text(payload, "source").is_none() {
        wrong.push(Invalid::new("payload.source", "is missing or empty"));
    }
    let severity = text(payload, "severity").map(str::to_ascii_lowercase);
    let severity = severity.filter(|word| SEVERITIES.contains(&word.as_str()));
    if severity.is_none() {
        wrong.push(Invalid::new("payload.severity", "expected critical, error, warning or info"));
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    Ok(Alert {
        key,
        title: cut(summary, Alert::MAX_TITLE),
        message: message(payload, summary),
        priority: severity.as_deref().and_then(priority),
        labels: labels(&told(payload)),
        links: links(places(event)),
    })
}

/// What a silence can be about: where it comes from, and the simple details.
fn told(payload: &Map<String, Value>) -> Map<String, Value> {
    let mut told = match payload.get("custom_details") {
        Some(Value::Object(details)) => details.clone(),
        _ => Map::new(),
    };
    for name in ["source", "severity", "component", "group", "class"] {
        if let Some(value) = payload.get(name) {
            told.insert(name.to_owned(), value.clone());
        }
    }
    told
}

/// What the title has no room for, and details that are no labels.
fn message(payload: &Map<String, Value>, summary: &str) -> Option<String> {
    let whole = (summary.chars().count() > Alert::MAX_TITLE).then(|| summary.to_owned());
    let is_nested = |value: &Value| value.is_object() || value.is_array();
    let details = match payload.get("custom_details") {
        Some(Value::String(text)) => Some(text.clone()),
        Some(details @ Value::Object(map)) if map.values().any(is_nested) => {
            serde_json::to_string_pretty(details).ok()
        }
        Some(details @ Value::Array(_)) => serde_json::to_string_pretty(details).ok(),
        _ => None,
    };
    let parts: Vec<String> = whole.into_iter().chain(details).collect();
    (!parts.is_empty()).then(|| cut(&parts.join("\n\n"), Alert::MAX_MESSAGE))
}

fn places(event: &Map<String, Value>) -> impl Iterator<Item = (Option<&str>, Option<&str>)> {
    let list = |name: &str| event.get(name).and_then(Value::as_array).into_iter().flatten();
    let client = [(text(event, "client_url"), text(event, "client"))];
    let links = list("links").map(|link| (named(link, "href"), named(link, "text")));
    let images = list("images")
        .map(|image| (named(image, "href").or_else(|| named(image, "src")), named(image, "alt")));
    client.into_iter().chain(links).chain(images)
}

fn named<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bugle_model::Priority;
    use serde_json::json;

    fn read(event: &Value) -> Result<(Option<String>, AlertSignal), Vec<String>> {
        let read = pagerduty(event.to_string().as_bytes(), Uuid::nil());
        read.map_err(|wrong| wrong.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_trigger_is_read_with_its_details_and_links() {
        let (key, signal) = read(&json!({
            "routing_key": "0123", "event_action": "trigger", "dedup_key": "srv01/HTTP", "client": "Sensu",
            "client_url": "https://monitoring.example.com", "images": [{ "src": "https://chart.example.com/1.png" }],
            "links": [{ "href": "https://pd.example.com", "text": "View" }, { "href": "ftp://x" }, 7],
            "payload": {
                "summary": "HTTP on srv01 fails", "source": "srv01", "severity": "error", "component": "nginx",
                "custom_details": { "ping_time": "1500ms", "load": 0.75, "tags": ["a"] },
            },
        }))
        .unwrap();
        assert_eq!(key.as_deref(), Some("0123"));
        let AlertSignal::Firing(alert) = signal else { panic!("{signal:?}") };
        assert_eq!((alert.key.as_str(), alert.title.as_str()), ("srv01/HTTP", "HTTP on srv01 fails"));
        assert_eq!((alert.priority, alert.mistakes()), (Some(Priority::High), Vec::new()));
        let labels: Vec<_> = alert.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(
            labels,
            ["component=nginx", "load=0.75", "ping_time=1500ms", "severity=error", "source=srv01"]
        );
        assert!(alert.message.unwrap().contains("\"tags\""), "what is no label is told");
        let urls: Vec<_> = alert.links.iter().map(|link| link.url.as_str()).collect();
        assert_eq!(
            urls,
            ["https://monitoring.example.com", "https://pd.example.com", "https://chart.example.com/1.png"]
        );
    }

    #[test]
    fn the_others_need_a_key_and_a_trigger_gets_one() {
        let payload = json!({ "summary": "a", "source": "b", "severity": "info" });
        let (_, signal) = read(&json!({ "event_action": "trigger", "payload": payload })).unwrap();
        assert_eq!(signal.key(), "00000000000000000000000000000000");
        let (_, signal) = read(&json!({ "event_action": "resolve", "dedup_key": "a" })).unwrap();
        assert_eq!(signal, AlertSignal::Resolved("a".to_owned()));
        let (_, signal) = read(&json!({ "event_action": "acknowledge", "dedup_key": "a" })).unwrap();
        assert_eq!(signal, AlertSignal::Acknowledged("a".to_owned()));
        let wrong = read(&json!({ "event_action": "resolve" })).unwrap_err();
        assert_eq!(wrong, ["dedup_key: is missing: expected that of a trigger"]);
    }

    #[test]
    fn every_wrong_field_is_named_with_its_limit() {
        let payload = json!({ "summary": "", "severity": "bad" });
        let wrong = read(&json!({ "event_action": "trigger", "payload": payload })).unwrap_err();
        assert_eq!(
            wrong,
            [
                "payload.summary: 1 to 1024 characters",
                "payload.source: is missing or empty",
                "payload.severity: expected critical, error, warning or info",
            ]
        );
        for (event, expected) in [
            (json!({}), "event_action: expected trigger, acknowledge or resolve"),
            (json!([]), "body: is not an object"),
            (json!({ "event_action": "trigger" }), "payload: is missing or not an object"),
            (json!({ "dedup_key": "x".repeat(256) }), "dedup_key: a text of at most 255 characters"),
        ] {
            assert_eq!(read(&event).unwrap_err(), [expected]);
        }
    }
}
