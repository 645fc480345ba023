//! Tells a team's managers when somebody is missing within the next days: an override or whoever left the team leaves a gap that the layers do not
//! have. One mail a day for a schedule at most, and nothing about the past.

use crate::account_mails::tell_of_shifts;
use crate::content::Links;
use crate::every::every;
use bugle_model::{Clock, UserId};
use bugle_runtime::Shutdown;
use bugle_schedule::{Gap, range_in_words};
use bugle_store::oncall::{self, Listener, Listeners, StoredSchedule};
use bugle_store::{Connection, Store, StoreError, Transactions};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// How often it looks.
const POLL: Duration = Duration::from_secs(300);
/// How far ahead.
const AHEAD: TimeDelta = TimeDelta::days(7);
/// How long until the same schedule is told of again.
const PAUSE: TimeDelta = TimeDelta::days(1);

/// Tells of gaps.
pub struct Gaps {
    store: Store,
    clock: Arc<dyn Clock>,
    links: Links,
}

impl Gaps {
    /// Has not looked yet.
    #[must_use]
    pub fn new(store: Store, clock: Arc<dyn Clock>, links: Links) -> Self {
        Self { store, clock, links }
    }

    /// Puts what is due on its way. How many schedules were told of.
    ///
    /// # Errors
    /// When the database fails; what was told before stays told.
    pub async fn run_once(&self) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let mut connection = self.store.conn().await?;
        let schedules = oncall::readable_schedules(&mut connection, now).await?;
        let listeners = oncall::handoff_listeners(&mut connection).await?;
        let nobody = Listeners::new();
        let mut told = 0;
        for stored in &schedules {
            let listeners = listeners.get(&stored.team).unwrap_or(&nobody);
            let members: BTreeSet<UserId> = listeners.keys().copied().collect();
            let gaps = stored.schedule.missing(now, now + AHEAD, &members);
            let managers: Vec<_> = listeners.values().filter(|one| one.manages).collect();
            if let Some((first, others)) = gaps.split_first().filter(|_| !managers.is_empty()) {
                let gap = Missing { stored, first: *first, others: others.len() };
                told += usize::from(self.tell(&mut connection, &gap, &managers, now).await?);
            }
        }
        Ok(told)
    }

    async fn tell(
        &self,
        connection: &mut Connection,
        gap: &Missing<'_>,
        managers: &[&Listener],
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let link = self.links.schedule(gap.stored.id);
        connection
            .transaction(async |connection| {
                if !oncall::note_gap(connection, gap.stored.id, now - PAUSE, now).await? {
                    return Ok(false);
                }
                for manager in managers {
                    let text = gap.text(manager.person.time_zone.parse().unwrap_or(Tz::UTC));
                    tell_of_shifts(connection, &manager.person.email, &text, &link, gap.first.end, now)
                        .await?;
                }
                Ok(true)
            })
            .await
    }

    /// Tells until the soft stop.
    pub async fn run(self, shutdown: Shutdown) {
        every(POLL, &shutdown, "gaps of schedules", || self.run_once()).await;
    }
}

/// The first gap of a schedule, and how many others there are.
struct Missing<'a> {
    stored: &'a StoredSchedule,
    first: Gap,
    others: usize,
}

impl Missing<'_> {
    fn text(&self, zone: Tz) -> String {
        let Self { stored, first, others } = self;
        let when = range_in_words(first.start, first.end, zone);
        let more = match others {
            0 => String::new(),
            1 => ", and once more within 7 days".to_owned(),
            count => format!(", and {count} more times within 7 days"),
        };
        format!("Nobody is on call for {} {when}{more}", stored.name)
    }
}
