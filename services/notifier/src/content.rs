//! What a message says, before a channel gives it its form.

mod item;

use crate::answers::{AnswerLinks, Offered};
use bugle_model::{IncidentId, IssueId, Priority, ScheduleId, SignalKind};
use bugle_store::notifications::{About, Claimed, IssueFacts};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

/// Where links lead.
#[derive(Debug, Clone)]
pub struct Links(Url);

impl Links {
    /// Links below the address at which people reach this installation.
    #[must_use]
    pub fn new(mut public_url: Url) -> Self {
        if !public_url.path().ends_with('/') {
            let path = format!("{}/", public_url.path());
            public_url.set_path(&path);
        }
        Self(public_url)
    }

    /// The host, for ids in mails.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or("localhost")
    }

    /// The first page.
    #[must_use]
    pub fn home(&self) -> String {
        self.0.to_string()
    }

    /// The page of an issue, or of an incident that has none.
    #[must_use]
    pub fn about(&self, about: &About) -> String {
        match about {
            About::Issue(issue) => self.issue(issue.id),
            About::Incident(incident) => self.incident(incident.id),
        }
    }

    /// The page of an issue.
    #[must_use]
    pub fn issue(&self, issue: IssueId) -> String {
        format!("{}issues/{issue}", self.0)
    }

    /// The page of an incident.
    #[must_use]
    pub fn incident(&self, incident: IncidentId) -> String {
        format!("{}incidents/{incident}", self.0)
    }

    /// The page of a schedule.
    #[must_use]
    pub fn schedule(&self, schedule: ScheduleId) -> String {
        format!("{}on-call/schedules/{schedule}", self.0)
    }

    /// The page of the API where a link of a mail is confirmed. Only whoever has the token gets there.
    #[must_use]
    pub fn answer(&self, token: &str) -> String {
        format!("{}api/v1/answers/{token}", self.0)
    }

    /// Where Twilio is to say what becomes of a message. It proves by its signature that it is Twilio.
    #[must_use]
    pub fn twilio_status(&self, message_id: Uuid) -> String {
        format!("{}api/v1/twilio/status/{}", self.0, message_id.simple())
    }

    /// Where Twilio is to say what becomes of a call.
    #[must_use]
    pub fn twilio_call(&self, message_id: Uuid) -> String {
        format!("{}api/v1/twilio/calls/{}", self.0, message_id.simple())
    }

    /// Where Twilio asks what follows from a key that was pressed during a call.
    #[must_use]
    pub fn twilio_key(&self, message_id: Uuid) -> String {
        format!("{}/key", self.twilio_call(message_id))
    }

    /// An event in the API.
    #[must_use]
    pub fn event(&self, issue: &IssueFacts, event: Uuid) -> String {
        format!("{}api/v1/projects/{}/events/{}", self.0, issue.project, event.simple())
    }
}

/// A message. Texts in it are a client's and not escaped.
#[derive(Debug, Clone, Serialize)]
pub struct Content {
    /// The same for every attempt.
    pub message_id: Uuid,
    /// What it is about.
    pub kind: SignalKind,
    /// The highest priority in it.
    pub priority: Priority,
    /// The project's name.
    pub project: String,
    /// When the notification was made.
    pub created_at: DateTime<Utc>,
    /// What happened, in a few words: `New issue`, `50 new issues`.
    pub headline: String,
    /// A line that says all: `[SHOP-42] ValueError: bad`.
    pub subject: String,
    /// One item, or the items of a list, the weightiest first; none in a test.
    pub items: Vec<Item>,
    /// It tells of several issues.
    pub is_list: bool,
    /// The code that proves a contact method.
    pub code: Option<String>,
}

/// An issue, or an incident that has none, as a message shows it.
#[derive(Debug, Clone, Serialize)]
pub struct Item {
    /// What happened to it.
    pub headline: String,
    /// `SHOP-42`; `Incident 7` of one without an issue.
    pub short_id: String,
    /// The title.
    pub title: String,
    /// Where it happens.
    pub culprit: Option<String>,
    /// More of it, from an alert or a person.
    pub message: Option<String>,
    /// The level of an issue.
    pub level: Option<&'static str>,
    /// The priority.
    pub priority: &'static str,
    /// The event's environment.
    pub environment: Option<String>,
    /// Events of an issue so far.
    pub events: Option<i64>,
    /// Users of an issue so far.
    pub users: Option<i32>,
    /// The release in which it was first seen.
    pub release: Option<String>,
    /// The language or runtime of an issue.
    pub platform: Option<String>,
    /// The first event of an issue, for people.
    pub first_seen: Option<String>,
    /// The last event of an issue, for people.
    pub last_seen: Option<String>,
    /// The labels of an alert.
    pub labels: Vec<(String, String)>,
    /// Its page.
    pub url: String,
    /// What leads there.
    pub open: &'static str,
    /// What all messages about it have in common, for threading.
    pub thread: String,
    /// Of a page: the incident.
    pub incident: Option<IncidentId>,
    /// The open incident of what it is about, and its generation.
    #[serde(skip)]
    pub answerable: Option<(IncidentId, i32)>,
    /// Of a page by mail: the links that answer it.
    pub answers: Option<AnswerLinks>,
    /// The whole of it for machines.
    #[serde(skip)]
    pub data: Value,
}

/// What happened, in words.
#[must_use]
pub const fn headline(kind: SignalKind) -> &'static str {
    match kind {
        SignalKind::New => "New issue",
        SignalKind::Regression => "Regression",
        SignalKind::Events10 => "10 events in 24 hours",
        SignalKind::Events100 => "100 events in 24 hours",
        SignalKind::Events1000 => "1,000 events in 24 hours",
        SignalKind::Events10000 => "10,000 events in 24 hours",
        SignalKind::Test => "Test message",
        SignalKind::Digest => "Missed notifications",
        SignalKind::Unignored => "No longer ignored",
        SignalKind::EscalatedMedium => "Escalated to medium",
        SignalKind::EscalatedHigh => "Escalated to high",
        SignalKind::EscalatedCritical => "Escalated to critical",
        SignalKind::Page => "Incident",
        SignalKind::Verification => "Verification",
    }
}

/// The name of what happened, for machines.
#[must_use]
pub const fn event_type(kind: SignalKind) -> &'static str {
    match kind {
        SignalKind::New => "issue.opened",
        SignalKind::Regression => "issue.regressed",
        SignalKind::Events10 | SignalKind::Events100 | SignalKind::Events1000 | SignalKind::Events10000 => {
            "threshold.reached"
        }
        SignalKind::Test => "test",
        SignalKind::Digest => "digest",
        SignalKind::Unignored => "issue.unignored",
        SignalKind::EscalatedMedium | SignalKind::EscalatedHigh | SignalKind::EscalatedCritical => {
            "issue.escalated"
        }
        SignalKind::Page => "incident.paged",
        SignalKind::Verification => "contact_method.verification",
    }
}

/// The number of events that a threshold's kind tells of.
#[must_use]
pub const fn threshold(kind: SignalKind) -> Option<i64> {
    match kind {
        SignalKind::Events10 => Some(10),
        SignalKind::Events100 => Some(100),
        SignalKind::Events1000 => Some(1_000),
        SignalKind::Events10000 => Some(10_000),
        SignalKind::New
        | SignalKind::Regression
        | SignalKind::Unignored
        | SignalKind::Test
        | SignalKind::Digest
        | SignalKind::EscalatedMedium
        | SignalKind::EscalatedHigh
        | SignalKind::EscalatedCritical
        | SignalKind::Page
        | SignalKind::Verification => None,
    }
}

impl Content {
    /// What a claimed notification says. `None` when every issue in it was dealt with meanwhile, or its code is over.
    #[must_use]
    pub fn new(claimed: &Claimed, links: &Links) -> Option<Self> {
        let items: Vec<Item> = claimed.parts.iter().map(|part| Item::new(part, links)).collect();
        let is_list = items.len() > 1 || claimed.kind == SignalKind::Digest;
        let project = &claimed.project_name;
        let (headline, subject) = match (claimed.kind, items.first()) {
            (SignalKind::Test, _) => {
                (headline(SignalKind::Test).to_owned(), format!("[{project}] Test message"))
            }
            (SignalKind::Verification, _) => {
                let text = format!("{} is your code", claimed.code.as_deref()?);
                (text.clone(), format!("[{project}] {text}"))
            }
            (_, None) => return None,
            (SignalKind::Digest, _) => {
                let text = format!("{} missed notifications", items.len());
                (text.clone(), format!("[{project}] {text}"))
            }
            (SignalKind::Page, Some(_)) if is_list => {
                let text = format!("{} incidents wait for an answer", items.len());
                (text.clone(), text)
            }
            (_, Some(_)) if is_list => {
                let text = format!("{} new issues", items.len());
                (text.clone(), format!("[{project}] {text}"))
            }
            (_, Some(item)) => (item.headline.clone(), format!("[{}] {}", item.short_id, item.title)),
        };
        let heaviest = claimed.parts.iter().map(|part| part.about.priority()).max();
        Some(Self {
            message_id: claimed.message_id,
            kind: claimed.kind,
            priority: heaviest.unwrap_or(claimed.priority),
            project: project.clone(),
            created_at: claimed.created_at,
            headline,
            subject: one_line(&subject),
            items,
            is_list,
            code: claimed.code.clone(),
        })
    }

    /// Puts the links that answer pages next to what they are about.
    pub fn offer(&mut self, offered: &Offered) {
        for item in &mut self.items {
            item.answers = item.incident.and_then(|incident| offered.get(&incident).cloned());
        }
    }

    /// The standard payload: `{type, timestamp, data}`. Lists are cut so that it stays below `limit` bytes.
    #[must_use]
    pub fn payload(&self, limit: usize) -> Value {
        let mut shown = self.items.len();
        loop {
            let payload = self.payload_of(shown);
            if shown <= 1 || payload.to_string().len() < limit {
                return payload;
            }
            shown = shown * 3 / 4;
        }
    }

    fn payload_of(&self, shown: usize) -> Value {
        let mut kind = event_type(self.kind);
        let data = match self.items.first() {
            Some(item) if !self.is_list => {
                let mut data = item.data.clone();
                if let (Some(events), Some(data)) = (threshold(self.kind), data.as_object_mut()) {
                    data.insert("threshold".to_owned(), events.into());
                }
                data
            }
            None if self.kind == SignalKind::Verification => json!({"code": self.code}),
            None => json!({"project": {"name": self.project}}),
            Some(_) => {
                let items: Vec<&Value> = self.items.iter().take(shown).map(|item| &item.data).collect();
                let total = self.items.len();
                if self.kind == SignalKind::Page {
                    kind = "incidents.paged";
                    json!({"total": total, "incidents": items})
                } else {
                    if self.kind == SignalKind::New {
                        kind = "issues.opened";
                    }
                    json!({"project": {"name": self.project}, "total": total, "issues": items})
                }
            }
        };
        json!({"type": kind, "timestamp": self.created_at, "data": data})
    }
}

/// Without line breaks and other controls, and without the marks that turn the direction of what follows: somebody
/// else's text must not rearrange the message around it.
#[must_use]
pub fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || is_layout(c) { ' ' } else { c }).collect()
}

/// Unicode's line and paragraph separators, its controls of direction, and what takes no room. Joiners (U+200C, U+200D) are
/// part of words and of emoji.
const fn is_layout(c: char) -> bool {
    matches!(
        c,
        '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    )
}

/// The first `limit` characters, with `…` as the last one when something was cut.
#[must_use]
pub fn cut(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    text.chars().take(limit.saturating_sub(1)).chain(['…']).collect()
}
