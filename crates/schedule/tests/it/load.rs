//! How evenly being on call is spread.

use crate::build::{WEEK, always, at, restriction, schedule, simple, user};
use bugle_schedule::RotationUnit::{Daily, Weekly};
use chrono_tz::Tz;
use std::collections::BTreeMap;

fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
}

#[test]
fn nights_and_weekends_are_those_of_the_person() {
    // A week from Monday on, in UTC; one lives in Tokyo.
    let schedule = schedule(Tz::UTC, vec![always(1)]);
    let (from, to) = (at("2024-01-01T00:00Z"), at("2024-01-08T00:00Z"));
    let of = |zones: BTreeMap<_, _>| schedule.fairness(from, to, &zones).people[0].clone();
    let here = of(BTreeMap::new());
    near(here.hours, 168.0);
    near(here.night_hours, 63.0);
    near(here.weekend_hours, 48.0);
    let tokyo = of(BTreeMap::from([(user(1), Tz::Asia__Tokyo)]));
    // From Monday 9:00 to Monday 9:00 there.
    near(tokyo.night_hours, 63.0);
    near(tokyo.weekend_hours, 48.0);
    let half = schedule.fairness(
        at("2024-01-05T15:00Z"),
        at("2024-01-06T15:00Z"),
        &BTreeMap::from([(user(1), Tz::Asia__Tokyo)]),
    );
    near(half.people[0].weekend_hours, 24.0);
}

#[test]
fn a_night_in_which_the_clock_is_put_back_is_longer() {
    let schedule = schedule(Tz::Europe__Berlin, vec![always(1)]);
    let load = schedule.fairness(at("2025-10-25T16:00Z"), at("2025-10-26T16:00Z"), &BTreeMap::new());
    near(load.people[0].night_hours, 10.0);
}

#[test]
fn an_even_spread_scores_a_hundred() {
    let schedule = simple(Tz::UTC, Weekly, 1, "2024-01-01T00:00", 4);
    let even = schedule.fairness(at("2024-01-01T00:00Z"), at("2024-12-30T00:00Z"), &BTreeMap::new());
    assert_eq!(even.score, 100);
    near(even.balance, 100.0);
    near(even.coverage, 100.0);
    near(even.people[0].over_average, 0.0);
}

#[test]
fn an_uneven_one_scores_less() {
    let mut schedule = simple(Tz::UTC, Daily, 1, "2024-01-01T00:00", 2);
    schedule.layers[0].participants = vec![Some(user(1)), Some(user(1)), Some(user(1)), Some(user(2))];
    let load = schedule.fairness(at("2024-01-01T00:00Z"), at("2024-01-09T00:00Z"), &BTreeMap::new());
    near(load.balance, 100.0 / 3.0);
    near(load.people[0].over_average, 50.0);
    near(load.people[1].over_average, -50.0);
    assert_eq!(load.score, 67);
}

#[test]
fn gaps_score_less_and_nearly_all_is_all() {
    let mut half = always(1);
    half.restrictions = vec![restriction(&WEEK, "00:00", "12:00")];
    let (from, to) = (at("2024-01-01T00:00Z"), at("2024-01-11T00:00Z"));
    let load = schedule(Tz::UTC, vec![half.clone()]).fairness(from, to, &BTreeMap::new());
    near(load.coverage, 50.0);
    assert_eq!(load.score, 75);
    half.restrictions = vec![restriction(&WEEK, "00:00", "23:00")];
    assert_eq!(schedule(Tz::UTC, vec![half]).fairness(from, to, &BTreeMap::new()).score, 100);
}

#[test]
fn nobody_scores_nothing() {
    let load = schedule(Tz::UTC, Vec::new()).fairness(
        at("2024-01-01T00:00Z"),
        at("2024-01-02T00:00Z"),
        &BTreeMap::new(),
    );
    assert_eq!((load.score, load.people.len()), (0, 0));
    let empty = schedule(Tz::UTC, vec![always(1)]).fairness(
        at("2024-01-01T00:00Z"),
        at("2024-01-01T00:00Z"),
        &BTreeMap::new(),
    );
    near(empty.coverage, 0.0);
}
