//! Webhooks after Standard Webhooks 1.0.0.

use super::{Dispatch, template};
use crate::client;
use crate::guard::Guard;
use crate::outcome::{Outcome, Verdict};
use crate::sign;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, RequestBuilder};
use url::Url;

/// The standard payload stays below this (Standard Webhooks: "ideally less than 20kb").
const MAX_PAYLOAD: usize = 20_000;

/// The channel.
pub struct Webhook {
    guard: Guard,
    client: Client,
}

impl Webhook {
    /// `client` resolves names through `guard`.
    #[must_use]
    pub const fn new(guard: Guard, client: Client) -> Self {
        Self { guard, client }
    }

    /// Sends. At-least-once: `webhook-id` is the same for every attempt.
    pub async fn send(&self, dispatch: Dispatch<'_>) -> Outcome {
        let request = match self.request(dispatch) {
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
            300..=399 => failed(&answer, format!("answered {code}; redirects are not followed"), false),
            // Standard Webhooks: the receiver wants no more.
            410 => failed(&answer, "answered 410: the receiver is gone".to_owned(), true),
            _ if answer.is_transient() => answer.again(format!("answered {code}")),
            _ => failed(&answer, format!("answered {code}"), false),
        }
    }

    fn request(&self, dispatch: Dispatch<'_>) -> Result<RequestBuilder, String> {
        let Dispatch { content, destination, now, .. } = dispatch;
        let url =
            Url::parse(&destination.target).map_err(|error| format!("the target is not a URL: {error}"))?;
        self.guard.check(&url).map_err(|blocked| blocked.to_string())?;
        let payload = content.payload(MAX_PAYLOAD);
        let (body, kind) = match &destination.settings.template {
            None => (payload.to_string(), "application/json"),
            Some(source) => template::render(source, &payload)?,
        };
        let id = content.message_id.to_string();
        let timestamp = now.timestamp();
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        for (name, value) in &destination.settings.headers {
            insert(&mut headers, name, value)?;
        }
        // Last, so that nothing a user sets can take their place.
        insert(&mut headers, "webhook-id", &id)?;
        insert(&mut headers, "webhook-timestamp", &timestamp.to_string())?;
        if let Some(secret) = &destination.settings.secret {
            let signature = sign::signature(secret, &id, timestamp, body.as_bytes());
            insert(&mut headers, "webhook-signature", &signature.map_err(|error| error.to_string())?)?;
        }
        Ok(self.client.post(url).headers(headers).body(body))
    }
}

fn insert(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), String> {
    let bad = || format!("header `{name}` cannot be sent");
    let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
    let mut value = HeaderValue::from_str(value).map_err(|_| bad())?;
    value.set_sensitive(true);
    headers.insert(key, value);
    Ok(())
}

fn failed(answer: &client::Answer, error: String, disable: bool) -> Outcome {
    answer.outcome(Verdict::Failed { error, disable })
}
