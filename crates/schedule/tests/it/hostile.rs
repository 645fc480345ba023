//! Calendars that want to do harm, or are just broken.

use crate::build::at;
use bugle_schedule::ical::{ImportError, ImportRange, Imported, import};
use bugle_schedule::limits;
use chrono_tz::Tz;
use proptest::prelude::*;

fn read(text: &str) -> Result<Imported, ImportError> {
    let (from, to) = (at("2024-01-01T00:00Z"), at("2025-01-01T00:00Z"));
    import(text, ImportRange { zone: Tz::UTC, from, to })
}

fn events(count: usize, lines: &str) -> String {
    let event = format!(
        "BEGIN:VEVENT\r\nUID:u\r\nDTSTART:20240101T000000Z\r\nDURATION:PT1H\r\n{lines}END:VEVENT\r\n"
    );
    format!("BEGIN:VCALENDAR\r\n{}END:VCALENDAR\r\n", event.repeat(count))
}

/// The message of the one problem that an event with these lines makes.
fn problem(lines: &str) -> String {
    let text =
        format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:u\r\n{lines}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n");
    let read = read(&text).unwrap();
    assert_eq!(read.occurrences, []);
    assert_eq!(read.problems.len(), 1);
    read.problems[0].message.clone()
}

#[test]
fn what_is_no_calendar_is_told_so() {
    assert!(matches!(read(""), Err(ImportError::Unreadable { .. } | ImportError::NotACalendar)));
    assert!(matches!(read("<html>"), Err(ImportError::Unreadable { .. } | ImportError::NotACalendar)));
    assert_eq!(read("BEGIN:VCARD\nEND:VCARD\n"), Err(ImportError::NotACalendar));
    assert!(matches!(
        read("BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR\n"),
        Err(ImportError::Unreadable { .. })
    ));
    assert_eq!(read("BEGIN:VCALENDAR\nVERSION:2.0\nEND:VCALENDAR\n"), Ok(Imported::default()));
}

#[test]
fn an_error_can_be_told_without_a_word_of_the_calendar() {
    let error = ImportError::Unreadable { line: 3, text: "the secret".to_owned() };
    assert_eq!(error.to_string(), "the calendar cannot be read at `the secret`");
    assert_eq!(error.without_content(), "the calendar cannot be read at line 3");
    assert_eq!(ImportError::NotACalendar.without_content(), ImportError::NotACalendar.to_string());
}

#[test]
fn one_that_is_too_large_too_deep_or_too_full_is_refused() {
    assert_eq!(read(&"x".repeat(limits::MAX_FEED_BYTES + 1)), Err(ImportError::TooLarge));
    assert_eq!(read(&"BEGIN:A\n".repeat(100_000)), Err(ImportError::TooDeep));
    assert_eq!(read(&"begin:a\n".repeat(100_000)), Err(ImportError::TooDeep));
    assert_eq!(read(&events(limits::MAX_FEED_EVENTS + 1, "")), Err(ImportError::TooManyEvents(5_001)));
    let recurring = events(limits::MAX_FEED_RECURRING + 1, "RRULE:FREQ=YEARLY\r\n");
    assert_eq!(read(&recurring), Err(ImportError::TooManyRecurring(501)));
}

#[test]
fn an_event_that_is_not_understood_is_left_out_and_named() {
    for (lines, expected) in [
        ("SUMMARY:x", "DTSTART is missing"),
        (
            "DTSTART;TZID=Mars/Olympus:20240101T000000\r\nDURATION:PT1H",
            "DTSTART: unknown zone `Mars/Olympus`",
        ),
        ("DTSTART:tomorrow\r\nDURATION:PT1H", "DTSTART: `tomorrow` is no date and no time"),
        ("DTSTART:20240230T000000Z\r\nDURATION:PT1H", "DTSTART: `20240230T000000Z` is no date and no time"),
        ("DTSTART:20240101T000000Z", "the event takes no time"),
        ("DTSTART:20240101T000000Z\r\nDTEND:20230101T000000Z", "the event takes no time"),
        ("DTSTART:20240101T000000Z\r\nDURATION:-PT1H", "DURATION: `-PT1H` is no duration"),
        (
            "DTSTART:20240101T000000Z\r\nDURATION:P99999999999999W",
            "DURATION: `P99999999999999W` is no duration",
        ),
        ("DTSTART:20240101T000000Z\r\nDURATION:P400D", "the event is longer than 366 days"),
        ("DTSTART:00010101T000000Z\r\nDURATION:PT1H", "DTSTART: within the years 1900 to 9000"),
        ("DTSTART:20240101T000000Z\r\nDURATION:PT1H\r\nRRULE:FREQ=SECONDLY", "RRULE: more often than hourly"),
        ("DTSTART:20240101T000000Z\r\nDURATION:PT1H\r\nRRULE:FREQ=minutely", "RRULE: more often than hourly"),
        (
            "DTSTART:20240101T000000Z\r\nDURATION:PT1H\r\nRRULE:FREQ=DAILY;INTERVAL=0",
            "RRULE: INTERVAL is at least 1",
        ),
        (
            "DTSTART:20240101T000000Z\r\nDURATION:PT1H\r\nRRULE:FREQ=DAILY;BYSECOND=1,2,3",
            "RRULE: `BYSECOND` is not supported",
        ),
        (
            "DTSTART:20240101T000000Z\r\nDURATION:PT1H\r\nRRULE:FREQ=DAILY;BYDAY=1Mé",
            "RRULE: `\\u{e9}` is not ASCII",
        ),
        (
            "DTSTART:20240101T000000Z\r\nDURATION:PT1H\r\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
            "RRULE: matches no day",
        ),
        (
            "DTSTART:20240101T000000Z\r\nDURATION:PT1H\r\nRRULE:FREQ=DAILY;BYHOUR=0,1,2,3,4,5;BYMINUTE=0,10,20,30,40",
            "RRULE: at most 24 times of day",
        ),
    ] {
        assert_eq!(problem(lines), expected, "{lines}");
    }
    assert!(problem("DTSTART:20240101T000000Z\r\nDURATION:PT1H\r\nRRULE:FREQ=NEVER").starts_with("RRULE: "));
    assert!(
        problem(&format!(
            "DTSTART:20240101T000000Z\r\nDURATION:PT1H\r\nRRULE:FREQ=DAILY;BYMONTHDAY=1{}",
            ",1".repeat(300)
        ))
        .contains("512")
    );
}

/// How many times take place and how many events are left out, of so many events with this rule since this year.
fn repeated(count: usize, year: &str, rule: &str) -> Result<(usize, usize), ImportError> {
    let text =
        events(count, &format!("RRULE:{rule}\r\n")).replace("DTSTART:2024", &format!("DTSTART:{year}"));
    read(&text).map(|read| (read.occurrences.len(), read.problems.len()))
}

#[test]
fn rules_that_want_too_much_are_refused() {
    assert_eq!(repeated(1, "2024", "FREQ=HOURLY"), Ok((366 * 24, 0)));
    assert_eq!(repeated(2, "2024", "FREQ=HOURLY"), Err(ImportError::TooManyOccurrences));
    // Those before the range count as looked at: 45,000 for each of these.
    let old = "FREQ=DAILY;COUNT=4000000000";
    assert_eq!(repeated(2, "1900", old), Ok((2 * 366, 0)));
    assert_eq!(repeated(3, "1900", old), Err(ImportError::TooManySteps));
}

#[test]
fn rules_that_find_nothing_are_refused_from_the_fourth_on() {
    for dry in ["FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=31"] {
        assert_eq!(repeated(3, "2024", dry), Ok((0, 3)), "{dry}");
        assert_eq!(repeated(4, "2024", dry), Err(ImportError::DryRules), "{dry}");
    }
}

/// Its first time is in 2044.
#[test]
fn a_rule_that_finds_something_late_is_none_of_those() {
    let rare = "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO";
    assert_eq!(repeated(10, "2024", rare), Ok((0, 0)));
}

#[test]
fn a_calendar_of_as_many_events_as_may_be_is_read() {
    let read = read(&events(limits::MAX_FEED_EVENTS, "")).unwrap();
    assert_eq!((read.occurrences.len(), read.problems), (limits::MAX_FEED_EVENTS, Vec::new()));
}

#[test]
fn lines_may_end_with_bare_line_feeds() {
    let text = events(100, &format!("DESCRIPTION:{}\r\n", "x".repeat(200)));
    let bare = read(&text.replace("\r\n", "\n")).unwrap();
    assert_eq!(bare.occurrences.len(), 100);
    assert_eq!(Ok(bare), read(&text));
}

#[test]
fn of_a_crowd_fifty_are_kept() {
    let lines = "ATTENDEE:mailto:a@example.com\r\n".repeat(60) + "RRULE:FREQ=MONTHLY\r\n";
    let crowds: Vec<_> =
        read(&events(1, &lines)).unwrap().occurrences.iter().map(|one| one.attendees.len()).collect();
    assert_eq!(crowds, [50; 12]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]

    #[test]
    fn nothing_makes_it_panic(text in "\\PC{0,200}", pieces in prop::collection::vec(prop::sample::select(vec![
        "BEGIN:VCALENDAR\n", "BEGIN:VEVENT\n", "END:VEVENT\n", "END:VCALENDAR\n", "DTSTART:20240101T000000Z\n",
        "DTSTART;VALUE=DATE:20240101\n", "DURATION:P1W\n", "DURATION:PT\n", "RRULE:FREQ=WEEKLY;BYDAY=MO,-1TU\n",
        "RRULE:FREQ=MONTHLY;BYSETPOS=-1;BYDAY=FR\n", "RRULE:;;=\n", "EXDATE:\n", "RDATE:20240101,99999999\n",
        "RRULE:FREQ=YEARLY;BYWEEKNO=53;BYDAY=SU\n", "RRULE:FREQ=DAILY;UNTIL=19990101\n", "RRULE:FREQ=YEARLY;BYYEARDAY=-366\n",
        "RECURRENCE-ID;RANGE=THISANDFUTURE:20240101\n", "TZID:\n", " folded\n", "\n", ":\n", ";=:\n", "X;Y\n",
        "DTEND;TZID=Pacific/Apia:20111230T000000\n", "SUMMARY:\\n\\,\\\n", "STATUS:CANCELLED\n",
    ]), 0..14)) {
        let _ = read(&text);
        let _ = read(&pieces.concat());
        let _ = read(&format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{}END:VEVENT\nEND:VCALENDAR\n", pieces.concat()));
        let _ = read(&format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20240101T000000Z\nRRULE:{text}\nEND:VEVENT\nEND:VCALENDAR\n"));
    }
}
