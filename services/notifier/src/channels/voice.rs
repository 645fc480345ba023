//! Calls through Twilio's API: what it is about is read aloud, and answered by a key.
//!
//! A call in Twilio's list says nothing of what it is about. One that may have been made is known by its number and time: between two calls to one
//! number there is a pause ([`crate::policy::channel_limits`]). Twilio is asked to report how each goes, which the api hears; a page
//! that nobody takes is called about again from there ([`bugle_store::notifications::deliver()`]).

mod script;

use super::Dispatch;
use super::twilio::{self, Account, Codes, Resource};
use crate::content::Links;
use crate::outcome::{Blame, Outcome, Verdict};
use bugle_model::{DeliveryStatus, SignalKind, takes_no_calls};
use bugle_runtime::Config;
use bugle_store::notifications::CALL_AGAIN_AFTER;
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Client;
use serde::Deserialize;

/// Calls to the number that the lookup reads, newest first.
const PAGE: &str = "50";
/// How far Twilio's clock and the database's may be apart; less than the pause between two calls.
const SKEW: TimeDelta = TimeDelta::seconds(20);
/// For how many seconds it rings: most mailboxes answer later.
const RINGS: &str = "25";

const CODES: Codes = Codes {
    number: takes_no_calls,
    number_text: "the number cannot be called",
    message: &[],
    // 21215: a country that the account may not call; 21219: a number that a trial account has not proven.
    account: &[20003, 21210, 21212, 21213, 21215, 21216, 21219, 21609, 30002],
    transient: &[(20429, 5), (10004, 5)],
};

/// The channel.
pub struct Voice {
    account: Option<Account>,
    /// The number that calls come from.
    from: Option<String>,
    /// Where Twilio can report to, and ask what follows from a key.
    answers: Option<Links>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Page {
    calls: Vec<Resource>,
}

impl Voice {
    /// `client` may reach any address: Twilio's base URL is the operator's.
    #[must_use]
    pub fn new(client: &Client, config: &Config) -> Self {
        let answers = config.twilio_reaches_here().then(|| Links::new(config.public_url.clone()));
        let from = config.calls_from().map(str::to_owned);
        Self { account: Account::of(client, config), from, answers }
    }

    /// Calls, after looking when an earlier attempt may have done so.
    pub async fn send(&self, dispatch: Dispatch<'_>, lookup_pause: TimeDelta) -> Outcome {
        let (Some(account), Some(from)) = (&self.account, &self.from) else {
            return Outcome::operator(
                "no number to call from: set BUGLE_TWILIO_VOICE_FROM, and BUGLE_TWILIO_ACCOUNT_SID and its kin"
                    .to_owned(),
            );
        };
        let since = match twilio::asked_since(dispatch, lookup_pause) {
            Ok(since) => since,
            Err(wait) => return *wait,
        };
        if let Some(since) = since {
            match find(account, from, dispatch, since).await {
                Ok(Some(found)) => return called(found, dispatch.claimed.kind),
                Ok(None) => {}
                Err(outcome) => return *outcome,
            }
            if let Some(outcome) = twilio::given_up(dispatch) {
                return outcome;
            }
        }
        self.call(account, from, dispatch).await
    }

    async fn call(&self, account: &Account, from: &str, dispatch: Dispatch<'_>) -> Outcome {
        let id = dispatch.content.message_id;
        // Only who has proven a number to be theirs answers by it; and a key means the incident whose page this was made for.
        let is_own =
            matches!(dispatch.claimed.parts.as_slice(), [only] if only.notification == dispatch.claimed.id);
        let answers = self.answers.as_ref().filter(|_| is_own && dispatch.destination.project.is_none());
        let key = answers.map(|links| links.twilio_key(id));
        let script = script::compose(dispatch.content, key.as_deref());
        let number = dispatch.destination.target.as_str();
        let fields = [("To", number), ("From", from), ("Timeout", RINGS), ("Twiml", &script)];
        let callback = self.answers.as_ref().map(|links| links.twilio_call(id));
        let reports: Vec<_> = callback
            .iter()
            .flat_map(|url| {
                let events = ["initiated", "ringing", "answered", "completed"];
                let events = events.map(|event| ("StatusCallbackEvent", event));
                [("StatusCallback", url.as_str())].into_iter().chain(events)
            })
            .collect();
        account.make(account.list("Calls"), &fields, &reports, &CODES, dispatch.now).await
    }
}

/// The call that was made since. Not asked for by its day: one that waits at Twilio has not started yet.
async fn find(
    account: &Account,
    from: &str,
    dispatch: Dispatch<'_>,
    since: DateTime<Utc>,
) -> Result<Option<Resource>, Box<Outcome>> {
    let mut url = account.list("Calls");
    url.query_pairs_mut()
        .append_pair("To", &dispatch.destination.target)
        .append_pair("From", from)
        .append_pair("PageSize", PAGE);
    let page: Page = account.read(url, dispatch.now).await?;
    let is_it = |call: &Resource| {
        let made = DateTime::parse_from_rfc2822(&call.date_created);
        made.is_ok_and(|made| made.to_utc() >= since - SKEW)
    };
    Ok(page.calls.into_iter().find(is_it))
}

/// It had been made. One that nobody took is as good as none: a page is called about again.
fn called(call: Resource, kind: SignalKind) -> Outcome {
    let word = call.status().to_owned();
    let not_taken = DeliveryStatus::of_call(&word).is_some_and(DeliveryStatus::is_failure);
    twilio::found(match (not_taken, kind) {
        (false, _) => Verdict::Accepted { provider_id: call.sid },
        (true, SignalKind::Page) => Verdict::Again {
            error: format!("the call was not taken: {word}"),
            after: CALL_AGAIN_AFTER.to_std().ok(),
            ambiguous: false,
            blame: Blame::Nobody,
        },
        (true, _) => Verdict::Failed { error: format!("the call was not taken: {word}"), disable: false },
    })
}

#[cfg(test)]
mod tests {
    use super::super::twilio::tests::meaning;
    use super::*;

    #[test]
    fn codes_mean_what_twilio_says() {
        for (codes, expected) in [
            (&[13223, 13224, 21211, 21214, 21217][..], "disable"),
            (CODES.account, "operator"),
            (&[10004, 20429][..], "again"),
            // Of SMS.
            (&[21614, 30006, 12345][..], "failed"),
        ] {
            for code in codes {
                assert_eq!(meaning(&CODES, *code), expected, "{code}");
            }
        }
    }
}
