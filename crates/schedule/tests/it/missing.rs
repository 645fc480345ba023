//! Times that the layers have somebody for, and nobody is there; and times in words.

use crate::build::{WEEK, always, at, exception, restriction, schedule, simple, user};
use bugle_model::UserId;
use bugle_schedule::RotationUnit::Daily;
use bugle_schedule::{Layer, OverrideKind, Schedule, range_in_words};
use chrono_tz::Tz;
use std::collections::BTreeSet;

/// Who is missing in the first week of January.
fn missing(schedule: &Schedule, members: &[i32]) -> Vec<String> {
    let members: BTreeSet<UserId> = members.iter().map(|id| user(*id)).collect();
    let found = schedule.missing(at("2024-01-01T00:00Z"), at("2024-01-08T00:00Z"), &members);
    found
        .iter()
        .map(|gap| format!("{} – {}", gap.start.format("%d %H:%M"), gap.end.format("%d %H:%M")))
        .collect()
}

#[test]
fn what_the_layers_leave_free_is_no_gap_and_what_an_override_takes_away_is() {
    let hours = vec![restriction(&WEEK, "09:00", "17:00")];
    let mut schedule = schedule(Tz::UTC, vec![Layer { restrictions: hours, ..always(1) }]);
    assert!(missing(&schedule, &[1]).is_empty());
    let away = OverrideKind::Remove { who: user(1) };
    schedule.overrides.push(exception("2024-01-02T12:00Z", "2024-01-04T10:00Z", away));
    assert_eq!(
        missing(&schedule, &[1, 2]),
        ["02 12:00 – 02 17:00", "03 09:00 – 03 17:00", "04 09:00 – 04 10:00"]
    );
    let instead = OverrideKind::Add { who: user(2) };
    schedule.overrides.push(exception("2024-01-02T13:00Z", "2024-01-03T20:00Z", instead));
    assert_eq!(missing(&schedule, &[1, 2]), ["02 12:00 – 02 13:00", "04 09:00 – 04 10:00"]);
    assert_eq!(missing(&schedule, &[1]).len(), 3, "whoever comes instead is not of the team");
}

#[test]
fn whoever_is_not_there_any_more_is_missing_whoever_else_is() {
    let mut schedule = simple(Tz::UTC, Daily, 1, "2024-01-01T00:00", 2);
    assert!(missing(&schedule, &[1, 2]).is_empty());
    assert_eq!(
        missing(&schedule, &[1]),
        ["02 00:00 – 03 00:00", "04 00:00 – 05 00:00", "06 00:00 – 07 00:00"]
    );
    let alone = OverrideKind::Cover { who: user(1) };
    schedule.overrides.push(exception("2024-01-02T00:00Z", "2024-01-06T12:00Z", alone));
    assert_eq!(missing(&schedule, &[1]), ["06 12:00 – 07 00:00"]);
    assert_eq!(missing(&schedule, &[]), ["01 00:00 – 08 00:00"]);
}

#[test]
fn a_range_is_on_the_clock_of_the_zone_that_it_names() {
    let words = range_in_words(at("2024-03-30T23:30Z"), at("2024-03-31T01:00Z"), Tz::Europe__Vienna);
    assert_eq!(words, "from Sun 31 Mar 2024, 00:30 until Sun 31 Mar 2024, 03:00 (Europe/Vienna)");
}
