//! Shifts that go from one person to another.

use crate::build::{always, at, exception, schedule, user};
use bugle_schedule::{CannotGive, Giving, OverrideKind, Schedule};
use chrono_tz::Tz;

const NOW: &str = "2024-01-01T00:00Z";

fn with(kind: OverrideKind) -> Schedule {
    let mut schedule = schedule(Tz::UTC, vec![always(1)]);
    schedule.overrides.push(exception("2024-01-02T00:00Z", "2024-01-03T00:00Z", kind));
    schedule
}

fn giving(schedule: &Schedule, giver: i32, from: &str, to: &str) -> Result<Giving, CannotGive> {
    schedule.giving(user(giver), at(from), at(to), at(NOW))
}

#[test]
fn what_layers_give_is_replaced_and_what_an_override_gave_is_passed_on_whole() {
    let taken = with(OverrideKind::Replace { who: user(2), replaced: user(1) });
    assert_eq!(giving(&taken, 1, "2024-01-04T00:00Z", "2024-01-05T00:00Z"), Ok(Giving::Replace));
    assert_eq!(giving(&taken, 2, "2024-01-02T00:00Z", "2024-01-03T00:00Z"), Ok(Giving::Pass(vec![0])));
    assert_eq!(giving(&taken, 2, "2024-01-01T00:00Z", "2024-01-05T00:00Z"), Ok(Giving::Pass(vec![0])));
    let part = giving(&taken, 2, "2024-01-02T00:00Z", "2024-01-02T12:00Z");
    assert_eq!(part, Err(CannotGive::Named));
    let with_more = giving(&taken, 1, "2024-01-01T00:00Z", "2024-01-05T00:00Z");
    assert_eq!(with_more, Err(CannotGive::Named), "one is named by it as the one who is replaced");
    assert_eq!(giving(&taken, 3, "2024-01-01T00:00Z", "2024-01-05T00:00Z"), Err(CannotGive::NotOnCall));
}

#[test]
fn what_is_over_of_an_override_need_not_be_given() {
    let taken = with(OverrideKind::Cover { who: user(2) });
    let now = at("2024-01-02T12:00Z");
    let given = taken.giving(user(2), now, at("2024-01-03T00:00Z"), now);
    assert_eq!(given, Ok(Giving::Pass(vec![0])));
}

#[test]
fn whoever_gets_their_own_shift_back_needs_no_override() {
    let kind = OverrideKind::Replace { who: user(2), replaced: user(1) };
    assert_eq!(kind.passed_to(user(1)), None);
    assert_eq!(kind.passed_to(user(3)), Some(OverrideKind::Replace { who: user(3), replaced: user(1) }));
    assert_eq!(
        OverrideKind::Add { who: user(2) }.passed_to(user(3)),
        Some(OverrideKind::Add { who: user(3) })
    );
}
