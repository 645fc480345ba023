//! Overrides.

use crate::build::{always, at, exception, on_call, schedule, simple, told, user};
use bugle_schedule::OverrideKind::{Add, Cover, Remove, Replace};
use bugle_schedule::RotationUnit::Daily;
use bugle_schedule::{OverrideKind, Schedule, Source};
use chrono_tz::Tz;

const NOON: &str = "2024-01-01T12:00Z";

fn with(kinds: &[OverrideKind]) -> Schedule {
    let mut schedule = schedule(Tz::UTC, vec![always(1)]);
    schedule.overrides =
        kinds.iter().map(|kind| exception("2024-01-01T09:00Z", "2024-01-01T17:00Z", *kind)).collect();
    schedule
}

#[test]
fn one_more_one_less_another() {
    let cases = [
        (vec![Add { who: user(2) }], vec![1, 2]),
        (vec![Add { who: user(1) }], vec![1]),
        (vec![Remove { who: user(1) }], vec![]),
        (vec![Remove { who: user(2) }], vec![1]),
        (vec![Replace { who: user(2), replaced: user(1) }], vec![2]),
        // Whoever is not on call cannot be replaced.
        (vec![Replace { who: user(2), replaced: user(3) }], vec![1]),
        (vec![Cover { who: user(4) }], vec![4]),
        (vec![Remove { who: user(1) }, Cover { who: user(4) }], vec![4]),
    ];
    for (kinds, expected) in cases {
        assert_eq!(on_call(&with(&kinds), NOON), expected, "{kinds:?}");
        assert_eq!(on_call(&with(&kinds), "2024-01-01T08:59Z"), [1]);
        assert_eq!(on_call(&with(&kinds), "2024-01-01T17:00Z"), [1]);
    }
}

#[test]
fn each_is_applied_to_the_result_of_those_before() {
    let handed_on =
        [Replace { who: user(2), replaced: user(1) }, Replace { who: user(3), replaced: user(2) }];
    assert_eq!(on_call(&with(&handed_on), NOON), [3]);
    let [first, second] = handed_on;
    assert_eq!(on_call(&with(&[second, first]), NOON), [2]);
}

#[test]
fn a_replacement_who_is_on_call_already_is_on_call_once() {
    let kinds = [Add { who: user(2) }, Replace { who: user(2), replaced: user(1) }];
    assert_eq!(on_call(&with(&kinds), NOON), [2]);
}

#[test]
fn the_calendar_says_by_what() {
    let schedule = with(&[Add { who: user(2) }]);
    let shifts = schedule.shifts(at("2024-01-01T00:00Z"), at("2024-01-02T00:00Z"));
    assert_eq!(told(&shifts), ["1 01-01 00:00 – 01-02 00:00", "2 01-01 09:00 – 01-01 17:00"]);
    assert_eq!(shifts[1].source, Source::Override(0));
}

#[test]
fn one_that_replaces_works_only_while_the_other_would_be_on_call() {
    let mut schedule = simple(Tz::UTC, Daily, 1, "2024-01-01T00:00", 3);
    let away = Replace { who: user(3), replaced: user(2) };
    schedule.overrides.push(exception("2024-01-01T12:00Z", "2024-01-06T12:00Z", away));
    let shifts = schedule.shifts(at("2024-01-01T00:00Z"), at("2024-01-07T00:00Z"));
    assert_eq!(
        told(&shifts),
        [
            "1 01-01 00:00 – 01-02 00:00",
            "3 01-02 00:00 – 01-03 00:00",
            "3 01-03 00:00 – 01-04 00:00",
            "1 01-04 00:00 – 01-05 00:00",
            "3 01-05 00:00 – 01-06 00:00",
            "3 01-06 00:00 – 01-07 00:00",
        ]
    );
}

#[test]
fn one_that_covers_covers_gaps_too() {
    let mut schedule = schedule(Tz::UTC, Vec::new());
    schedule.overrides.push(exception("2024-01-01T09:00Z", "2024-01-01T17:00Z", Cover { who: user(2) }));
    assert_eq!(on_call(&schedule, NOON), [2]);
    assert_eq!(on_call(&schedule, "2024-01-01T18:00Z"), [0_i32; 0]);
    assert_eq!(
        schedule.gaps(at("2024-01-01T00:00Z"), at("2024-01-02T00:00Z"), at("2024-01-01T00:00Z")).len(),
        2
    );
}

#[test]
fn those_that_overlap_and_name_the_same_person_are_conflicts() {
    let mut schedule = with(&[Add { who: user(2) }]);
    schedule.overrides.push(exception("2024-01-01T16:00Z", "2024-01-01T18:00Z", Remove { who: user(2) }));
    schedule.overrides.push(exception("2024-01-01T17:00Z", "2024-01-01T18:00Z", Add { who: user(3) }));
    let conflicts = schedule.override_conflicts();
    assert_eq!(conflicts.len(), 1);
    assert_eq!((conflicts[0].index, conflicts[0].other, conflicts[0].who), (1, 0, user(2)));
    let errors = schedule.check().unwrap_err();
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].path, "overrides[1]");
    // One after the other is no overlap.
    schedule.overrides[1].from = at("2024-01-01T17:00Z");
    assert_eq!(schedule.check(), Ok(()));
}
