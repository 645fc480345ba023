//! SMS through Twilio's API.
//!
//! Twilio has no idempotency key. A message that may have arrived is looked for in Twilio's list of the day, by the
//! code at the end of its text, and sent once more only when it is not there. Twilio is asked to report what becomes of each
//! (`StatusCallback`), which the api hears.

mod text;

pub use text::{Segments, segments};

use super::Dispatch;
use crate::client::{self, Answer};
use crate::content::Links;
use crate::outcome::{Blame, Outcome, Verdict};
use bugle_model::takes_no_sms;
use bugle_runtime::{Config, Secret};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::time::Duration;
use url::Url;

/// How many attempts may end without an answer; then it is not sent again.
const MAX_UNKNOWN: i64 = 2;
/// Messages to the number on a day that the lookup reads, newest first.
const PAGE: &str = "100";
/// Twilio's code for a `StatusCallback` that it does not take.
const BAD_CALLBACK: &str = "21609";

/// The channel.
pub struct Sms {
    client: Client,
    account: Option<Account>,
    /// Where Twilio can report to.
    reports: Option<Links>,
    /// Whether what people reply gets here.
    takes_replies: bool,
}

struct Account {
    messages: Url,
    sid: String,
    token: Secret,
    from: String,
}

/// A message as Twilio describes it; or an error, which has a `code`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Resource {
    sid: Option<String>,
    status: Option<serde_json::Value>,
    body: String,
    error_code: Option<i64>,
    code: Option<i64>,
    message: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Page {
    messages: Vec<Resource>,
}

impl Sms {
    /// `client` may reach any address: Twilio's base URL is the operator's.
    #[must_use]
    pub fn new(client: Client, config: &Config) -> Self {
        let account = match (&config.twilio_account_sid, &config.twilio_auth_token, &config.twilio_from) {
            (Some(sid), Some(token), Some(from)) => {
                let mut messages = config.twilio_base_url.clone();
                let path = format!(
                    "{}/2010-04-01/Accounts/{sid}/Messages.json",
                    messages.path().trim_end_matches('/')
                );
                messages.set_path(&path);
                Some(Account { messages, sid: sid.clone(), token: token.clone(), from: from.clone() })
            }
            _ => None,
        };
        let reports = config.twilio_reaches_here().then(|| Links::new(config.public_url.clone()));
        Self { client, account, reports, takes_replies: config.takes_sms_replies() }
    }

    /// Sends, after looking when an earlier attempt may have arrived.
    pub async fn send(&self, dispatch: Dispatch<'_>, lookup_pause: TimeDelta) -> Outcome {
        let Some(account) = &self.account else {
            return Outcome::operator("BUGLE_TWILIO_ACCOUNT_SID and its kin are not set".to_owned());
        };
        let code = text::code(dispatch.content.message_id);
        if let Some(since) = dispatch.claimed.ambiguous_since {
            if dispatch.now - since < lookup_pause {
                return self.not_yet(lookup_pause - (dispatch.now - since));
            }
            match self.find(account, dispatch, since, &code).await {
                Ok(Some(found)) => return arrived(found),
                Ok(None) if dispatch.claimed.unknown >= MAX_UNKNOWN => {
                    let error = "sent twice without an answer, and Twilio does not know of it".to_owned();
                    return Outcome::failed(error);
                }
                Ok(None) => {}
                Err(outcome) => return *outcome,
            }
        }
        self.post(account, dispatch, &code).await
    }

    fn not_yet(&self, rest: TimeDelta) -> Outcome {
        let error = "an earlier attempt may have arrived; Twilio is asked in a moment".to_owned();
        let after = Some(rest.to_std().unwrap_or(Duration::ZERO));
        Outcome::bare(Verdict::Again { error, after, ambiguous: true, blame: Blame::Nobody })
    }

    async fn post(&self, account: &Account, dispatch: Dispatch<'_>, code: &str) -> Outcome {
        // Only what comes from a number that somebody has proven to be theirs is an answer.
        let takes_replies = self.takes_replies && dispatch.destination.project.is_none();
        let body = text::compose(dispatch.content, code, takes_replies);
        let sender = if account.from.starts_with("MG") { "MessagingServiceSid" } else { "From" };
        let fields = [("To", dispatch.destination.target.as_str()), (sender, &account.from), ("Body", &body)];
        let Some(reports) = &self.reports else {
            return self.post_form(account, &fields, dispatch.now).await;
        };
        let callback = reports.twilio_status(dispatch.content.message_id);
        let reporting: Vec<_> = fields.into_iter().chain([("StatusCallback", callback.as_str())]).collect();
        match self.post_form(account, &reporting, dispatch.now).await {
            // Refused because of where it is to report to. The message matters more than what is said of it afterwards.
            Outcome { answer: Some(said), .. } if said.starts_with(BAD_CALLBACK) => {
                self.post_form(account, &fields, dispatch.now).await
            }
            outcome => outcome,
        }
    }

    async fn post_form(&self, account: &Account, fields: &[(&str, &str)], now: DateTime<Utc>) -> Outcome {
        let form = form(fields);
        let request = self
            .client
            .post(account.messages.clone())
            .basic_auth(&account.sid, Some(account.token.reveal()))
            .header(reqwest::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form);
        match client::send(request, now).await {
            Ok(answer) => judge(&answer),
            Err(outcome) => outcome,
        }
    }

    /// The message among those of the days on which it may have left. The error is an outcome that stays ambiguous.
    async fn find(
        &self,
        account: &Account,
        dispatch: Dispatch<'_>,
        since: DateTime<Utc>,
        code: &str,
    ) -> Result<Option<Resource>, Box<Outcome>> {
        let days: BTreeSet<NaiveDate> = [since.date_naive(), dispatch.now.date_naive()].into();
        for day in days {
            let mut url = account.messages.clone();
            url.query_pairs_mut()
                .append_pair("To", &dispatch.destination.target)
                .append_pair("DateSent", &day.to_string())
                .append_pair("PageSize", PAGE);
            let request = self.client.get(url).basic_auth(&account.sid, Some(account.token.reveal()));
            let answer = client::fetch(request, dispatch.now).await.map_err(still_ambiguous)?;
            let page: Option<Page> = serde_json::from_str(&answer.body).ok();
            let Some(page) = page.filter(|_| answer.status.is_success()) else {
                return Err(still_ambiguous(answer.again(format!("the lookup answered {}", answer.code()))));
            };
            if let Some(found) = page.messages.into_iter().find(|message| message.body.ends_with(code)) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

/// Asking failed: nothing new is known, so nothing is sent.
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

/// It had arrived: what became of it decides.
fn arrived(found: Resource) -> Outcome {
    let mut outcome = match found.error_code.filter(|_| has_failed(&found)) {
        Some(code) => Outcome::bare(classify(code, None)),
        None => Outcome::bare(Verdict::Accepted { provider_id: found.sid }),
    };
    outcome.answer = Some("found at Twilio: an earlier attempt had arrived".to_owned());
    outcome
}

fn has_failed(resource: &Resource) -> bool {
    matches!(resource.status.as_ref().and_then(|status| status.as_str()), Some("failed" | "undelivered"))
}

fn judge(answer: &Answer) -> Outcome {
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
        return match resource.error_code.filter(|_| has_failed(&resource)) {
            Some(code) => shown(classify(code, answer.retry_after)),
            None => shown(Verdict::Accepted { provider_id: resource.sid.clone() }),
        };
    }
    match (resource.code, answer.code()) {
        (Some(code), _) if is_known(code) => shown(classify(code, answer.retry_after)),
        (_, 401 | 403) => shown(operator(format!("Twilio answered {}", answer.code()), answer.retry_after)),
        _ if answer.is_transient() => failing(answer),
        (code, status) => {
            let code = code.map(|code| format!(", code {code}")).unwrap_or_default();
            shown(Verdict::Failed { error: format!("Twilio answered {status}{code}"), disable: false })
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

const BAD_MESSAGE: &[i64] = &[21602, 21617, 30007];
const ACCOUNT: &[i64] = &[20003, 21408, 21606, 21608, 21609, 30002];
/// With the shortest useful pause in seconds.
const TRANSIENT: &[(i64, u64)] =
    &[(20429, 5), (21730, 60), (30001, 30), (30003, 1800), (30008, 60), (30410, 30), (63038, 3600)];

fn is_known(code: i64) -> bool {
    takes_no_sms(code)
        || [BAD_MESSAGE, ACCOUNT].iter().any(|codes| codes.contains(&code))
        || TRANSIENT.iter().any(|(own, _)| *own == code)
}

/// What one of Twilio's error codes means (<https://www.twilio.com/docs/api/errors>).
fn classify(code: i64, retry_after: Option<Duration>) -> Verdict {
    if let Some((_, seconds)) = TRANSIENT.iter().find(|(own, _)| *own == code) {
        let after = retry_after.unwrap_or(Duration::from_secs(*seconds));
        let error = format!("Twilio's code {code}");
        return Verdict::Again { error, after: Some(after), ambiguous: false, blame: Blame::Destination };
    }
    if takes_no_sms(code) {
        return Verdict::Failed {
            error: format!("Twilio's code {code}: the number takes no SMS"),
            disable: true,
        };
    }
    if ACCOUNT.contains(&code) {
        return operator(format!("Twilio's code {code}: account or configuration"), retry_after);
    }
    Verdict::Failed { error: format!("Twilio's code {code}"), disable: false }
}

fn operator(error: String, after: Option<Duration>) -> Verdict {
    Verdict::Again { error, after, ambiguous: false, blame: Blame::Operator }
}

fn form(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_mean_what_twilio_says() {
        for (codes, expected) in [
            (&[21211, 21214, 21610, 21612, 21614, 21635, 30004, 30005, 30006][..], "disable"),
            (BAD_MESSAGE, "failed"),
            (ACCOUNT, "operator"),
            (&[20429, 21730, 30001, 30003, 30008, 30410, 63038][..], "again"),
            (&[12345][..], "failed"),
        ] {
            for code in codes {
                let found = match classify(*code, None) {
                    Verdict::Failed { disable: true, .. } => "disable",
                    Verdict::Failed { disable: false, .. } => "failed",
                    Verdict::Again { blame: Blame::Operator, .. } => "operator",
                    Verdict::Again { blame: Blame::Destination, after: Some(_), .. } => "again",
                    other => panic!("{code}: {other:?}"),
                };
                assert_eq!(found, expected, "{code}");
            }
        }
    }
}
