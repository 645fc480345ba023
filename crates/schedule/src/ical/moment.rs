//! Dates, times and durations of a calendar.

use super::read::Property;
use super::zones::zone;
use crate::wall::{instant, instant_of_calendar};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;

/// A DATE or DATE-TIME.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    pub wall: NaiveDateTime,
    pub zone: Tz,
    /// A DATE: the midnight at which the day begins.
    pub whole_day: bool,
}

impl Moment {
    /// Reads one value of `property`. Without a zone of its own it is in `floating`.
    pub(super) fn read(property: &Property, value: &str, floating: Tz) -> Result<Self, String> {
        let value = value.trim();
        let own_zone = match property.parameter("TZID") {
            Some(name) => {
                Some(zone(name).ok_or_else(|| format!("{}: unknown zone `{name}`", property.name))?)
            }
            None => None,
        };
        let unreadable = || format!("{}: `{}` is no date and no time", property.name, shortened(value));
        if let Ok(day) = NaiveDate::parse_from_str(value, "%Y%m%d") {
            let wall = day.and_time(NaiveTime::MIN);
            return Ok(Self { wall, zone: own_zone.unwrap_or(floating), whole_day: true });
        }
        let (text, zone) = match value.strip_suffix('Z') {
            Some(text) => (text, Tz::UTC),
            None => (value, own_zone.unwrap_or(floating)),
        };
        let wall = NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%S").map_err(|_| unreadable())?;
        Ok(Self { wall, zone, whole_day: false })
    }

    pub(super) fn at(self) -> DateTime<Utc> {
        self.at_wall(self.wall)
    }

    /// The instant of another time on the same clock.
    pub(super) fn at_wall(self, wall: NaiveDateTime) -> DateTime<Utc> {
        // A day begins when the clock first shows it, even where midnight is skipped.
        if self.whole_day { instant(self.zone, wall) } else { instant_of_calendar(self.zone, wall) }
    }
}

/// How long an event takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Length {
    /// By the clock, so that a day is one whatever the clock does meanwhile.
    pub nominal: TimeDelta,
    /// After that, in real time.
    pub exact: TimeDelta,
}

impl Length {
    /// From `start` to `end`. By the clock when both are on the same: the standard asks for the exact time, but a
    /// shift that ends when the next begins must do so on the days when clocks change too (Grafana OnCall #5455),
    /// and that is what calendars show.
    pub(super) fn between(start: Moment, end: Moment) -> Self {
        if start.zone == end.zone {
            Self { nominal: end.wall - start.wall, exact: TimeDelta::zero() }
        } else {
            Self { nominal: TimeDelta::zero(), exact: end.at() - start.at() }
        }
    }

    /// Reads a DURATION, such as `P7D` or `PT8H30M`: weeks and days are by the clock.
    pub(super) fn read(text: &str) -> Option<Self> {
        let text = text.trim().trim_start_matches('+').strip_prefix('P')?;
        let (days, times) = text.split_once('T').unwrap_or((text, ""));
        let nominal = sum(days, &[('W', 7 * 86_400), ('D', 86_400)])?;
        let exact = sum(times, &[('H', 3_600), ('M', 60), ('S', 1)])?;
        Some(Self { nominal, exact })
    }

    pub(super) fn total(self) -> TimeDelta {
        self.nominal.checked_add(&self.exact).unwrap_or(TimeDelta::MAX)
    }

    /// When an event on the clock of `start` that begins at `wall` ends.
    pub(super) fn end(self, start: Moment, wall: NaiveDateTime) -> Option<DateTime<Utc>> {
        start.at_wall(wall.checked_add_signed(self.nominal)?).checked_add_signed(self.exact)
    }
}

fn sum(mut text: &str, units: &[(char, i64)]) -> Option<TimeDelta> {
    let mut seconds = 0_i64;
    while !text.is_empty() {
        let (number, rest) = text.split_at_checked(text.find(|c: char| !c.is_ascii_digit())?)?;
        let unit = rest.chars().next()?;
        let (_, size) = units.iter().find(|(name, _)| *name == unit)?;
        seconds = seconds.checked_add(number.parse::<i64>().ok()?.checked_mul(*size)?)?;
        text = rest.strip_prefix(unit)?;
    }
    TimeDelta::try_seconds(seconds)
}

/// As much of something foreign as a message should repeat.
pub(super) fn shortened(text: &str) -> String {
    text.chars().take(64).collect()
}
