//! A message in Block Kit, within its limits (<https://api.slack.com/reference/block-kit/blocks>).

use crate::content::{Content, Item, Links, cut, one_line};
use bugle_model::{IncidentAnswer, IncidentEvent, IncidentId, IncidentState};
use bugle_store::oncall::{Incident, LastEvent};
use serde_json::{Value, json};

/// Characters of a header, a section's text, a section's field and a button's URL.
const MAX_HEADER: usize = 150;
const MAX_SECTION: usize = 3000;
const MAX_FIELD: usize = 2000;
const MAX_URL: usize = 3000;
/// Fields of a section.
const MAX_FIELDS: usize = 10;
/// Issues that a list shows; the rest is counted.
const MAX_LISTED: usize = 20;
/// Characters of a title or culprit in a section, so that escaping cannot take it over the limit.
const MAX_TITLE: usize = 400;

/// The text and the blocks; with `buttons` also those that answer the open incident of the only issue in it.
pub fn message(content: &Content, buttons: bool) -> Value {
    let blocks = match content.items.first() {
        Some(item) if !content.is_list => one(content, item, item.answerable.filter(|_| buttons)),
        Some(_) => list(content),
        None => vec![header(&content.headline), section(&format!("Project {}", escape(&content.project)))],
    };
    // Shown in notifications and by clients without blocks.
    let text = cut(&escape(&format!("{}: {}", content.headline, content.subject)), MAX_SECTION);
    json!({"text": text, "blocks": blocks})
}

fn one(content: &Content, item: &Item, open: Option<(IncidentId, i32)>) -> Vec<Value> {
    let title = format!("*{}*", link(&item.url, &item.subject_text()));
    let culprit = item.culprit.as_deref().filter(|text| !text.is_empty());
    let place = culprit.map(|text| format!("\n`{}`", escape(&cut(text, MAX_TITLE)).replace('`', "'")));
    let message = item.message.as_deref().map(|text| format!("\n{}", escape(&cut(text, MAX_TITLE))));
    vec![
        header(&format!("{}: {}", content.headline, item.short_id)),
        section(&format!("{title}{}{}", place.unwrap_or_default(), message.unwrap_or_default())),
        json!({"type": "section", "fields": fields(item)}),
        actions(
            open.map(|(id, generation)| (id, generation, IncidentState::Triggered)),
            button(item.open, &item.url),
        ),
    ]
}

/// How an incident stands, in place of the message that told of it: what it is, who did what last, and the buttons that still apply.
pub(crate) fn standing(incident: &Incident, last: Option<&LastEvent>, links: &Links) -> Value {
    let name = incident.short_id.clone().unwrap_or_else(|| format!("Incident {}", incident.id));
    let (label, url) = match incident.issue {
        Some(issue) => ("Open issue", links.issue(issue)),
        None => ("Open incident", links.incident(incident.id)),
    };
    let what = link(&url, &cut(&one_line(&incident.title), MAX_TITLE));
    let told = last.map(told);
    let line = told.clone().unwrap_or_else(|| incident.state.to_string());
    let open = (incident.id, incident.generation, incident.state);
    let blocks = [
        Some(header(&format!("{name}: {}", incident.state))),
        Some(section(&format!("*{what}*\nPriority {}", incident.priority))),
        told.map(|text| json!({"type": "context", "elements": [{"type": "mrkdwn", "text": text}]})),
        Some(actions(Some(open), button(label, &url))),
    ];
    let blocks: Vec<Value> = blocks.into_iter().flatten().collect();
    json!({"text": cut(&format!("{}: {line}", escape(&name)), MAX_SECTION), "blocks": blocks})
}

/// Who did what last, and when: in the reader's own zone.
fn told(last: &LastEvent) -> String {
    let what = match last.event {
        IncidentEvent::Acknowledged => "Acknowledged",
        IncidentEvent::AcknowledgementTimedOut => "The acknowledgement timed out",
        IncidentEvent::Unacknowledged => "No longer acknowledged",
        IncidentEvent::Snoozed => "Snoozed",
        IncidentEvent::SnoozeEnded => "The snooze is over",
        IncidentEvent::PriorityRaised => "More urgent",
        IncidentEvent::Reassigned => "Given to somebody else",
        IncidentEvent::Escalated => "Escalated",
        IncidentEvent::Resolved | IncidentEvent::Merged => "Resolved",
        _ => "Triggered",
    };
    let by = last.actor.as_deref().map(|name| format!(" by *{}*", escape(name).replace('*', "")));
    let at = last.at.format("%Y-%m-%d %H:%M UTC");
    format!(
        "{what}{} <!date^{}^{{date_short_pretty}} {{time}}|{at}>",
        by.unwrap_or_default(),
        last.at.timestamp()
    )
}

/// The buttons that apply where an incident stands, and the one that leads to its page. A button's value names incident and generation.
fn actions(open: Option<(IncidentId, i32, IncidentState)>, leads: Value) -> Value {
    let mut elements = Vec::new();
    if let Some((id, generation, state)) = open {
        let mut answer = |answer: IncidentAnswer, text: &str| {
            elements.push(json!({
                "type": "button", "action_id": answer.as_str(), "value": format!("{id}:{generation}"),
                "text": {"type": "plain_text", "text": text},
            }));
        };
        if state == IncidentState::Triggered {
            answer(IncidentAnswer::Acknowledge, "Acknowledge");
        }
        if state != IncidentState::Resolved {
            answer(IncidentAnswer::Escalate, "Escalate");
            answer(IncidentAnswer::Resolve, "Resolve");
        }
    }
    elements.push(leads);
    json!({"type": "actions", "elements": elements})
}

fn list(content: &Content) -> Vec<Value> {
    let mut blocks = vec![header(&format!("{}: {}", content.project, content.headline))];
    for item in content.items.iter().take(MAX_LISTED) {
        let place = item.environment.as_deref().map(|name| format!(", {}", escape(name))).unwrap_or_default();
        let line = link(&item.url, &item.subject_text());
        blocks.push(section(&format!("{line}\n{}, {}{place}", item.headline, item.priority)));
    }
    let more = content.items.len().saturating_sub(MAX_LISTED);
    if more > 0 {
        blocks.push(
            json!({"type": "context", "elements": [{"type": "mrkdwn", "text": format!("and {more} more")}]}),
        );
    }
    blocks
}

impl Item {
    fn subject_text(&self) -> String {
        format!("{} {}", self.short_id, cut(&self.title, MAX_TITLE))
    }
}

fn fields(item: &Item) -> Vec<Value> {
    let known = [
        ("Priority", Some(item.priority.to_owned())),
        ("Level", item.level.map(str::to_owned)),
        ("Environment", item.environment.clone()),
        ("First release", item.release.clone()),
        ("Events", item.events.map(|count| count.to_string())),
        ("Users", item.users.map(|count| count.to_string())),
        ("First seen", item.first_seen.clone()),
        ("Last seen", item.last_seen.clone()),
    ];
    let field = |(name, value): (String, String)| json!({"type": "mrkdwn", "text": cut(&format!("*{name}*\n{}", escape(&value)), MAX_FIELD)});
    let known = known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let labels = item.labels.iter().map(|(name, value)| (escape(&cut(name, MAX_TITLE)), value.clone()));
    known.chain(labels).take(MAX_FIELDS).map(field).collect()
}

fn header(text: &str) -> Value {
    json!({"type": "header", "text": {"type": "plain_text", "text": cut(text, MAX_HEADER), "emoji": false}})
}

fn section(text: &str) -> Value {
    json!({"type": "section", "text": {"type": "mrkdwn", "text": cut(text, MAX_SECTION)}})
}

fn button(text: &str, url: &str) -> Value {
    json!({"type": "button", "text": {"type": "plain_text", "text": text}, "url": cut(url, MAX_URL)})
}

fn link(url: &str, text: &str) -> String {
    // A pipe would end the URL, and a link's text cannot hold a line break.
    format!("<{}|{}>", url.replace('|', "%7C"), escape(text).replace('|', "¦"))
}

/// Slack's own rule: these three and no others.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
