//! SMS through Twilio's API.
//!
//! A message that may have arrived is found again in Twilio's list of the day by the code at the end of its text. Twilio is asked to
//! report what becomes of each (`StatusCallback`), which the api hears.

mod text;

pub use text::{Segments, segments};

use super::Dispatch;
use super::twilio::{self, Account, Codes, Resource};
use crate::content::Links;
use crate::outcome::{Outcome, Verdict};
use bugle_model::takes_no_sms;
use bugle_runtime::Config;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use reqwest::Client;
use serde::Deserialize;
use std::collections::BTreeSet;

/// Messages to the number on a day that the lookup reads, newest first.
const PAGE: &str = "100";

const CODES: Codes = Codes {
    number: takes_no_sms,
    number_text: "the number takes no SMS",
    message: &[21602, 21617, 30007],
    account: &[20003, 21408, 21606, 21608, 21609, 30002],
    transient: &[
        (20429, 5),
        (21730, 60),
        (30001, 30),
        (30003, 1800),
        (30008, 60),
        (30410, 30),
        (63038, 3600),
    ],
};

/// The channel.
pub struct Sms {
    account: Option<Account>,
    /// A number, a name, or a messaging service.
    from: String,
    /// Where Twilio can report to.
    reports: Option<Links>,
    /// Whether what people reply gets here.
    takes_replies: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Page {
    messages: Vec<Resource>,
}

impl Sms {
    /// `client` may reach any address: Twilio's base URL is the operator's.
    #[must_use]
    pub fn new(client: &Client, config: &Config) -> Self {
        let from = config.twilio_from.clone().unwrap_or_default();
        let account = Account::of(client, config).filter(|_| !from.is_empty());
        let reports = config.twilio_reaches_here().then(|| Links::new(config.public_url.clone()));
        Self { account, from, reports, takes_replies: config.takes_sms_replies() }
    }

    /// Sends, after looking when an earlier attempt may have arrived.
    pub async fn send(&self, dispatch: Dispatch<'_>, lookup_pause: TimeDelta) -> Outcome {
        let Some(account) = &self.account else {
            return Outcome::operator("BUGLE_TWILIO_ACCOUNT_SID and its kin are not set".to_owned());
        };
        let code = text::code(dispatch.content.message_id);
        let since = match twilio::asked_since(dispatch, lookup_pause) {
            Ok(since) => since,
            Err(wait) => return *wait,
        };
        if let Some(since) = since {
            match find(account, dispatch, since, &code).await {
                Ok(Some(found)) => return arrived(found),
                Ok(None) => {}
                Err(outcome) => return *outcome,
            }
            if let Some(outcome) = twilio::given_up(dispatch) {
                return outcome;
            }
        }
        self.post(account, dispatch, &code).await
    }

    async fn post(&self, account: &Account, dispatch: Dispatch<'_>, code: &str) -> Outcome {
        // Only what comes from a number that somebody has proven to be theirs is an answer.
        let takes_replies = self.takes_replies && dispatch.destination.project.is_none();
        let body = text::compose(dispatch.content, code, takes_replies);
        let sender = if self.from.starts_with("MG") { "MessagingServiceSid" } else { "From" };
        let fields = [("To", dispatch.destination.target.as_str()), (sender, &self.from), ("Body", &body)];
        let callback = self.reports.as_ref().map(|links| links.twilio_status(dispatch.content.message_id));
        let reports: Vec<_> = callback.iter().map(|url| ("StatusCallback", url.as_str())).collect();
        account.make(account.list("Messages"), &fields, &reports, &CODES, dispatch.now).await
    }
}

/// The message among those of the days on which it may have left.
async fn find(
    account: &Account,
    dispatch: Dispatch<'_>,
    since: DateTime<Utc>,
    code: &str,
) -> Result<Option<Resource>, Box<Outcome>> {
    let days: BTreeSet<NaiveDate> = [since.date_naive(), dispatch.now.date_naive()].into();
    for day in days {
        let mut url = account.list("Messages");
        url.query_pairs_mut()
            .append_pair("To", &dispatch.destination.target)
            .append_pair("DateSent", &day.to_string())
            .append_pair("PageSize", PAGE);
        let page: Page = account.read(url, dispatch.now).await?;
        if let Some(found) = page.messages.into_iter().find(|message| message.body.ends_with(code)) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// It had arrived: what became of it decides.
fn arrived(message: Resource) -> Outcome {
    let failed = CODES.of_failed(&message);
    twilio::found(failed.unwrap_or(Verdict::Accepted { provider_id: message.sid }))
}

#[cfg(test)]
mod tests {
    use super::super::twilio::tests::meaning;
    use super::*;

    #[test]
    fn codes_mean_what_twilio_says() {
        for (codes, expected) in [
            (&[21211, 21214, 21610, 21612, 21614, 21635, 30004, 30005, 30006][..], "disable"),
            (CODES.message, "failed"),
            (CODES.account, "operator"),
            (&[20429, 21730, 30001, 30003, 30008, 30410, 63038][..], "again"),
            (&[12345][..], "failed"),
        ] {
            for code in codes {
                assert_eq!(meaning(&CODES, *code), expected, "{code}");
            }
        }
    }
}
