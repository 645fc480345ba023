//! Short ways to write schedules and times.

use bugle_model::UserId;
use bugle_schedule::{
    Layer, Override, OverrideKind, Restriction, Rotation, RotationUnit, Schedule, Shift, Weekday,
};
use chrono::{DateTime, NaiveDateTime, NaiveTime, Utc};
use chrono_tz::Tz;

/// `2024-10-29T05:00Z` or `2024-10-29T00:00-05:00`.
pub fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_str(&text.replace('Z', "+0000"), "%Y-%m-%dT%H:%M%z")
        .unwrap_or_else(|error| panic!("{text}: {error}"))
        .to_utc()
}

/// `2024-10-29T00:00`.
pub fn wall(text: &str) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").unwrap_or_else(|error| panic!("{text}: {error}"))
}

pub fn user(id: i32) -> UserId {
    UserId(id)
}

pub fn rotation(unit: RotationUnit, every: u16, start: &str) -> Rotation {
    Rotation { unit, every, start: wall(start), first: 0, count_only_allowed: false }
}

/// A layer with the participants 1 to `count`.
pub fn layer(rotation: Rotation, count: i32) -> Layer {
    let participants = (1..=count).map(|id| Some(user(id))).collect();
    Layer { rotation, participants, restrictions: Vec::new(), starts: None, ends: None }
}

/// A layer of one.
pub fn always(id: i32) -> Layer {
    Layer {
        participants: vec![Some(user(id))],
        ..layer(rotation(RotationUnit::Daily, 1, "2020-01-01T00:00"), 1)
    }
}

pub fn schedule(zone: Tz, layers: Vec<Layer>) -> Schedule {
    Schedule { zone, layers, overrides: Vec::new() }
}

pub fn simple(zone: Tz, unit: RotationUnit, every: u16, start: &str, count: i32) -> Schedule {
    schedule(zone, vec![layer(rotation(unit, every, start), count)])
}

pub fn exception(from: &str, to: &str, kind: OverrideKind) -> Override {
    Override { from: at(from), to: at(to), kind }
}

pub const WEEK: [Weekday; 7] =
    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

/// `09:00` to `17:00` on some days.
pub fn restriction(weekdays: &[Weekday], from: &str, to: &str) -> Restriction {
    let time = |text| NaiveTime::parse_from_str(text, "%H:%M").unwrap();
    Restriction { weekdays: weekdays.to_vec(), from: time(from), to: time(to) }
}

/// Who, from when to when, as text.
pub fn told(shifts: &[Shift]) -> Vec<String> {
    let time = |at: DateTime<Utc>| at.format("%m-%d %H:%M").to_string();
    shifts.iter().map(|shift| format!("{} {} – {}", shift.who, time(shift.start), time(shift.end))).collect()
}

/// The ids of those on call at a time.
pub fn on_call(schedule: &Schedule, time: &str) -> Vec<i32> {
    schedule.on_call_at(at(time)).iter().map(|one| one.who.0).collect()
}
