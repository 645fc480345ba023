//! Calendars of others.

use crate::build::{at, user};
use bugle_schedule::ical::{ImportRange, Imported, import};
use bugle_schedule::{OverrideKind, Schedule, limits};
use chrono::TimeDelta;
use chrono_tz::Tz;

fn calendar(events: &str) -> String {
    format!("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//y//EN\n{events}\nEND:VCALENDAR\n")
}

fn event(lines: &str) -> String {
    calendar(&format!("BEGIN:VEVENT\nUID:u1\nSUMMARY:Ann\n{lines}\nEND:VEVENT"))
}

fn read_in(text: &str, zone: Tz, from: &str, to: &str) -> Imported {
    import(text, ImportRange { zone, from: at(from), to: at(to) }).unwrap()
}

fn read(text: &str, from: &str, to: &str) -> Imported {
    read_in(text, Tz::UTC, from, to)
}

/// From when to when, in UTC.
fn times(imported: &Imported) -> Vec<String> {
    assert_eq!(imported.problems, []);
    let short = |at: chrono::DateTime<chrono::Utc>| at.format("%m-%d %H:%M").to_string();
    imported.occurrences.iter().map(|one| format!("{} – {}", short(one.start), short(one.end))).collect()
}

#[test]
fn times_are_in_the_zone_that_they_name() {
    for (lines, expected) in [
        ("DTSTART:20240701T090000Z\nDTEND:20240701T170000Z", "07-01 09:00 – 07-01 17:00"),
        (
            "DTSTART;TZID=America/New_York:20240701T090000\nDTEND;TZID=America/New_York:20240701T170000",
            "07-01 13:00 – 07-01 21:00",
        ),
        (
            "DTSTART;TZID=\"W. Europe Standard Time\":20240701T090000\nDTEND;TZID=W. Europe Standard Time:20240701T170000",
            "07-01 07:00 – 07-01 15:00",
        ),
        (
            "DTSTART;TZID=/freeassociation.sourceforge.net/Europe/Berlin:20240701T090000\nDURATION:PT8H",
            "07-01 07:00 – 07-01 15:00",
        ),
        ("DTSTART:20240701T090000\nDURATION:P1DT30M", "07-01 00:00 – 07-02 00:30"),
        ("DTSTART;VALUE=DATE:20240701\nDTEND;VALUE=DATE:20240703", "06-30 15:00 – 07-02 15:00"),
        ("DTSTART;VALUE=DATE:20240701", "06-30 15:00 – 07-01 15:00"),
    ] {
        let read = read_in(&event(lines), Tz::Asia__Tokyo, "2024-06-01T00:00Z", "2024-08-01T00:00Z");
        assert_eq!(times(&read), [expected], "{lines}");
    }
}

#[test]
fn a_calendar_that_names_its_zone_is_in_it_grafana_4247() {
    let text = event("DTSTART:20240701T090000\nDURATION:PT1H")
        .replace("VERSION:2.0", "VERSION:2.0\nX-WR-TIMEZONE:Asia/Shanghai");
    let read = read(&text, "2024-06-01T00:00Z", "2024-08-01T00:00Z");
    assert_eq!(times(&read), ["07-01 01:00 – 07-01 02:00"]);
}

#[test]
fn a_weekly_shift_keeps_its_time_when_the_clock_changes() {
    let text = event(
        "DTSTART;TZID=America/Chicago:20241022T000000\nDTEND;TZID=America/Chicago:20241029T000000\nRRULE:FREQ=WEEKLY;INTERVAL=1",
    );
    let read = read(&text, "2024-10-30T00:00Z", "2024-11-13T00:00Z");
    assert_eq!(
        times(&read),
        ["10-29 05:00 – 11-05 06:00", "11-05 06:00 – 11-12 06:00", "11-12 06:00 – 11-19 06:00"]
    );
}

#[test]
fn an_old_rule_is_found_at_once_and_in_step() {
    let text = event("DTSTART:19700105T090000Z\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;INTERVAL=3;BYDAY=MO,WE");
    let read = read(&text, "2024-01-01T00:00Z", "2024-02-01T00:00Z");
    let weeks = (at("2024-01-01T00:00Z") - at("1970-01-05T00:00Z")).num_weeks();
    let first = at("2024-01-01T09:00Z") + TimeDelta::weeks((3 - weeks % 3) % 3);
    assert_eq!(read.occurrences[0].start, first);
    assert_eq!(read.occurrences[1].start, first + TimeDelta::days(2));
    assert_eq!(read.occurrences[2].start, first + TimeDelta::days(21));
}

#[test]
fn rules_end() {
    let span = ("2024-01-01T00:00Z", "2024-02-01T00:00Z");
    let counted = event("DTSTART:20240101T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3");
    assert_eq!(times(&read(&counted, span.0, span.1)).len(), 3);
    // UNTIL is in UTC, the rule in New York: the third is the last.
    let until = event(
        "DTSTART;TZID=America/New_York:20240101T210000\nDURATION:PT1H\nRRULE:FREQ=DAILY;UNTIL=20240104T020000Z",
    );
    assert_eq!(times(&read(&until, span.0, span.1)).len(), 3);
    let day = event("DTSTART:20240101T210000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;UNTIL=20240104");
    assert_eq!(times(&read(&day, span.0, span.1)).len(), 4);
}

#[test]
fn a_time_that_is_skipped_is_an_hour_later_as_the_standard_says() {
    let text = event("DTSTART;TZID=Europe/Berlin:20250329T023000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3");
    assert_eq!(
        times(&read(&text, "2025-03-01T00:00Z", "2025-04-30T00:00Z")),
        ["03-29 01:30 – 03-29 02:30", "03-30 01:30 – 03-30 02:30", "03-31 00:30 – 03-31 01:30"]
    );
}

#[test]
fn single_ones_are_left_out_moved_and_added() {
    let text = calendar(
        "BEGIN:VEVENT\nUID:u1\nSUMMARY:Ann\nDTSTART;TZID=Europe/Berlin:20240101T090000\nDTEND;TZID=Europe/Berlin:20240101T100000\n\
         RRULE:FREQ=DAILY;COUNT=5\nEXDATE;TZID=Europe/Berlin:20240102T090000\nRDATE:20240110T120000Z\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:u1\nSUMMARY:Bob\nRECURRENCE-ID;TZID=Europe/Berlin:20240103T090000\nDTSTART;TZID=Europe/Berlin:20240103T150000\nDURATION:PT2H\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:u1\nRECURRENCE-ID:20240104T080000Z\nDTSTART:20240104T080000Z\nSTATUS:CANCELLED\nEND:VEVENT",
    );
    let read = read(&text, "2024-01-01T00:00Z", "2024-02-01T00:00Z");
    assert_eq!(
        times(&read),
        [
            "01-01 08:00 – 01-01 09:00",
            "01-03 14:00 – 01-03 16:00",
            "01-05 08:00 – 01-05 09:00",
            "01-10 12:00 – 01-10 13:00",
        ]
    );
    assert_eq!(read.occurrences[1].summary, "Bob");
}

#[test]
fn what_began_before_the_range_is_whole_and_what_is_outside_is_left_out() {
    let text = event("DTSTART:20240101T000000Z\nDTEND:20240201T000000Z");
    assert_eq!(times(&read(&text, "2024-01-15T00:00Z", "2024-01-16T00:00Z")), ["01-01 00:00 – 02-01 00:00"]);
    assert_eq!(times(&read(&text, "2024-02-01T00:00Z", "2024-02-16T00:00Z")), [""; 0]);
}

#[test]
fn the_range_is_bounded() {
    let text = event("DTSTART:20240101T000000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY");
    let read = read(&text, "2024-01-01T00:00Z", "2124-01-01T00:00Z");
    assert_eq!(i64::try_from(read.occurrences.len()).unwrap(), limits::MAX_FEED_DAYS);
}

#[test]
fn lines_may_be_folded_and_end_in_any_way() {
    let text = event(
        "DTSTART:20240701T09\n 0000Z\nDTEND:20240701T170000Z\nATTENDEE;CN=\"Ann: B\":MAILTO:ann@exa\n\tmple.com",
    );
    for text in [
        text.clone(),
        text.replace('\n', "\r\n"),
        format!("\u{feff}{}", text.replace("\nDTEND", "\r\nDTEND")),
    ] {
        let read = read(&text, "2024-06-01T00:00Z", "2024-08-01T00:00Z");
        assert_eq!(times(&read), ["07-01 09:00 – 07-01 17:00"]);
        assert_eq!(read.occurrences[0].attendees, ["ann@example.com"]);
    }
}

#[test]
fn people_are_found_by_whoever_knows_them() {
    let text = calendar(
        "BEGIN:VEVENT\nUID:a\nSUMMARY:Ann\nDTSTART:20240101T000000Z\nDURATION:P1D\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:b\nSUMMARY:Holiday\nDTSTART:20240102T000000Z\nDURATION:P1D\nEND:VEVENT",
    );
    let read = read(&text, "2024-01-01T00:00Z", "2024-02-01T00:00Z");
    let (overrides, unknown) = read.overrides(|one| (one.summary == "Ann").then_some(user(1)));
    assert_eq!(overrides.len(), 1);
    assert_eq!(overrides[0].kind, OverrideKind::Add { who: user(1) });
    assert_eq!((overrides[0].from, overrides[0].to), (at("2024-01-01T00:00Z"), at("2024-01-02T00:00Z")));
    assert_eq!(unknown[0].summary, "Holiday");
}

#[test]
fn what_one_person_has_twice_is_once_and_no_conflict() {
    let text = calendar(
        "BEGIN:VEVENT\nUID:a\nDTSTART:20240101T000000Z\nDURATION:P300D\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:b\nDTSTART:20240102T000000Z\nDURATION:P1D\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:c\nDTSTART:20241001T000000Z\nDURATION:P300D\nEND:VEVENT",
    );
    let read = read(&text, "2024-01-01T00:00Z", "2025-01-01T00:00Z");
    let (overrides, _) = read.overrides(|_| Some(user(1)));
    let times: Vec<_> = overrides.iter().map(|one| (one.from, one.to)).collect();
    let middle = at("2024-01-01T00:00Z") + TimeDelta::days(300);
    assert_eq!(
        times,
        [(at("2024-01-01T00:00Z"), middle), (middle, at("2024-10-01T00:00Z") + TimeDelta::days(300)),]
    );
    let schedule = Schedule { zone: Tz::UTC, layers: Vec::new(), overrides };
    assert_eq!(schedule.check(), Ok(()));
    assert_eq!(schedule.on_call_at(middle).len(), 1);
}
