//! Webhooks of Alertmanager (version 4, <https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>) and of Grafana, which
//! adds fields of its own.

use super::{cut, labels, links, priority, text, texts};
use crate::Invalid;
use bugle_model::{Alert, AlertSignal};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use uuid::Uuid;

/// What was wrong with so many alerts is told; the others are counted.
const MAX_TOLD: usize = 20;

/// What a webhook tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// Alerts that can be read, in order.
    pub signals: Vec<AlertSignal>,
    /// How many cannot be.
    pub refused: usize,
    /// What is wrong with the first 20 of them.
    pub mistakes: Vec<Invalid>,
}

/// Reads the body of a webhook. An alert that cannot be read costs nothing but itself.
///
/// # Errors
/// When the whole is not JSON, or has no list of alerts.
pub fn alertmanager(body: &[u8]) -> Result<Batch, Invalid> {
    let body: Value = serde_json::from_slice(body)
        .map_err(|error| Invalid::new("body", format!("is not JSON: {error}")))?;
    let Some(alerts) = body.get("alerts") else { return Err(Invalid::new("alerts", "is missing")) };
    let Some(alerts) = alerts.as_array() else { return Err(Invalid::new("alerts", "is not a list")) };
    let external = body.get("externalURL").and_then(Value::as_str);
    let mut batch = Batch::default();
    for (index, alert) in alerts.iter().enumerate() {
        match read(alert, external) {
            Ok(signal) => batch.signals.push(signal),
            Err(wrong) => {
                batch.refused += 1;
                if batch.mistakes.len() < MAX_TOLD {
                    let dot = if wrong.field.is_empty() { "" } else { "." };
                    let field = format!("alerts[{index}]{dot}{}", wrong.field);
                    batch.mistakes.push(Invalid::new(field, wrong.reason));
                }
            }
        }
    }
    Ok(batch)
}

fn read(alert: &Value, external: Option<&str>) -> Result<AlertSignal, Invalid> {
    let alert = alert.as_object().ok_or_else(|| Invalid::new("", "is not an object"))?;
    let none = Map::new();
    let object = |name: &str| match alert.get(name) {
        None | Some(Value::Null) => Ok(&none),
        Some(Value::Object(map)) => Ok(map),
        Some(_) => Err(Invalid::new(name, "is not an object")),
    };
    let (own, annotations) = (object("labels")?, object("annotations")?);
    let key = key(alert, own)?;
    match text(alert, "status").map(str::to_ascii_lowercase).as_deref() {
        Some("resolved") => Ok(AlertSignal::Resolved(key)),
        Some("firing") => Ok(AlertSignal::Firing(firing(key, alert, own, annotations, external))),
        _ => Err(Invalid::new("status", "expected firing or resolved")),
    }
}

/// Its fingerprint. Without one, as very old versions have it, what its labels make of it.
fn key(alert: &Map<String, Value>, own: &Map<String, Value>) -> Result<String, Invalid> {
    if let Some(fingerprint) = text(alert, "fingerprint") {
        if fingerprint.chars().count() > Alert::MAX_KEY {
            return Err(Invalid::new("fingerprint", format!("at most {} characters", Alert::MAX_KEY)));
        }
        return Ok(cut(fingerprint, Alert::MAX_KEY));
    }
    if own.is_empty() {
        return Err(Invalid::new("fingerprint", "is missing, and there are no labels to tell the alert by"));
    }
    let sorted: BTreeMap<&str, String> = texts(own).collect();
    Ok(Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{sorted:?}").as_bytes()).simple().to_string())
}

fn firing(
    key: String,
    alert: &Map<String, Value>,
    own: &Map<String, Value>,
    annotations: &Map<String, Value>,
    external: Option<&str>,
) -> Alert {
    let named = || {
        let name = text(own, "alertname")?;
        Some(text(own, "instance").map_or_else(|| name.to_owned(), |on| format!("{name} on {on}")))
    };
    let says = text(annotations, "summary").or_else(|| text(annotations, "title")).map(str::to_owned);
    let title = says.or_else(named).unwrap_or_else(|| "Alert".to_owned());
    let more = text(annotations, "description").or_else(|| text(annotations, "message"));
    let word = text(own, "severity").or_else(|| text(own, "priority"));
    let of_alert = |name: &str| text(alert, name);
    let all = [
        (text(annotations, "runbook_url"), Some("Runbook")),
        (of_alert("generatorURL"), Some("Source")),
        (of_alert("dashboardURL"), Some("Dashboard")),
        (of_alert("panelURL"), Some("Panel")),
        (external, Some("Alertmanager")),
    ];
    Alert {
        key,
        title: cut(&title, Alert::MAX_TITLE),
        message: more.map(|text| cut(text, Alert::MAX_MESSAGE)),
        priority: word.and_then(priority),
        labels: labels(own),
        links: links(all.into_iter()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bugle_model::Priority;
    use serde_json::json;

    fn batch(body: &Value) -> Batch {
        alertmanager(body.to_string().as_bytes()).unwrap()
    }

    fn only(alert: &Value) -> Alert {
        match batch(&json!({ "alerts": [alert] })).signals.remove(0) {
            AlertSignal::Firing(alert) => alert,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_alertmanager_sends_is_read() {
        let found = batch(&json!({
            "version": "4", "status": "firing", "receiver": "bugle", "truncatedAlerts": 0, "externalURL": "http://am:9093",
            "alerts": [{
                "status": "firing", "fingerprint": "c1e2", "startsAt": "2026-11-29T08:00:00Z", "endsAt": "0001-01-01T00:00:00Z",
                "labels": { "alertname": "DiskFull", "instance": "db1:9100", "severity": "critical" },
                "annotations": { "summary": "Disk full", "description": "98 %", "runbook_url": "https://wiki/disk" },
                "generatorURL": "http://prometheus/graph?g0.expr=up",
            }, { "status": "resolved", "fingerprint": "d3f4", "labels": { "alertname": "Up" } }],
        }));
        assert_eq!((found.refused, found.signals.len()), (0, 2));
        let AlertSignal::Firing(alert) = &found.signals[0] else { panic!("{found:?}") };
        assert_eq!((alert.key.as_str(), alert.title.as_str()), ("c1e2", "Disk full"));
        assert_eq!((alert.message.as_deref(), alert.priority), (Some("98 %"), Some(Priority::Critical)));
        assert_eq!(alert.labels["instance"], "db1:9100");
        let texts: Vec<_> = alert.links.iter().filter_map(|link| link.text.as_deref()).collect();
        assert_eq!(texts, ["Runbook", "Source", "Alertmanager"]);
        assert_eq!(found.signals[1], AlertSignal::Resolved("d3f4".to_owned()));
    }

    #[test]
    fn a_bad_alert_costs_only_itself() {
        let found = batch(&json!({ "alerts": [
            7, { "status": "firing", "fingerprint": "a" }, { "status": "pending", "fingerprint": "b" },
            { "status": "firing" }, { "status": "firing", "labels": [], "fingerprint": "c" },
            { "status": "resolved", "fingerprint": "d" },
        ]}));
        let keys: Vec<_> = found.signals.iter().map(AlertSignal::key).collect();
        assert_eq!((keys, found.refused), (vec!["a", "d"], 4));
        let mistakes: Vec<_> = found.mistakes.iter().map(ToString::to_string).collect();
        assert_eq!(
            mistakes,
            [
                "alerts[0]: is not an object",
                "alerts[2].status: expected firing or resolved",
                "alerts[3].fingerprint: is missing, and there are no labels to tell the alert by",
                "alerts[4].labels: is not an object",
            ]
        );
    }

    #[test]
    fn without_annotations_the_name_says_it_and_without_a_fingerprint_the_labels_tell_it() {
        let labels = json!({ "alertname": "Down", "instance": "web1", "severity": "odd" });
        let alert = only(&json!({ "status": "firing", "labels": labels }));
        assert_eq!((alert.title.as_str(), alert.priority), ("Down on web1", None));
        let again = only(&json!({ "status": "FIRING", "labels": labels, "annotations": null }));
        assert_eq!(alert.key, again.key);
        let other =
            only(&json!({ "status": "firing", "labels": { "alertname": "Down", "instance": "web2" } }));
        assert_ne!(alert.key, other.key);
    }

    #[test]
    fn long_and_strange_values_are_cut_and_links_that_are_scripts_left_out() {
        let alert = only(&json!({
            "status": "firing", "fingerprint": "a", "generatorURL": "javascript:alert(1)",
            "labels": { "n": 7, "list": [], "nul": "a\u{0}b", "long": "x".repeat(5000) },
            "annotations": { "summary": "y".repeat(500) },
        }));
        assert_eq!(alert.mistakes(), []);
        assert_eq!((alert.labels["n"].as_str(), alert.labels["nul"].as_str()), ("7", "a\u{fffd}b"));
        assert_eq!((alert.labels.len(), alert.links.len()), (3, 0));
    }

    #[test]
    fn what_is_no_webhook_at_all_says_why() {
        for (body, expected) in [
            ("{", "body: is not JSON: EOF while parsing an object at line 1 column 1"),
            ("[]", "alerts: is missing"),
            (r#"{"alerts": 1}"#, "alerts: is not a list"),
        ] {
            assert_eq!(alertmanager(body.as_bytes()).unwrap_err().to_string(), expected);
        }
    }
}
