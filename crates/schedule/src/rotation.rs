//! Rotations: when one participant hands over to the next.

use crate::wall::{first_wall, instant, last_wall, wall};
use crate::{minute, restriction::Week};
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a rotation counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RotationUnit {
    /// Hours of the wall clock: an hour that the clock skips is nobody's, one that it repeats is twice as long.
    Hourly,
    /// Days: the handoff is at the same time of day.
    Daily,
    /// Weeks: the handoff is on the same weekday and time of day.
    Weekly,
    /// Months: the handoff is on the same day of the month, or on the last day of a month that is too short.
    Monthly,
}

/// A cycle of turns, each `every` units long, without beginning and end: `start` only says where in it things are.
/// When a layer begins and ends is the layer's to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// What is counted.
    pub unit: RotationUnit,
    /// How many units a turn takes, 1 to [`MAX_EVERY`](crate::limits::MAX_EVERY); 0 is taken as 1.
    #[serde(default = "one")]
    pub every: u16,
    /// A handoff, on the wall clock of the schedule's zone, to the minute.
    #[serde(with = "minute::wall")]
    #[schemars(with = "String")]
    pub start: NaiveDateTime,
    /// The place in the list, from 0, of the participant whose turn begins at `start`.
    #[serde(default)]
    pub first: u16,
    /// Daily only: days on which no restriction of the layer begins are not counted, so that in a rotation within
    /// Monday to Friday the one after Friday's is Monday's (OneUptime #2413). The day is the one on which a turn
    /// would begin.
    #[serde(default)]
    pub count_only_allowed: bool,
}

const fn one() -> u16 {
    1
}

/// A turn: its number, counted from `start`, and its instants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Turn {
    pub number: i64,
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
}

/// A rotation in its zone, with the weekdays that count.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clockwork {
    zone: Tz,
    unit: RotationUnit,
    every: i64,
    start: NaiveDateTime,
    counted: Week,
}

impl Clockwork {
    pub(crate) fn new(rotation: &Rotation, zone: Tz, allowed: Week) -> Self {
        let only_allowed =
            rotation.count_only_allowed && rotation.unit == RotationUnit::Daily && !allowed.is_empty();
        Self {
            zone,
            unit: rotation.unit,
            every: i64::from(rotation.every.max(1)),
            start: minute::truncate(rotation.start).clamp(first_wall(), last_wall()),
            counted: if only_allowed { allowed } else { Week::ALL },
        }
    }

    /// The turn that `at` is in: `start <= at < end`.
    pub(crate) fn turn_at(&self, at: DateTime<Utc>) -> Turn {
        let mut number = self.number_on(wall(self.zone, at));
        // A clock that was put back shows times before handoffs that have been; by an hour as a rule, by a day at most.
        while self.begin(number + 1) <= at {
            number += 1;
        }
        self.turn(number)
    }

    /// The first turn after `turn` that takes any time: one that lies within an hour that is skipped takes none.
    pub(crate) fn next(&self, turn: Turn) -> Turn {
        let mut next = Turn { number: turn.number + 1, start: turn.end, end: self.begin(turn.number + 2) };
        // At the end of time all begin at once.
        while next.end <= next.start && next.end < instant(self.zone, last_wall()) {
            next = Turn { number: next.number + 1, start: next.end, end: self.begin(next.number + 2) };
        }
        next
    }

    fn turn(&self, number: i64) -> Turn {
        Turn { number, start: self.begin(number), end: self.begin(number + 1) }
    }

    fn begin(&self, number: i64) -> DateTime<Utc> {
        instant(self.zone, self.nominal(number))
    }

    /// What the clock would show when turn `number` begins, if it skipped nothing.
    fn nominal(&self, number: i64) -> NaiveDateTime {
        let end_of_time = if number < 0 { first_wall() } else { last_wall() };
        let units = number.saturating_mul(self.every);
        let moved = match self.unit {
            RotationUnit::Hourly => {
                TimeDelta::try_hours(units).and_then(|by| self.start.checked_add_signed(by))
            }
            RotationUnit::Daily => self.after_days(self.counted.nth(self.start.weekday(), units)),
            RotationUnit::Weekly => self.after_days(units.saturating_mul(7)),
            RotationUnit::Monthly => self.after_months(units),
        };
        moved.unwrap_or(end_of_time)
    }

    fn after_days(&self, days: i64) -> Option<NaiveDateTime> {
        self.start.checked_add_signed(TimeDelta::try_days(days)?)
    }

    /// Counted from `start` each time, so that a start on the 31st is on the 31st again after a short month.
    fn after_months(&self, months: i64) -> Option<NaiveDateTime> {
        let month = month_number(self.start).checked_add(months)?;
        let year = i32::try_from(month.div_euclid(12)).ok()?;
        let month = u32::try_from(month.rem_euclid(12)).ok()? + 1;
        let date = (28..=self.start.day().max(28))
            .rev()
            .find_map(|last| NaiveDate::from_ymd_opt(year, month, self.start.day().min(last)))?;
        Some(date.and_time(self.start.time()))
    }

    /// The last turn that begins at or before `wall`, as if the clock skipped and repeated nothing.
    fn number_on(&self, wall: NaiveDateTime) -> i64 {
        // Down to the second: a difference below zero would be rounded up.
        let since = (wall.with_nanosecond(0).unwrap_or(wall) - self.start).num_seconds();
        match self.unit {
            RotationUnit::Hourly => since.div_euclid(3_600 * self.every),
            RotationUnit::Daily => {
                let day = since.div_euclid(86_400);
                (self.counted.rank(self.start.weekday(), day + 1) - 1).div_euclid(self.every)
            }
            RotationUnit::Weekly => since.div_euclid(7 * 86_400 * self.every),
            RotationUnit::Monthly => {
                let number = (month_number(wall) - month_number(self.start)).div_euclid(self.every);
                if self.nominal(number) > wall { number - 1 } else { number }
            }
        }
    }
}

fn month_number(wall: NaiveDateTime) -> i64 {
    i64::from(wall.year()) * 12 + i64::from(wall.month0())
}
