//! Fetches the calendars that schedules follow, and makes overrides of what they say.
//!
//! When each is due is in its row, and whoever fetches it has claimed it, so any number of these may run. What a calendar said last stays while it cannot
//! be fetched or read, or nothing of it can be used; one that can be read and has no events says that nobody is on call.

use crate::account_mails::tell_of_shifts;
use crate::channels::SetupError;
use crate::client::{self, Timeouts};
use crate::content::Links;
use crate::every::every;
use crate::guard::{Guard, Lookup};
use bugle_model::Clock;
use bugle_runtime::{Config, Shutdown};
use bugle_schedule::ical::{self, ImportRange};
use bugle_schedule::limits::MAX_FEED_BYTES;
use bugle_schedule::time_in_words;
use bugle_store::oncall::{self, DueSubscription, Failing, Followed, Listener, ReadCalendar};
use bugle_store::{Connection, Store, StoreError, Transactions};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use futures_util::future::join_all;
use reqwest::Client;
use reqwest::header::{ACCEPT, IF_NONE_MATCH};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// How often it looks for what is due.
const POLL: Duration = Duration::from_secs(5);
/// How often a calendar is fetched, whether or not it could be the last time.
const EVERY: TimeDelta = TimeDelta::minutes(15);
/// How far ahead its events are taken.
const AHEAD: TimeDelta = TimeDelta::days(180);
/// How long a fetch may take.
const TIMEOUTS: Timeouts = Timeouts { connect: Duration::from_secs(5), total: Duration::from_secs(10) };
/// A crash in the middle is made good after this long: longer than a fetch may take.
const LEASE: TimeDelta = TimeDelta::minutes(2);
/// How many are fetched at once.
const AT_ONCE: i64 = 4;
/// How long a calendar cannot be fetched until the team's managers are told.
const PATIENCE: TimeDelta = TimeDelta::hours(6);
/// How long until they are told again, and so how long that is worth telling.
const PAUSE: TimeDelta = TimeDelta::days(1);

/// The worker that follows calendars.
pub struct Subscriptions {
    store: Store,
    clock: Arc<dyn Clock>,
    links: Links,
    guard: Guard,
    client: Client,
    /// There is a mail server: without one a mail would only wait until it is old.
    mails: bool,
}

impl Subscriptions {
    /// Has not looked yet.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        config: &Config,
        lookup: Arc<dyn Lookup>,
    ) -> Result<Self, SetupError> {
        let guard = Guard::new(config.allow_private_nets.clone(), lookup);
        let client = client::guarded(&guard, TIMEOUTS)?;
        let links = Links::new(config.public_url.clone());
        Ok(Self { store, clock, links, guard, client, mails: config.smtp_url.is_some() })
    }

    /// Fetches everything that is due. How many calendars were tried.
    ///
    /// # Errors
    /// When the database is away; what was done before stays done.
    pub async fn run_once(&self) -> Result<usize, StoreError> {
        self.fetch_while(&|| true).await
    }

    /// Fetches what is due, for as long as it may go on with others.
    async fn fetch_while(&self, may_go_on: &(impl Fn() -> bool + Sync)) -> Result<usize, StoreError> {
        let mut tried = 0;
        while may_go_on() {
            match self.fetch_some().await? {
                0 => break,
                some => tried += some,
            }
        }
        Ok(tried)
    }

    /// Fetches a few of those that are due, all at once.
    async fn fetch_some(&self) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let mut connection = self.store.conn().await?;
        let due = oncall::claim_subscriptions(&mut connection, now, now + LEASE, AT_ONCE).await?;
        drop(connection);
        let following: Vec<_> = due.iter().map(|one| self.follow(one, now)).collect();
        for (one, done) in due.iter().zip(join_all(following).await) {
            match done {
                Err(error) if error.is_away() => return Err(error),
                // The lease runs out and it is tried again; the others must not wait for it.
                Err(error) => {
                    tracing::error!(schedule = %one.schedule, %error, "what became of a calendar could not be recorded");
                }
                Ok(()) => {}
            }
        }
        Ok(due.len())
    }

    async fn follow(&self, due: &DueSubscription, now: DateTime<Utc>) -> Result<(), StoreError> {
        let read = self.read(due, now).await;
        let mut connection = self.store.conn().await?;
        match read {
            Ok(None) => oncall::note_unchanged(&mut connection, due, now + EVERY, now).await,
            Ok(Some(read)) => match self.keep(&mut connection, due, &read, now).await {
                Err(error) if !error.is_away() => {
                    tracing::warn!(schedule = %due.schedule, %error, "what a calendar says could not be recorded");
                    self.fail(&mut connection, due, "what it says could not be recorded", now).await
                }
                done => done,
            },
            Err(error) => self.fail(&mut connection, due, &error, now).await,
        }
    }

    /// What the calendar says; `None` when it says what it said before. The error is a sentence for people, and names no secret.
    async fn read(&self, due: &DueSubscription, now: DateTime<Utc>) -> Result<Option<ReadCalendar>, String> {
        let zone: Tz = due.zone.parse().map_err(|_| "the schedule's zone is not known here".to_owned())?;
        let url = Url::parse(&due.url).map_err(|error| format!("the address is no URL: {error}"))?;
        self.guard.check(&url).map_err(|blocked| blocked.to_string())?;
        let mut request = self.client.get(url).header(ACCEPT, "text/calendar, */*;q=0.1");
        if let Some(etag) = &due.etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        let answer = client::download(request, MAX_FEED_BYTES).await?;
        match answer.status.as_u16() {
            200 => {}
            304 if due.etag.is_some() => return Ok(None),
            code @ (301..=303 | 307 | 308) => {
                return Err(format!("answered {code}; redirects are not followed"));
            }
            code => return Err(format!("answered {code}")),
        }
        let until = now + AHEAD;
        let range = ImportRange { zone, from: now, to: until };
        // The database keeps names of it, and no text there can hold a NUL.
        let text = String::from_utf8_lossy(&answer.body).replace('\0', "\u{fffd}");
        let imported = tokio::task::spawn_blocking(move || ical::import(&text, range)).await;
        let imported = imported.map_err(|_| "the calendar cannot be read".to_owned())?;
        // The error is shown, logged and sent by mail, and what the address answers may be anything.
        let imported = imported.map_err(|error| error.without_content())?;
        Ok(Some(ReadCalendar { imported, until, etag: answer.etag }))
    }

    async fn keep(
        &self,
        connection: &mut Connection,
        due: &DueSubscription,
        read: &ReadCalendar,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let followed = connection
            .transaction(async |connection| {
                oncall::follow_calendar(connection, due, read, now + EVERY, now).await
            })
            .await?;
        match followed {
            Followed::Late | Followed::Same => Ok(()),
            Followed::Changed => {
                tracing::info!(schedule = %due.schedule, host = due.host, "a calendar has changed a schedule");
                Ok(())
            }
            Followed::Unusable(why) => self.fail(connection, due, &why, now).await,
        }
    }

    async fn fail(
        &self,
        connection: &mut Connection,
        due: &DueSubscription,
        error: &str,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        tracing::info!(schedule = %due.schedule, host = due.host, error, "a calendar cannot be followed");
        connection
            .transaction(async |connection| {
                let failing = oncall::note_failure(connection, due, error, now + EVERY, now).await?;
                match failing.filter(|failing| is_to_be_told(failing, now)).filter(|_| self.mails) {
                    Some(failing) => self.tell(connection, due, error, failing.since, now).await,
                    None => Ok(()),
                }
            })
            .await
    }

    /// Tells the team's managers, if it has any, in the transaction that notes it.
    async fn tell(
        &self,
        connection: &mut Connection,
        due: &DueSubscription,
        error: &str,
        since: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let listeners = oncall::handoff_listeners(connection).await?;
        let of_team = listeners.get(&due.team).into_iter().flat_map(|team| team.values());
        let managers: Vec<_> = of_team.filter(|one| one.manages).collect();
        if managers.is_empty() {
            return Ok(());
        }
        oncall::note_told(connection, due.schedule, now).await?;
        let link = self.links.schedule(due.schedule);
        for manager in managers {
            let text = text(due, error, since, manager);
            tell_of_shifts(connection, &manager.person.email, &text, &link, now + PAUSE, now).await?;
        }
        Ok(())
    }

    /// Follows until the soft stop.
    pub async fn run(self, shutdown: Shutdown) {
        let may_go_on = || !shutdown.soft.is_cancelled();
        every(POLL, &shutdown, "calendars to fetch", || self.fetch_while(&may_go_on)).await;
    }
}

fn is_to_be_told(failing: &Failing, now: DateTime<Utc>) -> bool {
    now - failing.since >= PATIENCE && failing.told_at.is_none_or(|told| now - told >= PAUSE)
}

/// A mail cuts it to what fits.
fn text(due: &DueSubscription, error: &str, since: DateTime<Utc>, manager: &Listener) -> String {
    let zone: Tz = manager.person.time_zone.parse().unwrap_or(Tz::UTC);
    let since = format!("{} ({})", time_in_words(since, zone), zone.name());
    format!(
        "The calendar that {} follows cannot be used since {since}, and what it said last counts: {error} ({})",
        due.name, due.host
    )
}
