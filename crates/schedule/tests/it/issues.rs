//! Mistakes that other schedulers have made, one test each.

use crate::build::{
    always, at, exception, layer, on_call, restriction, rotation, schedule, simple, told, user, wall,
};
use bugle_schedule::RotationUnit::{Daily, Monthly, Weekly};
use bugle_schedule::{OverrideKind, Schedule, Weekday};
use chrono::{Datelike, TimeDelta};
use chrono_tz::Tz;

const CHICAGO: Tz = Tz::America__Chicago;
const WORKDAYS: [Weekday; 5] = [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri];

#[test]
fn a_week_over_a_change_of_the_clock_has_neither_gap_nor_overlap_grafana_5247_5266() {
    let schedule = simple(CHICAGO, Weekly, 1, "2024-10-01T00:00", 3);
    let starts: Vec<_> = schedule
        .handoffs(at("2024-10-29T00:00Z"), at("2024-11-06T00:00Z"))
        .iter()
        .map(|one| one.at)
        .collect();
    assert_eq!(starts, [at("2024-10-29T05:00Z"), at("2024-11-05T06:00Z")]);
    let starts: Vec<_> = schedule
        .handoffs(at("2025-03-04T00:00Z"), at("2025-03-12T00:00Z"))
        .iter()
        .map(|one| one.at)
        .collect();
    assert_eq!(starts, [at("2025-03-04T06:00Z"), at("2025-03-11T05:00Z")]);
}

#[test]
fn a_day_is_as_long_as_the_clock_makes_it_grafana_5455() {
    let schedule = simple(Tz::Europe__Berlin, Daily, 1, "2025-01-01T09:00", 2);
    let lengths: Vec<_> = schedule
        .handoffs(at("2025-03-28T00:00Z"), at("2025-04-01T00:00Z"))
        .windows(2)
        .map(|pair| (pair[1].at - pair[0].at).num_hours())
        .collect();
    assert_eq!(lengths, [24, 23, 24]);
}

#[test]
fn a_rotation_from_before_a_change_keeps_its_time_grafana_3261_4103() {
    let schedule = simple(Tz::Europe__London, Weekly, 1, "2023-01-02T10:00", 4);
    let next = schedule.next_handoff(at("2023-07-01T00:00Z")).unwrap();
    assert_eq!(next.at, at("2023-07-03T10:00+01:00"));
    assert_eq!(schedule.gaps(at("2023-03-01T00:00Z"), at("2023-11-30T00:00Z"), at("2023-01-01T00:00Z")), []);
}

#[test]
fn daily_turns_on_some_weekdays_are_one_persons_each_in_any_zone_grafana_4197() {
    let mut layer = layer(rotation(Daily, 1, "2024-04-01T00:00"), 3);
    layer.restrictions = vec![restriction(&WORKDAYS, "00:00", "00:00")];
    let schedule = schedule(Tz::Asia__Tokyo, vec![layer]);
    assert_eq!(
        told(&schedule.shifts(at("2024-03-31T15:00Z"), at("2024-04-07T15:00Z"))),
        [
            "1 03-31 15:00 – 04-01 15:00",
            "2 04-01 15:00 – 04-02 15:00",
            "3 04-02 15:00 – 04-03 15:00",
            "1 04-03 15:00 – 04-04 15:00",
            "2 04-04 15:00 – 04-05 15:00",
        ]
    );
}

#[test]
fn seven_days_are_seven_days_grafana_4208() {
    let by_days = simple(CHICAGO, Daily, 7, "2024-01-01T09:00", 3);
    let by_weeks = simple(CHICAGO, Weekly, 1, "2024-01-01T09:00", 3);
    let (from, to) = (at("2024-01-01T00:00Z"), at("2025-01-01T00:00Z"));
    assert_eq!(by_days.shifts(from, to), by_weeks.shifts(from, to));
    assert_eq!(by_days.gaps(from, to, from), []);
}

#[test]
fn who_is_next_counts_overrides_grafana_4755() {
    let mut schedule = simple(Tz::UTC, Weekly, 1, "2024-01-01T09:00", 3);
    let now = at("2024-01-03T00:00Z");
    assert_eq!(schedule.next_for(user(2), now).unwrap().start, at("2024-01-08T09:00Z"));
    let swap = OverrideKind::Replace { who: user(3), replaced: user(2) };
    schedule.overrides.push(exception("2024-01-08T09:00Z", "2024-01-10T09:00Z", swap));
    assert_eq!(schedule.next_for(user(2), now).unwrap().start, at("2024-01-10T09:00Z"));
    assert_eq!(schedule.next_for(user(3), now).unwrap().start, at("2024-01-08T09:00Z"));
    assert_eq!(schedule.next_handoff(now).unwrap().after, [user(3)].into());
}

#[test]
fn no_gap_is_told_of_that_is_over_grafana_1108() {
    let mut layer = always(1);
    layer.starts = Some(at("2024-01-10T00:00Z"));
    let schedule = schedule(Tz::UTC, vec![layer]);
    let (from, to) = (at("2024-01-01T00:00Z"), at("2024-02-01T00:00Z"));
    assert_eq!(schedule.gaps(from, to, at("2024-01-15T00:00Z")), []);
    let left = schedule.gaps(from, to, at("2024-01-09T00:00Z"));
    assert_eq!(left.len(), 1);
    assert_eq!((left[0].start, left[0].end), (at("2024-01-09T00:00Z"), at("2024-01-10T00:00Z")));
}

#[test]
fn only_allowed_days_count_oneuptime_2413() {
    let mut layer = layer(rotation(Daily, 1, "2024-04-01T00:00"), 3);
    layer.restrictions = vec![restriction(&WORKDAYS, "09:00", "17:00")];
    layer.rotation.count_only_allowed = true;
    let schedule = schedule(CHICAGO, vec![layer]);
    let of_day = |day: &str| on_call(&schedule, &format!("{day}T12:00-05:00"));
    assert_eq!(
        ["2024-04-04", "2024-04-05", "2024-04-06", "2024-04-07", "2024-04-08", "2024-04-09"].map(of_day),
        [vec![1], vec![2], vec![], vec![], vec![3], vec![1]]
    );
}

#[test]
fn counting_all_days_is_the_default_and_gives_one_after_the_weekend_another_turn() {
    let mut layer = layer(rotation(Daily, 1, "2024-04-01T00:00"), 3);
    layer.restrictions = vec![restriction(&WORKDAYS, "09:00", "17:00")];
    let schedule = schedule(CHICAGO, vec![layer]);
    assert_eq!(on_call(&schedule, "2024-04-05T12:00-05:00"), [2]);
    assert_eq!(on_call(&schedule, "2024-04-08T12:00-05:00"), [2]);
}

#[test]
fn some_weekdays_of_every_other_week_until_an_end_grafana_5064_4638() {
    let mut layer = layer(rotation(Weekly, 2, "2024-01-01T00:00"), 2);
    layer.restrictions = vec![restriction(&[Weekday::Tue, Weekday::Thu], "08:00", "20:00")];
    layer.ends = Some(at("2024-01-18T12:00Z"));
    let schedule = schedule(Tz::UTC, vec![layer]);
    assert_eq!(
        told(&schedule.shifts(at("2024-01-01T00:00Z"), at("2024-03-01T00:00Z"))),
        [
            "1 01-02 08:00 – 01-02 20:00",
            "1 01-04 08:00 – 01-04 20:00",
            "1 01-09 08:00 – 01-09 20:00",
            "1 01-11 08:00 – 01-11 20:00",
            "2 01-16 08:00 – 01-16 20:00",
            "2 01-18 08:00 – 01-18 12:00",
        ]
    );
}

#[test]
fn a_masked_month_is_one_persons_grafana_4660() {
    let mut layer = layer(rotation(Monthly, 1, "2024-01-01T00:00"), 2);
    layer.restrictions = vec![restriction(&[Weekday::Mon], "00:00", "00:00")];
    let schedule = schedule(Tz::UTC, vec![layer]);
    let people: Vec<_> = schedule
        .shifts(at("2024-01-01T00:00Z"), at("2024-03-01T00:00Z"))
        .iter()
        .map(|shift| (shift.start.month(), shift.who.0))
        .collect();
    assert_eq!(people.iter().filter(|one| **one == (1, 1)).count(), 5);
    assert_eq!(people.iter().filter(|one| **one == (2, 2)).count(), 4);
    assert_eq!(people.len(), 9);
}

#[test]
fn a_form_that_is_saved_again_moves_nothing_grafana_3576_4183_4428_4509() {
    let schedule = simple(Tz::Asia__Kolkata, Daily, 1, "2024-01-01T09:15", 2);
    let mut again: Schedule = schedule.clone();
    for _ in 0..5 {
        again = serde_json::from_str(&serde_json::to_string(&again).unwrap()).unwrap();
    }
    assert_eq!(again, schedule);
    assert_eq!(again.layers[0].rotation.start, wall("2024-01-01T09:15"));
}

#[test]
fn a_swap_is_the_same_instant_in_every_zone_grafana_4688() {
    let text =
        r#"{"from":"2024-01-08T10:00:00+01:00","to":"2024-01-08T12:00:00-06:00","kind":"add","who":5}"#;
    let swap = serde_json::from_str(text).unwrap();
    assert_eq!(exception("2024-01-08T09:00Z", "2024-01-08T18:00Z", OverrideKind::Add { who: user(5) }), swap);
}

#[test]
fn seconds_and_less_of_a_start_are_dropped_grafana_5196() {
    let text = r#"{"unit":"daily","every":1,"start":"2024-01-01T09:00:59.123456"}"#;
    let read: bugle_schedule::Rotation = serde_json::from_str(text).unwrap();
    assert_eq!(read, rotation(Daily, 1, "2024-01-01T09:00"));
    let mut by_hand = simple(Tz::UTC, Daily, 1, "2024-01-01T09:00", 2);
    by_hand.layers[0].rotation.start += TimeDelta::microseconds(59_123_456);
    assert_eq!(by_hand.next_handoff(at("2024-01-01T10:00Z")).unwrap().at, at("2024-01-02T09:00Z"));
}

#[test]
fn each_handoff_is_told_once_grafana_2080() {
    let schedule = simple(CHICAGO, Daily, 1, "2024-10-30T01:30", 2);
    let mut now = at("2024-10-30T00:00Z");
    let mut seen = Vec::new();
    while let Some(next) = schedule.next_handoff(now).filter(|next| next.at < at("2024-11-08T00:00Z")) {
        seen.push(next.at);
        now = next.at;
    }
    let listed: Vec<_> = schedule
        .handoffs(at("2024-10-30T00:00Z"), at("2024-11-08T00:00Z"))
        .iter()
        .map(|one| one.at)
        .collect();
    assert_eq!(seen, listed);
    assert_eq!(seen.len(), 9);
}

#[test]
fn a_shift_that_ends_is_handed_over_at_once_and_ranges_are_half_open() {
    let schedule = simple(Tz::UTC, Daily, 1, "2024-01-01T00:00", 2);
    assert_eq!(schedule.handoffs(at("2024-01-02T00:00Z"), at("2024-01-03T00:00Z")).len(), 1);
    let shifts = schedule.shifts(at("2024-01-02T00:00Z"), at("2024-01-03T00:00Z"));
    assert_eq!(told(&shifts), ["2 01-02 00:00 – 01-03 00:00"]);
}

#[test]
fn deleting_whoever_has_the_turn_gives_it_to_the_next_goalert_2375() {
    let schedule = simple(Tz::UTC, Daily, 1, "2024-01-01T00:00", 4);
    let now = at("2024-01-02T12:00Z");
    assert_eq!(on_call(&schedule, "2024-01-02T12:00Z"), [2]);
    let people = |ids: &[i32]| ids.iter().map(|id| Some(user(*id))).collect::<Vec<_>>();
    let without = schedule.with_participants(0, people(&[1, 3, 4]), now);
    let days = ["2024-01-02T12:00Z", "2024-01-03T12:00Z", "2024-01-04T12:00Z", "2024-01-05T12:00Z"];
    assert_eq!(days.map(|day| on_call(&without, day)), [[3], [4], [1], [3]]);
    let without_another = schedule.with_participants(0, people(&[2, 3, 4]), now);
    assert_eq!(days.map(|day| on_call(&without_another, day)), [[2], [3], [4], [2]]);
}

#[test]
fn an_empty_slot_is_a_turn_of_nobodys_goalert_3049() {
    let mut layer = layer(rotation(Daily, 1, "2024-01-01T00:00"), 2);
    layer.participants.push(None);
    let below = schedule(Tz::UTC, vec![always(9), layer.clone()]);
    let alone = schedule(Tz::UTC, vec![layer]);
    assert_eq!(on_call(&alone, "2024-01-03T12:00Z"), [0_i32; 0]);
    assert_eq!(on_call(&below, "2024-01-03T12:00Z"), [9]);
    assert_eq!(on_call(&below, "2024-01-04T12:00Z"), [1]);
}

#[test]
fn people_who_join_later_are_a_layer_that_starts_later_goalert_2196() {
    let now = layer(rotation(Daily, 1, "2024-01-01T00:00"), 2);
    let mut later = layer(rotation(Daily, 1, "2024-01-01T00:00"), 3);
    later.starts = Some(at("2024-02-01T00:00Z"));
    let schedule = schedule(Tz::UTC, vec![now, later]);
    assert!(schedule.next_for(user(3), at("2024-01-01T00:00Z")).unwrap().start >= at("2024-02-01T00:00Z"));
}

#[test]
fn the_last_day_of_a_month_does_not_drift_alertmanager_5447() {
    let schedule = simple(CHICAGO, Monthly, 1, "2024-01-31T09:00", 2);
    let days: Vec<_> = schedule
        .handoffs(at("2024-01-01T00:00Z"), at("2025-01-01T00:00Z"))
        .iter()
        .map(|one| one.at.with_timezone(&CHICAGO).format("%m-%d %H:%M").to_string())
        .collect();
    assert_eq!(
        days,
        [
            "01-31 09:00",
            "02-29 09:00",
            "03-31 09:00",
            "04-30 09:00",
            "05-31 09:00",
            "06-30 09:00",
            "07-31 09:00",
            "08-31 09:00",
            "09-30 09:00",
            "10-31 09:00",
            "11-30 09:00",
            "12-31 09:00",
        ]
    );
}

#[test]
fn the_next_five_turns_show_what_was_entered_healthchecks_984() {
    let schedule = simple(Tz::Europe__Berlin, Daily, 1, "2025-10-25T02:30", 2);
    let mut now = at("2025-10-24T12:00Z");
    let mut next = || {
        now = schedule.next_handoff(now).unwrap().at;
        now.with_timezone(&Tz::Europe__Berlin).format("%d. %H:%M %z").to_string()
    };
    let five: Vec<_> = (0..5).map(|_| next()).collect();
    assert_eq!(
        five,
        ["25. 02:30 +0200", "26. 02:30 +0200", "27. 02:30 +0100", "28. 02:30 +0100", "29. 02:30 +0100"]
    );
}
