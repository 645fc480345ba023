//! What a message says of one issue, or of an incident that has none.

use super::{Item, Links, cut, headline, one_line};
use bugle_model::IncidentOrigin;
use bugle_store::notifications::{About, Bundle, IncidentFacts, IssueFacts};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Lines of a message that are shown, and characters of each.
const MAX_LINES: usize = 30;
const MAX_LINE: usize = 400;
/// Characters of a label's value that people are shown.
const MAX_VALUE: usize = 300;
/// What a webhook has of an incident, so that its body stays small: characters of the message and of a label's value, labels, links.
const MAX_MESSAGE: usize = 2000;
const MAX_LABEL: usize = 256;
const MAX_LABELS: usize = 20;
const MAX_LINKS: usize = 5;

impl Item {
    pub(super) fn new(part: &Bundle, links: &Links) -> Self {
        let mut item = match &part.about {
            About::Issue(issue) => Self::of_issue(part, issue, links),
            About::Incident(incident) => Self::of_incident(part, incident, links),
        };
        if part.flapping {
            item.headline.push_str(", flapping");
        }
        item
    }

    fn of_issue(part: &Bundle, issue: &IssueFacts, links: &Links) -> Self {
        let people = |at: DateTime<Utc>| at.format("%Y-%m-%d %H:%M:%S UTC").to_string();
        Self {
            headline: headline(part.kind).to_owned(),
            short_id: issue.short_id.clone(),
            title: one_line(&issue.title),
            culprit: issue.culprit.as_deref().map(one_line),
            message: None,
            level: Some(issue.level.as_str()),
            priority: issue.priority.as_str(),
            environment: part.environment.as_deref().map(one_line),
            events: Some(issue.events),
            users: Some(issue.users),
            release: issue.first_release.as_deref().map(one_line),
            platform: Some(one_line(&issue.platform)),
            first_seen: Some(people(issue.first_seen)),
            last_seen: Some(people(issue.last_seen)),
            labels: Vec::new(),
            url: links.about(&part.about),
            open: "Open issue",
            thread: format!("issue-{}", issue.id),
            incident: part.incident,
            answerable: part.open,
            answers: None,
            data: data_of_issue(part, issue, links),
        }
    }

    fn of_incident(part: &Bundle, incident: &IncidentFacts, links: &Links) -> Self {
        let label = |(name, value): (&String, &String)| (one_line(name), cut(&one_line(value), MAX_VALUE));
        Self {
            headline: opened(incident),
            short_id: format!("Incident {}", incident.id),
            title: one_line(&incident.title),
            culprit: None,
            message: incident.message.as_deref().map(some_lines).filter(|text| !text.is_empty()),
            level: None,
            priority: incident.priority.as_str(),
            environment: part.environment.as_deref().map(one_line),
            events: None,
            users: None,
            release: None,
            platform: None,
            first_seen: None,
            last_seen: None,
            labels: incident.labels.iter().map(label).collect(),
            url: links.about(&part.about),
            open: "Open incident",
            thread: format!("incident-{}", incident.id),
            incident: part.incident,
            answerable: part.open,
            answers: None,
            data: data_of_incident(part, incident, links),
        }
    }
}

/// Where it comes from, in words.
fn opened(incident: &IncidentFacts) -> String {
    let by = incident.opened_by.as_deref().map(one_line);
    match (incident.origin, by) {
        (IncidentOrigin::Alert, Some(source)) => format!("Alert from {source}"),
        (IncidentOrigin::Person, Some(name)) => format!("Opened by {name}"),
        (IncidentOrigin::Alert, None) => "Alert".to_owned(),
        (IncidentOrigin::Issue | IncidentOrigin::Person, _) => "Incident".to_owned(),
    }
}

/// The first lines of a text, each without what could rearrange the message around it.
fn some_lines(text: &str) -> String {
    let lines: Vec<String> =
        text.trim().lines().take(MAX_LINES).map(|line| cut(&one_line(line), MAX_LINE)).collect();
    lines.join("\n")
}

fn data_of_issue(part: &Bundle, issue: &IssueFacts, links: &Links) -> Value {
    let mut data = json!({
        "kind": part.kind,
        "generation": part.generation,
        "project": {"id": issue.project, "name": issue.project_name},
        "issue": {
            "id": issue.id,
            "short_id": issue.short_id,
            "title": issue.title,
            "culprit": issue.culprit,
            "error_type": issue.error_type,
            "platform": issue.platform,
            "level": issue.level,
            "priority": issue.priority,
            "status": "unresolved",
            "count": issue.events,
            "users": issue.users,
            "first_seen": issue.first_seen,
            "last_seen": issue.last_seen,
            "first_release": issue.first_release,
        },
        "event": part.event_id.map(|id| json!({
            "event_id": id.simple().to_string(),
            "received_at": part.received_at,
            "environment": part.environment,
            "url": links.event(issue, id),
        })),
        "url": links.about(&part.about),
    });
    if let (Some(incident), Some(data)) = (part.incident, data.as_object_mut()) {
        data.insert("incident".to_owned(), json!({"id": incident}));
    }
    data
}

fn data_of_incident(part: &Bundle, incident: &IncidentFacts, links: &Links) -> Value {
    let shown = incident.labels.iter().take(MAX_LABELS);
    let labels: BTreeMap<&String, String> =
        shown.map(|(name, value)| (name, cut(value, MAX_LABEL))).collect();
    json!({
        "kind": part.kind,
        "generation": part.generation,
        "project": incident.project.map(|id| json!({"id": id, "name": incident.place})),
        "issue": null,
        "event": null,
        "incident": {
            "id": incident.id,
            "origin": incident.origin,
            "opened_by": incident.opened_by,
            "title": incident.title,
            "message": incident.message.as_deref().map(|text| cut(text, MAX_MESSAGE)),
            "priority": incident.priority,
            "environment": part.environment,
            "labels": labels,
            "links": incident.links.iter().take(MAX_LINKS).collect::<Vec<_>>(),
            "triggered_at": incident.triggered_at,
        },
        "url": links.about(&part.about),
    })
}
