//! What SMS and calls share: Twilio's API, and what its answers mean.
//!
//! Twilio has no idempotency key. What may have arrived is looked for in Twilio's list, and sent once more only when it is not there.

use super::Dispatch;
use crate::client::{self, Answer};
use crate::outcome::{Blame, Outcome, Verdict};
use bugle_runtime::{Config, Secret};
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use url::Url;

/// How many attempts may end without an answer; then it is not sent again.
const MAX_UNKNOWN: i64 = 2;
/// Twilio's code for a `StatusCallback` that it does not take.
const BAD_CALLBACK: &str = "21609";

/// The operator's account.
pub(super) struct Account {
    client: Client,
    base: Url,
    sid: String,
    token: Secret,
}

/// A message or a call as Twilio describes it; or an error, which has a `code`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Resource {
    pub(super) sid: Option<String>,
    status: Option<serde_json::Value>,
    /// Of a message.
    pub(super) body: String,
    /// Of a call, as in RFC 2822.
    pub(super) date_created: String,
    pub(super) error_code: Option<i64>,
    code: Option<i64>,
    message: Option<String>,
}

impl Resource {
    /// Where it stands; of an error, whose status is a number, nothing.
    pub(super) fn status(&self) -> &str {
        self.status.as_ref().and_then(|status| status.as_str()).unwrap_or_default()
    }

    fn has_failed(&self) -> bool {
        matches!(self.status(), "failed" | "undelivered")
    }
}

impl Account {
    /// `None` when none is set. `client` may reach any address: Twilio's base URL is the operator's.
    pub(super) fn of(client: &Client, config: &Config) -> Option<Self> {
        let (sid, token) = (config.twilio_account_sid.clone()?, config.twilio_auth_token.clone()?);
        Some(Self { client: client.clone(), base: config.twilio_base_url.clone(), sid, token })
    }

    /// A list such as `Messages`.
    pub(super) fn list(&self, name: &str) -> Url {
        let mut url = self.base.clone();
        let path = url.path().trim_end_matches('/');
        let path = format!("{path}/2010-04-01/Accounts/{}/{name}.json", self.sid);
        url.set_path(&path);
        url
    }

    fn signed(&self, request: RequestBuilder) -> RequestBuilder {
        request.basic_auth(&self.sid, Some(self.token.reveal()))
    }

    /// Makes a message or a call, with what is to be reported of it. Twilio may refuse that because of where it is to report to: the message
    /// matters more than what is said of it afterwards.
    pub(super) async fn make(
        &self,
        url: Url,
        fields: &[(&str, &str)],
        reports: &[(&str, &str)],
        codes: &Codes,
        now: DateTime<Utc>,
    ) -> Outcome {
        let all = [fields, reports].concat();
        match self.post(url.clone(), &all, codes, now).await {
            Outcome { answer: Some(said), .. } if !reports.is_empty() && said.starts_with(BAD_CALLBACK) => {
                self.post(url, fields, codes, now).await
            }
            outcome => outcome,
        }
    }

    async fn post(&self, url: Url, fields: &[(&str, &str)], codes: &Codes, now: DateTime<Utc>) -> Outcome {
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self
            .signed(self.client.post(url))
            .header(reqwest::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form);
        match client::send(request, now).await {
            Ok(answer) => codes.judge(&answer),
            Err(outcome) => outcome,
        }
    }

    /// Reads a list. The error is an outcome that stays ambiguous: nothing new is known, so nothing is sent.
    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        url: Url,
        now: DateTime<Utc>,
    ) -> Result<T, Box<Outcome>> {
        let request = self.signed(self.client.get(url));
        let answer = client::fetch(request, now).await.map_err(still_ambiguous)?;
        let page = serde_json::from_str(&answer.body).ok().filter(|_| answer.status.is_success());
        page.ok_or_else(|| still_ambiguous(answer.again(format!("the lookup answered {}", answer.code()))))
    }
}

/// Since when an earlier attempt may have arrived, when it is time to ask Twilio about it. The error is what is to be done instead: wait, as Twilio's
/// list lags behind.
pub(super) fn asked_since(
    dispatch: Dispatch<'_>,
    pause: TimeDelta,
) -> Result<Option<DateTime<Utc>>, Box<Outcome>> {
    let Some(since) = dispatch.claimed.ambiguous_since else { return Ok(None) };
    let rest = pause - (dispatch.now - since);
    if rest <= TimeDelta::zero() {
        return Ok(Some(since));
    }
    let error = "an earlier attempt may have arrived; Twilio is asked in a moment".to_owned();
    let after = Some(rest.to_std().unwrap_or(Duration::ZERO));
    let verdict = Verdict::Again { error, after, ambiguous: true, blame: Blame::Nobody };
    Err(Box::new(Outcome::bare(verdict)))
}

/// It is not in Twilio's list: whether it is given up.
pub(super) fn given_up(dispatch: Dispatch<'_>) -> Option<Outcome> {
    let error = "sent twice without an answer, and Twilio does not know of it";
    (dispatch.claimed.unknown >= MAX_UNKNOWN).then(|| Outcome::failed(error.to_owned()))
}

fn still_ambiguous(outcome: Outcome) -> Box<Outcome> {
    let (error, after) = match outcome.verdict {
        Verdict::Again { error, after, .. } => (error, after),
        Verdict::Failed { error, .. } => (error, None),
        Verdict::Accepted { .. } | Verdict::Moot { .. } => (String::new(), None),
    };
    let error = format!("an earlier attempt may have arrived, and Twilio cannot be asked: {error}");
    let verdict = Verdict::Again { error, after, ambiguous: true, blame: Blame::Nobody };
    Box::new(Outcome { verdict, status: outcome.status, answer: None })
}

/// Found in Twilio's list: `verdict` says what became of it.
pub(super) fn found(verdict: Verdict) -> Outcome {
    let answer = Some("found at Twilio: an earlier attempt had arrived".to_owned());
    Outcome { verdict, status: None, answer }
}

/// What Twilio's error codes mean for a channel (<https://www.twilio.com/docs/api/errors>).
pub(super) struct Codes {
    /// Nothing will ever get to the number.
    pub(super) number: fn(i64) -> bool,
    /// What is said then.
    pub(super) number_text: &'static str,
    /// This message can't be sent.
    pub(super) message: &'static [i64],
    /// Account or configuration.
    pub(super) account: &'static [i64],
    /// It may succeed later, with the shortest useful pause in seconds.
    pub(super) transient: &'static [(i64, u64)],
}

impl Codes {
    fn know(&self, code: i64) -> bool {
        (self.number)(code)
            || [self.message, self.account].iter().any(|codes| codes.contains(&code))
            || self.transient.iter().any(|(own, _)| *own == code)
    }

    pub(super) fn classify(&self, code: i64, retry_after: Option<Duration>) -> Verdict {
        if let Some((_, seconds)) = self.transient.iter().find(|(own, _)| *own == code) {
            let after = retry_after.unwrap_or(Duration::from_secs(*seconds));
            let error = format!("Twilio's code {code}");
            return Verdict::Again { error, after: Some(after), ambiguous: false, blame: Blame::Destination };
        }
        if (self.number)(code) {
            let error = format!("Twilio's code {code}: {}", self.number_text);
            return Verdict::Failed { error, disable: true };
        }
        if self.account.contains(&code) {
            return operator(format!("Twilio's code {code}: account or configuration"), retry_after);
        }
        Verdict::Failed { error: format!("Twilio's code {code}"), disable: false }
    }

    /// The same of what Twilio lists, when that has failed.
    pub(super) fn of_failed(&self, resource: &Resource) -> Option<Verdict> {
        let code = resource.error_code.filter(|_| resource.has_failed())?;
        Some(self.classify(code, None))
    }

    fn judge(&self, answer: &Answer) -> Outcome {
        let resource: Resource = serde_json::from_str(&answer.body).unwrap_or_default();
        // The whole answer repeats number and text; a code is enough.
        let shown = |verdict| {
            let code = resource.code.or(resource.error_code);
            let text = match (code, &resource.message) {
                (Some(code), Some(message)) => format!("{code}: {message}"),
                (Some(code), None) => code.to_string(),
                _ => String::new(),
            };
            Outcome { verdict, status: Some(answer.code()), answer: Some(text) }
        };
        if answer.status.is_success() {
            return match resource.error_code.filter(|_| resource.has_failed()) {
                Some(code) => shown(self.classify(code, answer.retry_after)),
                None => shown(Verdict::Accepted { provider_id: resource.sid.clone() }),
            };
        }
        match (resource.code, answer.code()) {
            (Some(code), _) if self.know(code) => shown(self.classify(code, answer.retry_after)),
            (_, 401 | 403) => {
                shown(operator(format!("Twilio answered {}", answer.code()), answer.retry_after))
            }
            _ if answer.is_transient() => failing(answer),
            (code, status) => {
                let code = code.map(|code| format!(", code {code}")).unwrap_or_default();
                shown(Verdict::Failed { error: format!("Twilio answered {status}{code}"), disable: false })
            }
        }
    }
}

/// Who fails may have taken the message before; 425 and 429 say that they did not.
fn failing(answer: &Answer) -> Outcome {
    let mut outcome = answer.again(format!("Twilio answered {}", answer.code()));
    if let Verdict::Again { ambiguous, .. } = &mut outcome.verdict {
        *ambiguous = answer.status.is_server_error() || answer.status == StatusCode::REQUEST_TIMEOUT;
    }
    outcome
}

fn operator(error: String, after: Option<Duration>) -> Verdict {
    Verdict::Again { error, after, ambiguous: false, blame: Blame::Operator }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// In a word.
    pub(in super::super) fn meaning(codes: &Codes, code: i64) -> &'static str {
        match codes.classify(code, None) {
            Verdict::Failed { disable: true, .. } => "disable",
            Verdict::Failed { disable: false, .. } => "failed",
            Verdict::Again { blame: Blame::Operator, .. } => "operator",
            Verdict::Again { blame: Blame::Destination, after: Some(_), .. } => "again",
            other => panic!("{code}: {other:?}"),
        }
    }
}
