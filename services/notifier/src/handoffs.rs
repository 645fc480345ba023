//! Tells people by mail when their shifts begin and end. Asked is the final calendar, with its overrides, at the moment at which it is told.
//!
//! What was told is a row, written in the transaction that puts the mail on its way, so any number of these may run and nobody is told twice. What
//! could not be told within an hour is not told any more: after an outage old news helps nobody.

use crate::account_mails::tell_of_shifts;
use crate::content::Links;
use crate::every::every;
use bugle_model::{Clock, UserId};
use bugle_runtime::Shutdown;
use bugle_schedule::limits::MAX_RANGE_DAYS;
use bugle_schedule::{Handoff, range_in_words, time_in_words};
use bugle_store::oncall::{self, BEFORE_HOURS, Colleague, HandoffKey, Listeners, StoredSchedule};
use bugle_store::{Connection, Store, StoreError, Transactions};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// How often it looks for what is due.
const POLL: Duration = Duration::from_secs(20);
/// How long a notice is worth telling.
const USEFUL: TimeDelta = TimeDelta::hours(1);
/// How long it is remembered what was told: for longer than it could be told again.
const REMEMBERED: TimeDelta = TimeDelta::days(2);

/// Tells of handoffs.
pub struct Handoffs {
    store: Store,
    clock: Arc<dyn Clock>,
    links: Links,
}

/// Something to be told now.
struct Notice {
    key: HandoffKey,
    recipient: String,
    text: String,
    expires_at: DateTime<Utc>,
}

impl Handoffs {
    /// Has not looked yet.
    #[must_use]
    pub fn new(store: Store, clock: Arc<dyn Clock>, links: Links) -> Self {
        Self { store, clock, links }
    }

    /// Puts what is due on its way. How many mails.
    ///
    /// # Errors
    /// When the database fails; what was told before stays told.
    pub async fn run_once(&self) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let mut connection = self.store.conn().await?;
        oncall::prune_handoffs(&mut connection, now - REMEMBERED).await?;
        let schedules = oncall::readable_schedules(&mut connection, now - USEFUL).await?;
        let listeners = oncall::handoff_listeners(&mut connection).await?;
        let told = oncall::told_handoffs(&mut connection, now - USEFUL).await?;
        let mut sent = 0;
        for schedule in &schedules {
            let Some(listeners) = listeners.get(&schedule.team) else { continue };
            for notice in due(schedule, listeners, &told, now) {
                sent += usize::from(self.tell(&mut connection, &notice, now).await?);
            }
        }
        Ok(sent)
    }

    async fn tell(
        &self,
        connection: &mut Connection,
        notice: &Notice,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let link = self.links.schedule(notice.key.schedule);
        connection
            .transaction(async |connection| {
                if !oncall::note_handoff(connection, &notice.key, now).await? {
                    return Ok(false);
                }
                let Notice { recipient, text, expires_at, .. } = notice;
                tell_of_shifts(connection, recipient, text, &link, *expires_at, now).await?;
                Ok(true)
            })
            .await
    }

    /// Tells until the soft stop.
    pub async fn run(self, shutdown: Shutdown) {
        every(POLL, &shutdown, "handoffs", || self.run_once()).await;
    }
}

/// What of a schedule is due and was not told.
fn due(
    stored: &StoredSchedule,
    listeners: &Listeners,
    told: &BTreeSet<HandoffKey>,
    now: DateTime<Utc>,
) -> Vec<Notice> {
    let ahead = TimeDelta::hours(i64::from(BEFORE_HOURS.into_iter().max().unwrap_or_default()));
    // Its end is not part of a range.
    let handoffs = stored.schedule.handoffs(now - USEFUL, now + ahead + TimeDelta::nanoseconds(1));
    let mut notices = Vec::new();
    for handoff in &handoffs {
        for (person, key) in wanted(stored, handoff, listeners) {
            let due_at = key.handoff_at - TimeDelta::hours(i64::from(key.before_hours));
            if due_at > now || due_at + USEFUL <= now || told.contains(&key) {
                continue;
            }
            let text = if key.goes_off {
                goes_off_text(stored, person, handoff, listeners)
            } else {
                comes_on_text(stored, person, &key)
            };
            notices.push(Notice { key, recipient: person.email.clone(), text, expires_at: due_at + USEFUL });
        }
    }
    notices
}

/// All that anybody wants to be told of a handoff, whenever.
fn wanted<'a>(
    stored: &StoredSchedule,
    handoff: &Handoff,
    listeners: &'a Listeners,
) -> Vec<(&'a Colleague, HandoffKey)> {
    let key = |user, goes_off, before_hours| HandoffKey {
        schedule: stored.id,
        user,
        handoff_at: handoff.at,
        goes_off,
        before_hours,
    };
    let mut wanted = Vec::new();
    for who in handoff.after.difference(&handoff.before) {
        let Some(one) = listeners.get(who) else { continue };
        wanted.extend(one.settings.before_hours.iter().map(|hours| (&one.person, key(*who, false, *hours))));
    }
    for who in handoff.before.difference(&handoff.after) {
        let one = listeners.get(who).filter(|one| one.settings.going_off);
        wanted.extend(one.map(|one| (&one.person, key(*who, true, 0))));
    }
    wanted
}

fn comes_on_text(stored: &StoredSchedule, person: &Colleague, key: &HandoffKey) -> String {
    let (zone, at) = (zone_of(person), key.handoff_at);
    let end = stored.schedule.next_for(person.id, at).map(|shift| shift.end);
    let when = match end.filter(|end| *end - at < TimeDelta::days(MAX_RANGE_DAYS)) {
        Some(end) => range_in_words(at, end, zone),
        None => format!("from {} ({}) on", time_in_words(at, zone), zone.name()),
    };
    match key.before_hours {
        0 => format!("You are on call for {} {when}", stored.name),
        1 => format!("In an hour you are on call for {} {when}", stored.name),
        hours => format!("In {hours} hours you are on call for {} {when}", stored.name),
    }
}

fn goes_off_text(
    stored: &StoredSchedule,
    person: &Colleague,
    handoff: &Handoff,
    listeners: &Listeners,
) -> String {
    let zone = zone_of(person);
    let at = time_in_words(handoff.at, zone);
    let name = |who: &UserId| listeners.get(who).map(|other| other.person.name.as_str());
    let next: Vec<&str> = handoff.after.iter().filter_map(name).collect();
    let next = match next.as_slice() {
        [] => "nobody is on call now".to_owned(),
        [one] => format!("{one} is on call now"),
        several => format!("{} are on call now", several.join(", ")),
    };
    format!("Your shift for {} has ended at {at} ({}): {next}", stored.name, zone.name())
}

fn zone_of(person: &Colleague) -> Tz {
    person.time_zone.parse().unwrap_or(Tz::UTC)
}
