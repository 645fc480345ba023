//! Slack: incoming webhooks and bot tokens. Block Kit with link buttons; what a bot posts about an open incident has buttons that
//! answer it, and is changed in place when the incident changes.

mod blocks;

pub(crate) use blocks::standing;

use super::Dispatch;
use crate::client::{self, Answer};
use crate::guard::Guard;
use crate::outcome::{Blame, Outcome, Verdict};
use bugle_model::Channel;
use bugle_runtime::Config;
use bugle_store::destinations::Destination;
use chrono::{DateTime, Utc};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, RequestBuilder};
use serde::Deserialize;
use url::Url;

/// The channel.
pub struct Slack {
    guard: Guard,
    guarded: Client,
    trusted: Client,
    base: Url,
    /// The api can tell whether a button was pressed at Slack.
    buttons: bool,
}

/// What `chat.postMessage` answers.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Posted {
    ok: bool,
    error: Option<String>,
    channel: Option<String>,
    ts: Option<String>,
}

impl Slack {
    /// `guarded` is for incoming webhooks, whose URL a user sets; `trusted` for what lies below the base URL, which the operator
    /// sets.
    #[must_use]
    pub fn new(guard: Guard, guarded: Client, trusted: Client, config: &Config) -> Self {
        let (base, buttons) = (config.slack_base_url.clone(), config.slack_signing_secret.is_some());
        Self { guard, guarded, trusted, base, buttons }
    }

    /// Whether a message has buttons that answer incidents: only what a bot has posted can be changed in place, and its app is the one
    /// whose presses the api knows.
    pub(super) const fn has_buttons(&self, destination: &Destination) -> bool {
        self.buttons
            && matches!(destination.channel, Channel::Slack)
            && destination.settings.bot_token.is_some()
    }

    /// Sends. At-least-once.
    pub async fn send(&self, dispatch: Dispatch<'_>) -> Outcome {
        let destination = dispatch.destination;
        let mut message = blocks::message(dispatch.content, self.has_buttons(destination));
        if let Some(token) = &destination.settings.bot_token {
            if let Some(message) = message.as_object_mut() {
                message.insert("channel".to_owned(), destination.target.as_str().into());
                message.insert("unfurl_links".to_owned(), false.into());
            }
            let request = self.trusted.post(method(&self.base, "chat.postMessage")).bearer_auth(token);
            return match client::send(json(request, &message), dispatch.now).await {
                Ok(answer) => judge_api(&answer),
                Err(outcome) => outcome,
            };
        }
        let request = match self.incoming(&destination.target) {
            Ok(request) => request,
            Err(error) => return Outcome::failed(error),
        };
        match client::send(json(request, &message), dispatch.now).await {
            Ok(answer) => judge_incoming(&answer),
            Err(outcome) => outcome,
        }
    }

    fn incoming(&self, target: &str) -> Result<RequestBuilder, String> {
        let url = Url::parse(target).map_err(|error| format!("the target is not a URL: {error}"))?;
        if url.origin() == self.base.origin() {
            return Ok(self.trusted.post(url));
        }
        self.guard.check(&url).map_err(|blocked| blocked.to_string())?;
        Ok(self.guarded.post(url))
    }
}

/// The URL of a method of the Web API.
pub(crate) fn method(base: &Url, name: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/api/{name}", base.path().trim_end_matches('/')));
    url
}

/// Puts `message` in the place of one that a bot has posted, by `chat.update` (<https://api.slack.com/methods/chat.update>).
pub(crate) async fn update(
    request: RequestBuilder,
    (channel, ts): (&str, &str),
    mut message: serde_json::Value,
    now: DateTime<Utc>,
) -> Outcome {
    if let Some(message) = message.as_object_mut() {
        message.insert("channel".to_owned(), channel.into());
        message.insert("ts".to_owned(), ts.into());
    }
    match client::send(json(request, &message), now).await {
        Ok(answer) => judge_api(&answer),
        Err(outcome) => outcome,
    }
}

fn json(request: RequestBuilder, message: &serde_json::Value) -> RequestBuilder {
    request.header(CONTENT_TYPE, "application/json; charset=utf-8").body(message.to_string())
}

fn failed(answer: &Answer, error: String, disable: bool) -> Outcome {
    answer.outcome(Verdict::Failed { error, disable })
}

/// Incoming webhooks answer with a status and plain text.
fn judge_incoming(answer: &Answer) -> Outcome {
    let code = answer.code();
    let said = answer.body.trim();
    match (code, said) {
        (200..=299, _) => answer.outcome(Verdict::Accepted { provider_id: None }),
        // The hook or its channel is gone for good.
        (404, "no_service" | "channel_not_found") | (410, _) | (403, "invalid_token") => {
            failed(answer, format!("Slack answered {code}: the webhook is gone"), true)
        }
        _ if answer.is_transient() => answer.again(format!("Slack answered {code}")),
        _ => failed(answer, format!("Slack answered {code}"), false),
    }
}

/// The Web API answers 200 also when it refuses, and says so in the body.
fn judge_api(answer: &Answer) -> Outcome {
    let code = answer.code();
    if !answer.status.is_success() {
        return if answer.is_transient() {
            answer.again(format!("Slack answered {code}"))
        } else {
            failed(answer, format!("Slack answered {code}"), false)
        };
    }
    let Ok(posted) = serde_json::from_str::<Posted>(&answer.body) else {
        return answer.again("Slack's answer is not JSON".to_owned());
    };
    if posted.ok {
        let provider_id = posted.ts.map(|ts| format!("{}/{ts}", posted.channel.unwrap_or_default()));
        return Outcome {
            answer: Some("ok".to_owned()),
            ..answer.outcome(Verdict::Accepted { provider_id })
        };
    }
    let error = posted.error.unwrap_or_else(|| "no error named".to_owned());
    let said = format!("Slack refused: {error}");
    match error.as_str() {
        "ratelimited"
        | "rate_limited"
        | "internal_error"
        | "fatal_error"
        | "service_unavailable"
        | "request_timeout"
        | "rollup_error" => answer.again(said),
        "channel_not_found" | "is_archived" => failed(answer, said, true),
        "invalid_auth" | "not_authed" | "account_inactive" | "token_revoked" | "token_expired"
        | "missing_scope" | "not_in_channel" => answer.outcome(Verdict::Again {
            error: said,
            after: answer.retry_after,
            ambiguous: false,
            blame: Blame::Operator,
        }),
        _ => failed(answer, said, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::StatusCode;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status: StatusCode::from_u16(status).unwrap(), retry_after: None, body: body.to_owned() }
    }

    fn name(outcome: &Outcome) -> &'static str {
        match &outcome.verdict {
            Verdict::Accepted { .. } => "accepted",
            Verdict::Again { blame: Blame::Operator, .. } => "operator",
            Verdict::Again { .. } => "again",
            Verdict::Failed { disable: true, .. } => "disable",
            Verdict::Failed { .. } => "failed",
            Verdict::Moot { .. } => "moot",
        }
    }

    #[test]
    fn incoming_webhooks_answer_with_a_status() {
        for (status, body, expected) in [
            (200, "ok", "accepted"),
            (302, "", "failed"),
            (400, "invalid_payload", "failed"),
            (403, "action_prohibited", "failed"),
            (404, "no_service", "disable"),
            (410, "channel_is_archived", "disable"),
            (429, "", "again"),
            (500, "rollup_error", "again"),
            (503, "", "again"),
        ] {
            assert_eq!(name(&judge_incoming(&answer(status, body))), expected, "{status} {body}");
        }
    }

    #[test]
    fn the_api_answers_200_for_everything() {
        for (status, body, expected) in [
            (200, r#"{"ok":true,"channel":"C1","ts":"1.2"}"#, "accepted"),
            (200, r#"{"ok":false,"error":"channel_not_found"}"#, "disable"),
            (200, r#"{"ok":false,"error":"is_archived"}"#, "disable"),
            (200, r#"{"ok":false,"error":"invalid_auth"}"#, "operator"),
            (200, r#"{"ok":false,"error":"not_in_channel"}"#, "operator"),
            (200, r#"{"ok":false,"error":"msg_too_long"}"#, "failed"),
            (200, r#"{"ok":false,"error":"invalid_blocks"}"#, "failed"),
            (200, r#"{"ok":false,"error":"ratelimited"}"#, "again"),
            (200, r#"{"ok":false,"error":"fatal_error"}"#, "again"),
            (200, r#"{"ok":false}"#, "failed"),
            (200, "<html>", "again"),
            (429, "", "again"),
            (500, "", "again"),
            (404, "", "failed"),
        ] {
            assert_eq!(name(&judge_api(&answer(status, body))), expected, "{status} {body}");
        }
    }
}
