//! A schedule as a calendar.

use crate::build::{always, at, exception, schedule, simple, user};
use bugle_schedule::OverrideKind;
use bugle_schedule::RotationUnit::{Daily, Weekly};
use bugle_schedule::ical::{Feed, ImportRange, import};
use chrono::TimeDelta;
use chrono_tz::Tz;
use std::collections::{BTreeMap, BTreeSet};

const ID: &str = "schedule-7@bugle.example.com";

fn written(name: &str, person: &str) -> String {
    let schedule = simple(Tz::UTC, Weekly, 1, "2024-01-01T09:00", 1);
    let people = BTreeMap::from([(user(1), person.to_owned())]);
    let shifts = schedule.shifts(at("2024-01-01T09:00Z"), at("2024-01-08T09:00Z"));
    Feed { name, id: ID, people: &people }.write(&shifts, at("2024-01-01T00:00Z"))
}

#[test]
fn the_whole_of_one() {
    assert_eq!(
        written("Shop", "Ann"),
        "BEGIN:VCALENDAR\r\n\
         VERSION:2.0\r\n\
         PRODID:-//Bugle//On-call schedule//EN\r\n\
         CALSCALE:GREGORIAN\r\n\
         METHOD:PUBLISH\r\n\
         NAME:Shop\r\n\
         X-WR-CALNAME:Shop\r\n\
         REFRESH-INTERVAL;VALUE=DURATION:PT1H\r\n\
         X-PUBLISHED-TTL:PT1H\r\n\
         BEGIN:VEVENT\r\n\
         UID:20240101T090000Z-1-schedule-7@bugle.example.com\r\n\
         DTSTAMP:20240101T000000Z\r\n\
         DTSTART:20240101T090000Z\r\n\
         DTEND:20240108T090000Z\r\n\
         SUMMARY:Ann on call: Shop\r\n\
         TRANSP:TRANSPARENT\r\n\
         END:VEVENT\r\n\
         END:VCALENDAR\r\n"
    );
}

#[test]
fn lines_are_folded_between_characters_at_75_bytes() {
    let text = written(&"Größenwahn 🎺 ".repeat(20), "Ann");
    assert!(text.split("\r\n").all(|line| line.len() <= 75));
    assert!(text.split("\r\n").any(|line| line.len() >= 72));
    let unfolded = text.replace("\r\n ", "");
    assert!(unfolded.contains(&"Größenwahn 🎺 ".repeat(20)));
}

#[test]
fn text_is_escaped_and_cannot_add_lines() {
    let text = written("a;b,c\\d\r\nEND:VCALENDAR\rX\n\u{7}", "Eve\nATTENDEE:mallory");
    assert!(text.contains("NAME:a\\;b\\,c\\\\d\\nEND:VCALENDAR\\nX\\n\r\n"), "{text}");
    assert_eq!(text.matches("\r\nEND:VCALENDAR").count(), 1);
    assert!(!text.contains("\r\nATTENDEE"));
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
}

#[test]
fn ids_of_events_are_unique_and_stay_grafana_2760() {
    let mut schedule = simple(Tz::Europe__Berlin, Daily, 1, "2024-01-01T09:00", 3);
    let more = OverrideKind::Add { who: user(9) };
    schedule.overrides.push(exception("2024-01-05T08:00Z", "2024-01-07T08:00Z", more));
    let people = BTreeMap::new();
    let feed = Feed { name: "Shop", id: ID, people: &people };
    let ids = |from: &str, days| {
        let text = feed.write(&schedule.shifts(at(from), at(from) + TimeDelta::days(days)), at(from));
        text.lines().filter(|line| line.starts_with("UID:")).map(str::to_owned).collect::<Vec<_>>()
    };
    let long = ids("2024-01-01T08:00Z", 300);
    let unique: BTreeSet<_> = long.iter().cloned().collect();
    assert_eq!(unique.len(), long.len());
    assert!(ids("2024-01-01T08:00Z", 100).iter().all(|id| unique.contains(id)));
}

#[test]
fn nobody_is_made_busy_goalert_3475() {
    let text = written("Shop", "Ann");
    assert_eq!(text.matches("TRANSP:TRANSPARENT").count(), text.matches("BEGIN:VEVENT").count());
}

#[test]
fn what_is_written_can_be_read() {
    let schedule = schedule(Tz::UTC, vec![always(1)]);
    let (from, to) = (at("2024-01-01T00:00Z"), at("2024-02-01T00:00Z"));
    let people = BTreeMap::from([(user(1), "Ann, of; \\ the\nnight".to_owned())]);
    let text = Feed { name: "Shop", id: ID, people: &people }.write(&schedule.shifts(from, to), from);
    let read = import(&text, ImportRange { zone: Tz::Asia__Tokyo, from, to }).unwrap();
    assert_eq!(read.problems, []);
    assert_eq!(read.occurrences.len(), 1);
    let one = &read.occurrences[0];
    assert_eq!((one.start, one.end), (from, to));
    assert_eq!(one.summary, "Ann, of; \\ the\nnight on call: Shop");
    let (overrides, unknown) = read.overrides(|_| Some(user(1)));
    assert_eq!((overrides.len(), unknown.len()), (1, 0));
}
