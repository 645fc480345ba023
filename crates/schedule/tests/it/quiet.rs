//! Quiet hours, on the clock of whoever wants them.

use bugle_schedule::{Restriction, Weekday, check_quiet_hours, quiet_until};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

fn nights(weekdays: &[Weekday]) -> Vec<Restriction> {
    vec![Restriction {
        weekdays: weekdays.to_vec(),
        from: "22:00:00".parse().unwrap(),
        to: "07:00:00".parse().unwrap(),
    }]
}

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

#[test]
fn a_night_ends_in_the_morning() {
    let hours = nights(&Weekday::ALL);
    let until = |text| quiet_until(Tz::Europe__Vienna, &hours, at(text));
    assert_eq!(until("2026-11-20T20:59:59Z"), None);
    assert_eq!(until("2026-11-20T21:00:00Z"), Some(at("2026-11-21T06:00:00Z")));
    assert_eq!(until("2026-11-21T05:59:59Z"), Some(at("2026-11-21T06:00:00Z")));
    assert_eq!(until("2026-11-21T06:00:00Z"), None);
}

#[test]
fn a_night_in_which_the_clock_changes_ends_by_the_clock_of_the_morning() {
    let hours = nights(&Weekday::ALL);
    let until = |text| quiet_until(Tz::Europe__Vienna, &hours, at(text));
    assert_eq!(until("2026-10-24T22:00:00Z"), Some(at("2026-10-25T06:00:00Z")), "an hour longer");
    assert_eq!(until("2026-03-28T22:00:00Z"), Some(at("2026-03-29T05:00:00Z")), "an hour shorter");
}

#[test]
fn the_weekday_is_that_of_the_evening() {
    let hours = nights(&[Weekday::Fri]);
    let until = |text| quiet_until(Tz::UTC, &hours, at(text));
    assert_eq!(until("2026-11-21T03:00:00Z"), Some(at("2026-11-21T07:00:00Z")), "Friday's night");
    assert_eq!(until("2026-11-20T03:00:00Z"), None, "Thursday's");
}

#[test]
fn hours_that_touch_are_one() {
    let mut hours = nights(&Weekday::ALL);
    hours.push(Restriction {
        weekdays: vec![Weekday::Sat, Weekday::Sun],
        from: "07:00:00".parse().unwrap(),
        to: "12:00:00".parse().unwrap(),
    });
    assert_eq!(
        quiet_until(Tz::UTC, &hours, at("2026-11-20T23:00:00Z")),
        Some(at("2026-11-21T12:00:00Z")),
        "over the weekend's morning"
    );
}

#[test]
fn something_of_the_week_is_left() {
    assert_eq!(check_quiet_hours(&nights(&Weekday::ALL)), Ok(()));
    let mut all = nights(&Weekday::ALL);
    all.push(Restriction {
        weekdays: Weekday::ALL.to_vec(),
        from: "07:00:00".parse().unwrap(),
        to: "22:00:00".parse().unwrap(),
    });
    let mistakes = check_quiet_hours(&all).unwrap_err();
    assert_eq!((mistakes[0].path.as_str(), mistakes.len()), ("hours", 1));
    assert_eq!(quiet_until(Tz::UTC, &[], at("2026-11-20T23:00:00Z")), None);
}
