//! Restrictions: the parts of the week in which a layer has anybody.

use crate::minute;
use crate::wall::{instant, wall};
use chrono::{DateTime, Datelike, Days, NaiveTime, Utc};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

/// A time of day on some weekdays, on the wall clock of the schedule's zone. A layer with restrictions has somebody
/// only within one of them.
///
/// As in GoAlert: an end before the start is on the next day, an equal one makes 24 hours, and the weekday is that
/// of the start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Restriction {
    /// The days on which it begins; at least one.
    pub weekdays: Vec<Weekday>,
    /// When it begins, to the minute.
    #[serde(with = "minute::time")]
    #[schemars(with = "String")]
    pub from: NaiveTime,
    /// When it ends, to the minute.
    #[serde(with = "minute::time")]
    #[schemars(with = "String")]
    pub to: NaiveTime,
}

/// A half-open range of instants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Window {
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
}

/// When any of `restrictions` allows, within `from..to`: in order, apart from each other.
pub(crate) fn windows(
    zone: Tz,
    restrictions: &[Restriction],
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Vec<Window> {
    // What began the day before may last into the range; and a clock may have been put back, by a day at most: then
    // what has begun is of the next day by the clock.
    let first = wall(zone, from).date() - Days::new(2);
    let last = wall(zone, to).date() + Days::new(1);
    let mut found: Vec<Window> = first
        .iter_days()
        .take_while(|day| *day <= last)
        .flat_map(|day| {
            restrictions.iter().filter(move |restriction| restriction.begins_on(day.weekday())).map(
                move |restriction| {
                    let (begin, end) =
                        (minute::truncate_time(restriction.from), minute::truncate_time(restriction.to));
                    let end_day = if end > begin { day } else { day + Days::new(1) };
                    Window {
                        start: instant(zone, day.and_time(begin)).max(from),
                        end: instant(zone, end_day.and_time(end)).min(to),
                    }
                },
            )
        })
        .filter(|window| window.start < window.end)
        .collect();
    found.sort_unstable();
    found.dedup_by(|next, kept| {
        let joined = next.start <= kept.end;
        if joined {
            kept.end = kept.end.max(next.end);
        }
        joined
    });
    found
}

impl Restriction {
    fn begins_on(&self, day: chrono::Weekday) -> bool {
        self.weekdays.iter().any(|weekday| weekday.since_monday() == day.num_days_from_monday())
    }
}

impl Weekday {
    /// The days in order, from Monday on.
    pub const ALL: [Self; 7] = [Self::Mon, Self::Tue, Self::Wed, Self::Thu, Self::Fri, Self::Sat, Self::Sun];

    const fn since_monday(self) -> u32 {
        self as u32
    }
}

/// A set of weekdays, and counting by them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Week(u8);

impl Week {
    pub(crate) const ALL: Self = Self(0b111_1111);

    /// The days on which any of `restrictions` begins; all, when there are none.
    pub(crate) fn of(restrictions: &[Restriction]) -> Self {
        if restrictions.is_empty() {
            return Self::ALL;
        }
        let days = restrictions.iter().flat_map(|restriction| &restriction.weekdays);
        Self(days.fold(0, |set, day| set | 1 << day.since_monday()))
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the day `after` days after a `weekday` is in the set.
    fn has(self, weekday: chrono::Weekday, after: i64) -> bool {
        let day = (i64::from(weekday.num_days_from_monday()) + after).rem_euclid(7);
        self.0 & (1 << day) != 0
    }

    /// How many of the days `0..days` are in the set, day 0 being a `weekday`; negative when `days` is.
    pub(crate) fn rank(self, weekday: chrono::Weekday, days: i64) -> i64 {
        let whole = days.div_euclid(7) * i64::from(self.0.count_ones());
        let rest = (0..days.rem_euclid(7)).filter(|day| self.has(weekday, *day)).count();
        whole + i64::try_from(rest).unwrap_or(0)
    }

    /// The day, day 0 being a `weekday`, that is in the set and has `rank` before it.
    pub(crate) fn nth(self, weekday: chrono::Weekday, rank: i64) -> i64 {
        let per_week = i64::from(self.0.count_ones().max(1));
        let place = usize::try_from(rank.rem_euclid(per_week)).unwrap_or(0);
        let rest = (0..7).filter(|day| self.has(weekday, *day)).nth(place).unwrap_or(0);
        rank.div_euclid(per_week).saturating_mul(7).saturating_add(rest)
    }
}
