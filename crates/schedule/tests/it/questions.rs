//! What can be asked.

use crate::build::{always, at, exception, on_call, schedule, simple, user, wall};
use bugle_schedule::RotationUnit::{Daily, Hourly, Monthly, Weekly};
use bugle_schedule::limits::MAX_RANGE_DAYS;
use bugle_schedule::{OverrideKind, Source, double_bookings};
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;

#[test]
fn whoever_is_on_call_comes_on_call_again_later() {
    let schedule = simple(Tz::UTC, Weekly, 1, "2024-01-01T00:00", 3);
    let next = schedule.next_for(user(1), at("2024-01-02T00:00Z")).unwrap();
    assert_eq!((next.start, next.end), (at("2024-01-22T00:00Z"), at("2024-01-29T00:00Z")));
    assert_eq!(next.source, Source::Layer(0));
    let this = schedule.next_for(user(1), at("2024-01-01T00:00Z")).unwrap();
    assert_eq!(this.start, at("2024-01-01T00:00Z"));
    assert_eq!(schedule.next_for(user(8), at("2024-01-01T00:00Z")), None);
}

#[test]
fn a_shift_goes_on_whatever_it_passes_through() {
    let mut schedule = simple(Tz::UTC, Weekly, 1, "2024-01-01T00:00", 2);
    let alone = OverrideKind::Cover { who: user(2) };
    schedule.overrides.push(exception("2024-01-07T00:00Z", "2024-01-09T00:00Z", alone));
    let next = schedule.next_for(user(2), at("2024-01-02T00:00Z")).unwrap();
    assert_eq!((next.start, next.end), (at("2024-01-07T00:00Z"), at("2024-01-15T00:00Z")));
    assert_eq!(next.source, Source::Override(0));
}

#[test]
fn nothing_changes_where_one_person_is_always_on_call() {
    let schedule = schedule(Tz::UTC, vec![always(1)]);
    assert_eq!(schedule.next_handoff(at("2024-01-01T00:00Z")), None);
    assert_eq!(schedule.next_for(user(1), at("2024-01-01T00:00Z")), None);
}

#[test]
fn a_handoff_far_away_is_found() {
    let schedule = simple(Tz::UTC, Monthly, 100, "2024-01-01T00:00", 2);
    assert_eq!(schedule.next_handoff(at("2024-01-01T00:00Z")).unwrap().at, at("2032-05-01T00:00Z"));
}

#[test]
fn nobody_is_in_two_places_at_once() {
    let one = simple(Tz::UTC, Daily, 1, "2024-01-01T00:00", 2);
    let other = simple(Tz::UTC, Daily, 1, "2024-01-01T12:00", 2);
    let (from, to) = (at("2024-01-01T12:00Z"), at("2024-01-03T00:00Z"));
    let found = double_bookings(&[one.shifts(from, to), other.shifts(from, to), Vec::new()]);
    let told: Vec<_> = found.iter().map(|one| (one.who.0, one.start, one.end, one.calendars)).collect();
    assert_eq!(
        told,
        [
            (1, at("2024-01-01T12:00Z"), at("2024-01-02T00:00Z"), (0, 1)),
            (2, at("2024-01-02T12:00Z"), at("2024-01-03T00:00Z"), (0, 1)),
        ]
    );
    assert_eq!(double_bookings(&[one.shifts(from, to)]), []);
}

#[test]
fn the_ends_of_time_are_no_trap() {
    for start in [NaiveDateTime::MIN, NaiveDateTime::MAX, DateTime::UNIX_EPOCH.naive_utc()] {
        for unit in [Hourly, Daily, Weekly, Monthly] {
            let mut schedule = simple(Tz::America__New_York, unit, 1, "2024-01-01T00:00", 3);
            schedule.layers[0].rotation.start = start;
            for time in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC, at("2024-06-01T00:00Z")] {
                assert_eq!(schedule.on_call_at(time).len(), 1, "{unit:?} from {start} at {time}");
                let _ = schedule.handoffs(time, time);
            }
            let _ = schedule.next_handoff(DateTime::<Utc>::MAX_UTC);
            let _ = schedule.next_for(user(1), DateTime::<Utc>::MIN_UTC);
            let last_day = DateTime::<Utc>::MAX_UTC - TimeDelta::days(1);
            assert_eq!(schedule.shifts(last_day, DateTime::<Utc>::MAX_UTC), []);
        }
    }
}

#[test]
fn a_range_is_bounded_and_may_be_empty() {
    let schedule = simple(Tz::UTC, Daily, 1, "2024-01-01T00:00", 2);
    let from = at("2024-01-01T00:00Z");
    let shifts = schedule.shifts(from, DateTime::<Utc>::MAX_UTC);
    assert_eq!(shifts.last().unwrap().end, from + TimeDelta::days(MAX_RANGE_DAYS));
    assert_eq!(schedule.shifts(from, from), []);
    assert_eq!(schedule.shifts(from, from - TimeDelta::days(1)), []);
    assert_eq!(schedule.gaps(from, from, from), []);
}

/// Whichever midnight it starts at, three take turns of an hour each as on any other day.
#[test]
fn a_start_thousands_of_years_away_is_reckoned_from() {
    let mut schedule = simple(Tz::Europe__Berlin, Hourly, 1, "2024-01-01T00:00", 3);
    for start in [NaiveDateTime::MIN, wall("9990-01-01T00:00")] {
        schedule.layers[0].rotation.start = start;
        // Two o'clock in the summer.
        assert_eq!(on_call(&schedule, "2024-06-01T00:00Z"), [3], "from {start}");
        assert_eq!(on_call(&schedule, "2024-06-01T00:59Z"), [3], "from {start}");
        assert_eq!(on_call(&schedule, "2024-06-01T01:00Z"), [1], "from {start}");
    }
}
