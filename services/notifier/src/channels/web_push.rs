//! Web push (RFC 8030): a browser's push service takes a small message that only the browser can read (RFC 8291), from whom its
//! subscription is for (VAPID, RFC 8292).

mod encrypt;
mod vapid;

use super::Dispatch;
use crate::client::{self, Answer};
use crate::content::{Content, Item, Links, cut};
use crate::guard::Guard;
use crate::outcome::{Blame, Outcome, Verdict};
use bugle_model::{Priority, SignalKind};
use bugle_runtime::Config;
use bugle_store::web_push::PushKeys;
use encrypt::Receiver;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use url::Url;

/// For how long the push service keeps a page for a browser that is away, and anything else, in seconds.
const PAGE_KEPT: u32 = 4 * 60 * 60;
const KEPT: u32 = 15 * 60;
/// Characters of the title and of the lines below it: a message has 4,096 bytes at most.
const MAX_TITLE: usize = 200;
const MAX_BODY: usize = 200;

/// The channel.
pub struct WebPush {
    guard: Guard,
    client: Client,
    links: Links,
    /// Whom a push service may turn to: this installation.
    subject: String,
}

impl WebPush {
    /// `client` resolves names through `guard`.
    #[must_use]
    pub fn new(guard: Guard, client: Client, config: &Config) -> Self {
        let links = Links::new(config.public_url.clone());
        Self { guard, client, links, subject: config.public_url.to_string() }
    }

    /// Sends. At-least-once: a browser shows a message that comes again in the place of the one before.
    pub async fn send(&self, dispatch: Dispatch<'_>, keys: Option<&PushKeys>) -> Outcome {
        let Some(keys) = keys else {
            let error = "the keys of web push cannot be read".to_owned();
            return Outcome::bare(Verdict::Again {
                error,
                after: None,
                ambiguous: false,
                blame: Blame::Nobody,
            });
        };
        let request = match self.request(dispatch, keys) {
            Ok(request) => request,
            Err(error) => return Outcome::failed(error),
        };
        let answer = match client::send(request, dispatch.now).await {
            Ok(answer) => answer,
            Err(outcome) => return outcome,
        };
        let code = answer.code();
        match code {
            200..=299 => answer.outcome(Verdict::Accepted { provider_id: None }),
            404 | 410 => failed(&answer, format!("answered {code}: the browser has unsubscribed"), true),
            _ if answer.is_transient() => answer.again(format!("answered {code}")),
            _ => failed(&answer, format!("answered {code}"), false),
        }
    }

    fn request(&self, dispatch: Dispatch<'_>, keys: &PushKeys) -> Result<RequestBuilder, String> {
        let Dispatch { content, destination, now, .. } = dispatch;
        let url =
            Url::parse(&destination.target).map_err(|error| format!("the target is not a URL: {error}"))?;
        self.guard.check(&url).map_err(|blocked| blocked.to_string())?;
        let settings = &destination.settings;
        let receiver = Receiver::read(settings.p256dh.as_deref(), settings.auth.as_deref())
            .ok_or("the subscription's keys cannot be read")?;
        let message = self.message(content).to_string();
        let body = encrypt::seal(message.as_bytes(), &receiver).ok_or("the message cannot be encrypted")?;
        let authorization = vapid::authorization(&url, &self.subject, keys, now)
            .ok_or("the keys of web push cannot be used")?;
        let request = self
            .client
            .post(url)
            .header(AUTHORIZATION, authorization)
            .header(CONTENT_ENCODING, "aes128gcm")
            .header(CONTENT_TYPE, "application/octet-stream")
            .header("ttl", if content.kind == SignalKind::Page { PAGE_KEPT } else { KEPT })
            .header("urgency", urgency(content.priority))
            .body(body);
        // What waits at the push service about an incident is replaced by what is newer.
        Ok(match incident(content) {
            Some(_) => request.header("topic", tag(content)),
            None => request,
        })
    }

    /// What the service worker of the dashboard shows (`services/dashboard/public/worker.js`).
    fn message(&self, content: &Content) -> Value {
        let item = only(content);
        let url = match (incident(content), item) {
            (Some(incident), _) => self.links.incident(incident),
            (None, Some(item)) => item.url.clone(),
            (None, None) => self.links.home(),
        };
        let title = match item {
            Some(item) => format!("[{}] {}", item.short_id, item.title),
            None => content.headline.clone(),
        };
        let body = match item {
            Some(item) => {
                let environment = item.environment.as_deref().map(|name| format!(", {name}"));
                let environment = environment.unwrap_or_default();
                format!("{}, {} priority, {}{environment}", item.headline, item.priority, content.project)
            }
            None => content.project.clone(),
        };
        json!({
            "title": cut(&title, MAX_TITLE), "body": cut(&body, MAX_BODY), "url": url, "tag": tag(content),
            "priority": content.priority,
        })
    }
}

/// What it is about; nothing when it tells of several.
fn only(content: &Content) -> Option<&Item> {
    content.items.first().filter(|_| !content.is_list)
}

fn incident(content: &Content) -> Option<bugle_model::IncidentId> {
    only(content).and_then(|item| item.incident)
}

/// What messages have in common of which the last one is enough; 32 characters at most.
fn tag(content: &Content) -> String {
    incident(content)
        .map_or_else(|| content.message_id.simple().to_string(), |incident| format!("incident-{incident}"))
}

const fn urgency(priority: Priority) -> &'static str {
    match priority {
        Priority::Critical | Priority::High => "high",
        Priority::Medium => "normal",
        Priority::Low => "low",
    }
}

fn failed(answer: &Answer, error: String, disable: bool) -> Outcome {
    answer.outcome(Verdict::Failed { error, disable })
}
