//! Changes that keep whoever has the turn.

use crate::build::{at, layer, on_call, rotation, schedule, simple, user};
use bugle_model::UserId;
use bugle_schedule::RotationUnit::{Daily, Monthly, Weekly};
use chrono_tz::Tz;

fn people(ids: &[i32]) -> Vec<Option<UserId>> {
    ids.iter().map(|id| (*id > 0).then_some(user(*id))).collect()
}

#[test]
fn a_new_zone_keeps_whoever_has_the_turn_and_the_time_of_day() {
    let schedule = simple(Tz::America__Los_Angeles, Daily, 1, "2024-01-01T09:00", 4);
    let now = at("2024-01-02T12:00Z");
    let before = schedule.on_call_at(now);
    let moved = schedule.with_zone(Tz::Asia__Tokyo, now);
    assert_eq!(moved.on_call_at(now), before);
    assert_eq!(moved.next_handoff(now).unwrap().at, at("2024-01-03T09:00+09:00"));
}

#[test]
fn handoffs_stay_when_people_come_and_go() {
    let schedule = simple(Tz::UTC, Monthly, 1, "2024-01-31T09:00", 3);
    let now = at("2024-03-05T00:00Z");
    let grown = schedule.with_participants(0, people(&[5, 1, 2, 3, 6]), now);
    assert_eq!(on_call(&grown, "2024-03-05T00:00Z"), on_call(&schedule, "2024-03-05T00:00Z"));
    assert_eq!(grown.next_handoff(now).unwrap().at, schedule.next_handoff(now).unwrap().at);
    assert_eq!(on_call(&grown, "2024-04-10T00:00Z"), [3]);
    assert_eq!(on_call(&grown, "2024-05-10T00:00Z"), [6]);
}

#[test]
fn another_length_of_turns_keeps_whoever_has_one() {
    let schedule = simple(Tz::UTC, Daily, 1, "2024-01-01T00:00", 5);
    let now = at("2024-01-04T10:00Z");
    let changed = layer(rotation(Weekly, 1, "2024-01-01T00:00"), 5);
    assert_eq!(on_call(&schedule.with_layer(0, changed, now), "2024-01-04T10:00Z"), [4]);
}

#[test]
fn one_of_several_places_of_a_person_stays_that_one() {
    let mut schedule = simple(Tz::UTC, Daily, 1, "2024-01-01T00:00", 1);
    schedule.layers[0].participants = people(&[1, 2, 1, 3]);
    let now = at("2024-01-03T12:00Z");
    let changed = schedule.with_participants(0, people(&[9, 1, 2, 1, 3]), now);
    let days = ["2024-01-03T12:00Z", "2024-01-04T12:00Z", "2024-01-05T12:00Z"];
    assert_eq!(days.map(|day| on_call(&changed, day)), [[1], [3], [9]]);
}

#[test]
fn nobody_is_no_heir() {
    let mut schedule = simple(Tz::UTC, Daily, 1, "2024-01-01T00:00", 1);
    schedule.layers[0].participants = people(&[1, 0, 2, 3]);
    let changed = schedule.with_participants(0, people(&[0, 2, 3]), at("2024-01-01T12:00Z"));
    assert_eq!(on_call(&changed, "2024-01-01T12:00Z"), [2]);
    assert_eq!(on_call(&changed, "2024-01-02T12:00Z"), [3]);
}

#[test]
fn what_leaves_nobody_known_is_taken_as_it_is() {
    let schedule = simple(Tz::UTC, Daily, 1, "2024-01-01T00:00", 2);
    let now = at("2024-01-02T12:00Z");
    assert_eq!(on_call(&schedule.with_participants(0, people(&[7, 8]), now), "2024-01-02T12:00Z"), [8]);
    assert_eq!(on_call(&schedule.with_participants(0, Vec::new(), now), "2024-01-02T12:00Z"), [0_i32; 0]);
    assert_eq!(schedule.with_participants(9, people(&[7]), now), schedule);
    assert_eq!(on_call(&crate::build::schedule(Tz::UTC, Vec::new()), "2024-01-02T12:00Z"), [0_i32; 0]);
    let _ = schedule.with_zone(Tz::Asia__Tokyo, chrono::DateTime::<chrono::Utc>::MAX_UTC);
}

#[test]
fn the_other_layers_are_left_alone() {
    let schedule = schedule(
        Tz::UTC,
        vec![
            layer(rotation(Daily, 1, "2024-01-01T00:00"), 2),
            layer(rotation(Weekly, 1, "2024-01-01T00:00"), 3),
        ],
    );
    let changed = schedule.with_participants(1, people(&[3]), at("2024-01-02T12:00Z"));
    assert_eq!(changed.layers[0], schedule.layers[0]);
}
