//! When what can wait is told: by the wall clock of whom it is told to.

use crate::wall::{instant, wall};
use chrono::{DateTime, NaiveTime, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;

/// The hour of the day at which daily digests are told.
const MORNING: u32 = 9;

/// The first full hour of the clock of `zone` after `at`.
#[must_use]
pub fn next_full_hour(zone: Tz, at: DateTime<Utc>) -> DateTime<Utc> {
    let wall = wall(zone, at);
    let hour = wall.date().and_time(NaiveTime::MIN) + TimeDelta::hours(wall.hour().into());
    instant(zone, hour + TimeDelta::hours(1))
}

/// The first nine o'clock in the morning of the clock of `zone` after `at`.
#[must_use]
pub fn next_morning(zone: Tz, at: DateTime<Utc>) -> DateTime<Utc> {
    let wall = wall(zone, at);
    let days = i64::from(wall.hour() >= MORNING);
    let midnight = wall.date().and_time(NaiveTime::MIN) + TimeDelta::days(days);
    instant(zone, midnight + TimeDelta::hours(MORNING.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::{Asia::Kolkata, Europe::Vienna};

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_full_hour_is_one_of_the_persons_clock_and_later() {
        for (zone, from, to) in [
            (Vienna, "2026-11-20T12:00:00Z", "2026-11-20T13:00:00Z"),
            (Vienna, "2026-11-20T12:59:59Z", "2026-11-20T13:00:00Z"),
            (Kolkata, "2026-11-20T12:00:00Z", "2026-11-20T12:30:00Z"),
            (Vienna, "2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z"),
            (Vienna, "2026-10-25T01:30:00Z", "2026-10-25T02:00:00Z"),
        ] {
            assert_eq!(next_full_hour(zone, at(from)), at(to), "{from}");
        }
    }

    #[test]
    fn a_morning_is_at_nine_whatever_the_clock_did_at_night() {
        for (zone, from, to) in [
            (Vienna, "2026-11-20T07:59:59Z", "2026-11-20T08:00:00Z"),
            (Vienna, "2026-11-20T08:00:00Z", "2026-11-21T08:00:00Z"),
            (Vienna, "2026-03-28T12:00:00Z", "2026-03-29T07:00:00Z"),
            (Vienna, "2026-10-24T12:00:00Z", "2026-10-25T08:00:00Z"),
            (Kolkata, "2026-11-20T12:00:00Z", "2026-11-21T03:30:00Z"),
        ] {
            assert_eq!(next_morning(zone, at(from)), at(to), "{from}");
        }
    }
}
