//! Between instants and what a zone's wall clock shows.

use chrono::{
    DateTime, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone, Utc,
};
use chrono_tz::{GapInfo, Tz};

/// Walls are held to wider bounds than instants, so that each instant has a wall, and a handoff after it.
const WALL_YEARS: (i32, i32) = (1, 9_999);
const INSTANT_YEARS: (i32, i32) = (2, 9_998);

fn january_first(year: i32) -> NaiveDateTime {
    NaiveDate::from_ymd_opt(year, 1, 1)
        .map_or(DateTime::UNIX_EPOCH.naive_utc(), |day| day.and_time(NaiveTime::MIN))
}

/// The latest wall that there is.
pub(crate) fn last_wall() -> NaiveDateTime {
    january_first(WALL_YEARS.1)
}

/// The earliest wall that there is.
pub(crate) fn first_wall() -> NaiveDateTime {
    january_first(WALL_YEARS.0)
}

/// The same instant, or the nearest within the years that can be reckoned with.
pub(crate) fn reckonable(at: DateTime<Utc>) -> DateTime<Utc> {
    at.clamp(january_first(INSTANT_YEARS.0).and_utc(), january_first(INSTANT_YEARS.1).and_utc())
}

/// What the clock of `zone` shows at `at`.
pub(crate) fn wall(zone: Tz, at: DateTime<Utc>) -> NaiveDateTime {
    let at = at.naive_utc();
    at + TimeDelta::seconds(i64::from(zone.offset_from_utc_datetime(&at).fix().local_minus_utc()))
}

/// The first instant at which the clock of `zone` shows `wall` or later.
pub(crate) fn instant(zone: Tz, wall: NaiveDateTime) -> DateTime<Utc> {
    let wall = wall.clamp(first_wall(), last_wall());
    match zone.from_local_datetime(&wall) {
        MappedLocalTime::Single(at) | MappedLocalTime::Ambiguous(at, _) => at.to_utc(),
        MappedLocalTime::None => after_gap(zone, wall),
    }
}

/// The instant that RFC 5545 (3.3.5) means by `wall`: a time that the clock skips is reckoned by the offset before,
/// so that half past two is half past three; of two, the first.
pub(crate) fn instant_of_calendar(zone: Tz, wall: NaiveDateTime) -> DateTime<Utc> {
    let before = GapInfo::new(&wall, &zone).and_then(|gap| gap.begin);
    match before {
        Some((_, offset)) => (wall - TimeDelta::seconds(i64::from(offset.fix().local_minus_utc()))).and_utc(),
        None => instant(zone, wall),
    }
}

fn after_gap(zone: Tz, wall: NaiveDateTime) -> DateTime<Utc> {
    let gap = GapInfo::new(&wall, &zone);
    let end = gap.as_ref().and_then(|gap| gap.end.map(|end| end.to_utc()));
    let before = gap.as_ref().and_then(|gap| {
        let (begin, offset) = gap.begin?;
        Some((begin - TimeDelta::seconds(i64::from(offset.fix().local_minus_utc()))).and_utc())
    });
    end.or(before).unwrap_or_else(|| wall.and_utc())
}
