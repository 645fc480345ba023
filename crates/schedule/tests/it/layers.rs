//! Layers on top of each other, and restrictions.

use crate::build::{WEEK, always, at, on_call, restriction, schedule, simple, told, user};
use bugle_schedule::RotationUnit::{Daily, Hourly, Monthly, Weekly};
use bugle_schedule::{Source, Weekday};
use chrono::TimeDelta;
use chrono_tz::Tz;

#[test]
fn the_later_layer_wins_where_it_has_somebody() {
    let mut days = always(2);
    days.restrictions = vec![restriction(&WEEK, "09:00", "17:00")];
    let mut lunch = always(3);
    lunch.restrictions = vec![restriction(&WEEK, "12:00", "13:00")];
    let schedule = schedule(Tz::UTC, vec![always(1), days, lunch]);
    let shifts = schedule.shifts(at("2024-01-01T00:00Z"), at("2024-01-02T00:00Z"));
    assert_eq!(
        told(&shifts),
        [
            "1 01-01 00:00 – 01-01 09:00",
            "2 01-01 09:00 – 01-01 12:00",
            "3 01-01 12:00 – 01-01 13:00",
            "2 01-01 13:00 – 01-01 17:00",
            "1 01-01 17:00 – 01-02 00:00",
        ]
    );
    assert_eq!(shifts[2].source, Source::Layer(2));
}

#[test]
fn a_layer_begins_and_ends() {
    let mut above = always(2);
    above.starts = Some(at("2024-01-01T06:00Z"));
    above.ends = Some(at("2024-01-01T18:00Z"));
    let schedule = schedule(Tz::UTC, vec![always(1), above]);
    let times = ["2024-01-01T05:59Z", "2024-01-01T06:00Z", "2024-01-01T17:59Z", "2024-01-01T18:00Z"];
    assert_eq!(times.map(|time| on_call(&schedule, time)), [[1], [2], [2], [1]]);
}

#[test]
fn a_night_belongs_to_the_day_on_which_it_begins() {
    let mut layer = always(1);
    layer.restrictions = vec![restriction(&[Weekday::Fri], "22:00", "06:00")];
    let schedule = schedule(Tz::Europe__Berlin, vec![layer]);
    let shifts = schedule.shifts(at("2024-01-01T00:00Z"), at("2024-01-08T00:00Z"));
    assert_eq!(told(&shifts), ["1 01-05 21:00 – 01-06 05:00"]);
}

#[test]
fn equal_times_are_twenty_four_hours() {
    let mut layer = always(1);
    layer.restrictions = vec![restriction(&[Weekday::Sat], "09:00", "09:00")];
    let schedule = schedule(Tz::UTC, vec![layer]);
    let shifts = schedule.shifts(at("2024-01-01T00:00Z"), at("2024-01-08T00:00Z"));
    assert_eq!(told(&shifts), ["1 01-06 09:00 – 01-07 09:00"]);
}

#[test]
fn restrictions_that_touch_or_overlap_are_one() {
    let mut layer = always(1);
    layer.restrictions = vec![
        restriction(&WEEK, "08:00", "12:00"),
        restriction(&WEEK, "12:00", "16:00"),
        restriction(&WEEK, "10:00", "14:00"),
    ];
    let schedule = schedule(Tz::UTC, vec![layer]);
    let shifts = schedule.shifts(at("2024-01-01T00:00Z"), at("2024-01-02T00:00Z"));
    assert_eq!(told(&shifts), ["1 01-01 08:00 – 01-01 16:00"]);
}

#[test]
fn a_night_is_shorter_or_longer_when_the_clock_changes_in_it() {
    let mut layer = always(1);
    layer.restrictions = vec![restriction(&WEEK, "22:00", "06:00")];
    let schedule = schedule(Tz::Europe__Berlin, vec![layer]);
    let hours = |from, to| {
        let shifts = schedule.shifts(at(from), at(to));
        shifts.iter().map(|shift| (shift.end - shift.start).num_hours()).collect::<Vec<_>>()
    };
    assert_eq!(hours("2025-03-29T12:00Z", "2025-03-31T12:00Z"), [7, 8]);
    assert_eq!(hours("2025-10-25T12:00Z", "2025-10-27T12:00Z"), [9, 8]);
}

#[test]
fn a_restriction_within_a_skipped_hour_allows_nothing_that_day() {
    let mut layer = always(1);
    layer.restrictions = vec![restriction(&WEEK, "02:00", "03:00")];
    let schedule = schedule(Tz::Europe__Berlin, vec![layer]);
    let shifts = schedule.shifts(at("2025-03-29T12:00Z"), at("2025-03-31T12:00Z"));
    assert_eq!(told(&shifts), ["1 03-31 00:00 – 03-31 01:00"]);
}

#[test]
fn a_midnight_that_is_skipped_begins_the_day_late() {
    // Midnight of 2018-11-04 was 01:00 at once.
    let schedule = simple(Tz::America__Sao_Paulo, Daily, 1, "2018-11-01T00:00", 3);
    let handoffs = schedule.handoffs(at("2018-11-03T12:00Z"), at("2018-11-06T00:00Z"));
    let times: Vec<_> = handoffs.iter().map(|one| one.at).collect();
    assert_eq!(times, [at("2018-11-04T03:00Z"), at("2018-11-05T02:00Z")]);
}

#[test]
fn a_day_that_is_skipped_is_nobodys() {
    // Samoa had no 2011-12-30.
    let schedule = simple(Tz::Pacific__Apia, Daily, 1, "2011-12-28T09:00", 5);
    let people: Vec<_> = schedule
        .shifts(at("2011-12-28T09:00-10:00"), at("2012-01-02T09:00+14:00"))
        .iter()
        .map(|shift| (shift.who.0, (shift.end - shift.start).num_hours()))
        .collect();
    assert_eq!(people, [(1, 24), (2, 15), (3, 9), (4, 24), (5, 24)]);
}

#[test]
fn a_zone_may_be_ahead_in_winter() {
    // Ireland's summer time is the standard one, Morocco leaves it for Ramadan.
    for (zone, from, to) in [
        (Tz::Europe__Dublin, "2024-03-30T09:00Z", "2024-03-31T08:00Z"),
        (Tz::Africa__Casablanca, "2024-03-09T08:00Z", "2024-03-10T09:00Z"),
        (Tz::Africa__Casablanca, "2024-04-13T09:00Z", "2024-04-14T08:00Z"),
    ] {
        let schedule = simple(zone, Daily, 1, "2024-01-01T09:00", 2);
        let handoffs = schedule.handoffs(at(from), at(to) + TimeDelta::minutes(1));
        let times: Vec<_> = handoffs.iter().map(|one| one.at).collect();
        assert_eq!(times, [at(from), at(to)], "{zone}");
    }
}

#[test]
fn a_rotation_has_no_beginning() {
    let schedule = simple(Tz::UTC, Weekly, 1, "2024-01-01T00:00", 3);
    assert_eq!(on_call(&schedule, "2023-12-31T12:00Z"), [3]);
    assert_eq!(on_call(&schedule, "2023-12-18T00:00Z"), [2]);
}

#[test]
fn somebody_else_may_be_the_first() {
    let mut schedule = simple(Tz::UTC, Monthly, 1, "2024-01-15T00:00", 3);
    schedule.layers[0].rotation.first = 2;
    assert_eq!(on_call(&schedule, "2024-01-15T00:00Z"), [3]);
    assert_eq!(on_call(&schedule, "2024-02-15T00:00Z"), [1]);
}

#[test]
fn the_same_person_in_a_row_is_one_shift() {
    let mut schedule = simple(Tz::UTC, Daily, 1, "2024-01-01T00:00", 2);
    schedule.layers[0].participants = vec![Some(user(1)), Some(user(1)), Some(user(2))];
    let shifts = schedule.shifts(at("2024-01-01T00:00Z"), at("2024-01-04T00:00Z"));
    assert_eq!(told(&shifts), ["1 01-01 00:00 – 01-03 00:00", "2 01-03 00:00 – 01-04 00:00"]);
    let alone = simple(Tz::UTC, Hourly, 1, "2024-01-01T00:00", 1);
    assert_eq!(alone.shifts(at("2024-01-01T00:00Z"), at("2027-01-01T00:00Z")).len(), 1);
}

#[test]
fn hours_of_a_day_that_is_repeated_do_not_hang_and_do_not_turn_back() {
    // Manila and Kwajalein have changed sides of the date line.
    for (zone, from, to) in [
        (Tz::Pacific__Kwajalein, "1993-08-18T00:00Z", "1993-08-24T00:00Z"),
        (Tz::America__Juneau, "1867-10-15T00:00Z", "1867-10-22T00:00Z"),
        (Tz::Asia__Manila, "1844-12-28T00:00Z", "1845-01-03T00:00Z"),
    ] {
        let schedule = simple(zone, Hourly, 1, "1993-08-01T00:00", 90);
        let shifts = schedule.shifts(at(from), at(to));
        assert!(shifts.windows(2).all(|pair| pair[0].end == pair[1].start), "{zone}");
        assert_eq!(schedule.gaps(at(from), at(to), at(from)), []);
    }
}

#[test]
fn a_turn_before_the_start_lasts_until_its_very_end() {
    for unit in [Hourly, Daily, Weekly, Monthly] {
        let schedule = simple(Tz::UTC, unit, 1, "2024-06-01T00:00", 2);
        let handoff = at("2024-06-01T00:00Z");
        let before = schedule.on_call_at(handoff - TimeDelta::seconds(2));
        assert_eq!(schedule.on_call_at(handoff - TimeDelta::nanoseconds(1)), before, "{unit:?}");
        assert_ne!(schedule.on_call_at(handoff), before, "{unit:?}");
    }
}
