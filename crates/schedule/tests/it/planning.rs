//! What a calendar makes of a schedule that people have changed.

use crate::build::{at, user};
use bugle_schedule::ical::{ImportPlan, ImportRange, Imported, People, Taken, import};
use bugle_schedule::{Override, OverrideKind};
use chrono_tz::Tz;
use std::collections::BTreeMap;

const NOW: &str = "2024-07-01T12:00Z";

/// Each day of July from one hour to the next, for somebody.
fn calendar(events: &[(&str, u32, u32, u32)]) -> Imported {
    let event = |(who, day, from, to): &(&str, u32, u32, u32)| {
        format!(
            "BEGIN:VEVENT\nUID:{who}\nSUMMARY:{who}\nDTSTART:202407{day:02}T{from:02}0000Z\nDTEND:202407{day:02}T{to:02}0000Z\nEND:VEVENT\n"
        )
    };
    let events: String = events.iter().map(event).collect();
    let text = format!("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//y//EN\n{events}END:VCALENDAR\n");
    import(&text, ImportRange { zone: Tz::UTC, from: at(NOW), to: at("2024-08-01T00:00Z") }).unwrap()
}

/// Ann is 1, Ben is 2.
fn plan(events: &[(&str, u32, u32, u32)], taken: &[(i32, &str, &str)]) -> ImportPlan {
    let team = [(1, "Ann"), (2, "Ben")]
        .map(|(id, name)| (user(id), name.to_owned(), format!("{}@example.com", name.to_lowercase())));
    let one = |(who, from, to): &(i32, &str, &str)| Taken {
        who: user(*who),
        from: at(from),
        to: at(to),
        instead: None,
    };
    let taken: Vec<_> = taken.iter().map(one).collect();
    calendar(events).plan(&People::new(BTreeMap::new(), team), &taken, at(NOW))
}

fn shifts(overrides: &[Override]) -> Vec<String> {
    let shift = |one: &Override| {
        let who = one.kind.comes_on().unwrap();
        assert_eq!(one.kind, OverrideKind::Add { who });
        format!("{who}: {} – {}", one.from.format("%d %H:%M"), one.to.format("%d %H:%M"))
    };
    overrides.iter().map(shift).collect()
}

#[test]
fn what_is_over_of_a_shift_is_left_alone() {
    let plan = plan(&[("Ann", 1, 8, 16), ("Ben", 1, 6, 12), ("Ben", 2, 8, 16)], &[]);
    assert_eq!(shifts(&plan.overrides), ["1: 01 12:00 – 01 16:00", "2: 02 08:00 – 02 16:00"]);
}

#[test]
fn only_the_time_that_is_taken_is_left_out() {
    let taken = [
        (1, "2024-07-02T10:00Z", "2024-07-02T11:00Z"),
        (1, "2024-07-02T10:30Z", "2024-07-02T12:00Z"),
        (1, "2024-07-02T15:00Z", "2024-07-03T09:00Z"),
        (2, "2024-07-02T08:00Z", "2024-07-02T09:00Z"),
    ];
    let plan = plan(&[("Ann", 2, 8, 16), ("Ann", 3, 8, 9), ("Ann", 4, 8, 9), ("Ben", 2, 8, 9)], &taken);
    assert_eq!(
        shifts(&plan.overrides),
        ["1: 02 08:00 – 02 10:00", "1: 02 12:00 – 02 15:00", "1: 04 08:00 – 04 09:00"]
    );
    let mut conflicts = shifts(&plan.conflicts);
    conflicts.sort();
    assert_eq!(
        conflicts,
        [
            "1: 02 10:00 – 02 11:00",
            "1: 02 11:00 – 02 12:00",
            "1: 02 15:00 – 02 16:00",
            "1: 03 08:00 – 03 09:00",
            "2: 02 08:00 – 02 09:00",
        ]
    );
}

#[test]
fn whoever_replaces_somebody_comes_in_their_place() {
    let team = [(1, "Ann"), (2, "Ben")].map(|(id, name)| (user(id), name.to_owned(), String::new()));
    let (from, to) = (at("2024-07-02T10:00Z"), at("2024-07-02T12:00Z"));
    let taken =
        [(1, Some(user(2))), (2, None)].map(|(who, instead)| Taken { who: user(who), from, to, instead });
    let people = People::new(BTreeMap::new(), team);
    let plan = calendar(&[("Ann", 2, 8, 16), ("Ben", 2, 8, 11)]).plan(&people, &taken, at(NOW));
    let mut found = shifts(&plan.overrides);
    found.sort();
    assert_eq!(
        found,
        [
            "1: 02 08:00 – 02 10:00",
            "1: 02 12:00 – 02 16:00",
            "2: 02 08:00 – 02 10:00",
            "2: 02 10:00 – 02 12:00",
        ]
    );
    assert_eq!(shifts(&plan.conflicts), ["2: 02 10:00 – 02 11:00"]);
}

#[test]
fn people_are_known_by_what_is_said_then_by_address_then_by_name() {
    let said = BTreeMap::from([("Duty".to_owned(), user(3))]);
    let team = [(user(1), "Ann".to_owned(), "Ann@example.com".to_owned())];
    let people = People::new(said, team);
    let text = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//y//EN\nBEGIN:VEVENT\nUID:1\nSUMMARY:TITLE\nWHO\nDTSTART:20240702T080000Z\nDURATION:PT1H\nEND:VEVENT\nEND:VCALENDAR\n";
    for (title, attendee, expected) in [
        ("Duty", "ATTENDEE:mailto:ann@EXAMPLE.com", Some(3)),
        ("Elsewhere", "ATTENDEE:mailto:ann@EXAMPLE.com", Some(1)),
        (" ann ", "LOCATION:here", Some(1)),
        ("Somebody", "LOCATION:here", None),
    ] {
        let text = text.replace("TITLE", title).replace("WHO", attendee);
        let range = ImportRange { zone: Tz::UTC, from: at(NOW), to: at("2024-08-01T00:00Z") };
        let plan = import(&text, range).unwrap().plan(&people, &[], at(NOW));
        assert_eq!(plan.overrides.first().and_then(|one| one.kind.comes_on()), expected.map(user), "{title}");
        assert_eq!(plan.unknown.is_empty(), expected.is_some(), "{title}");
    }
}
