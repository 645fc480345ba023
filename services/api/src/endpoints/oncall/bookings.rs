//! Who is asked for by two schedules of a team at once.

use crate::ApiError;
use bugle_model::{ScheduleId, UserId};
use bugle_schedule::double_bookings;
use bugle_store::oncall::{self, StoredSchedule};
use bugle_store::{Connection, Scope};
use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeSet;

/// How far the team's schedules are held against each other: each is reckoned for it.
const LONGEST: TimeDelta = TimeDelta::days(62);
/// How many are told.
const MOST: usize = 100;

/// A time in which somebody is on call by this schedule and by another one.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct DoubleBooking {
    /// When it begins.
    start: DateTime<Utc>,
    /// When it ends.
    end: DateTime<Utc>,
    /// Who.
    who: UserId,
    /// The other schedule.
    schedule: ScheduleId,
}

/// Those of a schedule's people within a time, in order of their beginning.
pub(super) async fn of(
    connection: &mut Connection,
    stored: &StoredSchedule,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<DoubleBooking>, ApiError> {
    let to = to.min(from + LONGEST);
    let own = stored.schedule.shifts(from, to);
    let people: BTreeSet<UserId> = own.iter().map(|shift| shift.who).collect();
    let team = Scope::Teams(vec![stored.team]);
    let mut found = Vec::new();
    for other in oncall::list_schedules(connection, &team, from).await? {
        if other.id == stored.id {
            continue;
        }
        let mut theirs = other.schedule.shifts(from, to);
        theirs.retain(|shift| people.contains(&shift.who));
        let booked = double_bookings(&[own.clone(), theirs]);
        found.extend(booked.into_iter().map(|one| DoubleBooking {
            start: one.start,
            end: one.end,
            who: one.who,
            schedule: other.id,
        }));
    }
    found.sort_by_key(|one| one.start);
    found.truncate(MOST);
    Ok(found)
}
