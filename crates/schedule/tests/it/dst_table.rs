//! Handoffs where clocks change. The cases are those of GoAlert's rotations.

use crate::build::{at, layer, restriction, rotation, schedule, simple};
use bugle_schedule::RotationUnit::{self, Daily, Hourly, Monthly};
use bugle_schedule::{Layer, Weekday};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

struct Row {
    zone: Tz,
    rotations: &'static [(RotationUnit, u16)],
    start: &'static str,
    /// Exactly these, from the first to the last.
    handoffs: &'static [&'static str],
}

const CHICAGO: Tz = Tz::America__Chicago;
const LORD_HOWE: Tz = Tz::Australia__Lord_Howe;
const DAY: &[(RotationUnit, u16)] = &[(Daily, 1), (Hourly, 24)];

const TABLE: &[Row] = &[
    Row {
        zone: CHICAGO,
        rotations: DAY,
        start: "2020-10-30T01:30",
        handoffs: &[
            "2020-10-29T01:30-05:00",
            "2020-10-30T01:30-05:00",
            "2020-10-31T01:30-05:00",
            "2020-11-01T01:30-05:00",
            "2020-11-02T01:30-06:00",
            "2020-11-03T01:30-06:00",
        ],
    },
    Row {
        zone: CHICAGO,
        rotations: &[(Daily, 1)],
        start: "2020-03-06T02:30",
        handoffs: &[
            "2020-03-05T02:30-06:00",
            "2020-03-06T02:30-06:00",
            "2020-03-07T02:30-06:00",
            "2020-03-08T03:00-05:00",
            "2020-03-09T02:30-05:00",
            "2020-03-10T02:30-05:00",
        ],
    },
    Row {
        zone: CHICAGO,
        rotations: &[(Hourly, 1)],
        start: "2020-03-06T02:30",
        handoffs: &[
            "2020-03-08T00:30-06:00",
            "2020-03-08T01:30-06:00",
            "2020-03-08T03:00-05:00",
            "2020-03-08T03:30-05:00",
            "2020-03-08T04:30-05:00",
        ],
    },
    Row {
        zone: CHICAGO,
        rotations: &[(Hourly, 1)],
        start: "2020-03-06T02:00",
        handoffs: &[
            "2020-03-08T01:00-06:00",
            "2020-03-08T03:00-05:00",
            "2020-03-08T04:00-05:00",
            "2020-03-08T05:00-05:00",
        ],
    },
    Row {
        zone: CHICAGO,
        rotations: &[(Hourly, 1)],
        start: "2020-10-30T02:30",
        handoffs: &[
            "2020-10-31T23:30-05:00",
            "2020-11-01T00:30-05:00",
            "2020-11-01T01:30-05:00",
            "2020-11-01T02:30-06:00",
            "2020-11-01T03:30-06:00",
            "2020-11-01T04:30-06:00",
        ],
    },
    Row {
        zone: CHICAGO,
        rotations: &[(Hourly, 1)],
        start: "2020-10-30T02:00",
        handoffs: &[
            "2020-11-01T00:00-05:00",
            "2020-11-01T01:00-05:00",
            "2020-11-01T02:00-06:00",
            "2020-11-01T03:00-06:00",
            "2020-11-01T04:00-06:00",
            "2020-11-01T05:00-06:00",
        ],
    },
    Row {
        zone: CHICAGO,
        rotations: &[(Monthly, 1)],
        start: "2020-01-02T01:30",
        handoffs: &[
            "2020-04-02T01:30-05:00",
            "2020-05-02T01:30-05:00",
            "2020-06-02T01:30-05:00",
            "2020-07-02T01:30-05:00",
        ],
    },
    Row {
        zone: CHICAGO,
        rotations: &[(Monthly, 1)],
        start: "2020-10-01T01:30",
        handoffs: &[
            "2020-10-01T01:30-05:00",
            "2020-11-01T01:30-05:00",
            "2020-12-01T01:30-06:00",
            "2021-01-01T01:30-06:00",
        ],
    },
    Row {
        zone: LORD_HOWE,
        rotations: &[(Hourly, 1)],
        start: "2021-04-03T02:30",
        handoffs: &[
            "2021-04-04T00:30+11:00",
            "2021-04-04T01:30+11:00",
            "2021-04-04T02:30+10:30",
            "2021-04-04T03:30+10:30",
            "2021-04-04T04:30+10:30",
        ],
    },
    Row {
        zone: LORD_HOWE,
        rotations: &[(Daily, 1)],
        start: "2021-04-01T02:30",
        handoffs: &[
            "2021-04-01T02:30+11:00",
            "2021-04-02T02:30+11:00",
            "2021-04-03T02:30+11:00",
            "2021-04-04T02:30+10:30",
            "2021-04-05T02:30+10:30",
            "2021-04-06T02:30+10:30",
        ],
    },
    Row {
        zone: LORD_HOWE,
        rotations: DAY,
        start: "2021-04-02T02:00",
        handoffs: &[
            "2021-04-01T02:00+11:00",
            "2021-04-02T02:00+11:00",
            "2021-04-03T02:00+11:00",
            "2021-04-04T02:00+10:30",
            "2021-04-05T02:00+10:30",
            "2021-04-06T02:00+10:30",
        ],
    },
    Row {
        zone: LORD_HOWE,
        rotations: DAY,
        start: "2020-10-02T01:30",
        handoffs: &[
            "2020-10-01T01:30+10:30",
            "2020-10-02T01:30+10:30",
            "2020-10-03T01:30+10:30",
            "2020-10-04T01:30+10:30",
            "2020-10-05T01:30+11:00",
            "2020-10-06T01:30+11:00",
        ],
    },
    Row {
        zone: LORD_HOWE,
        rotations: &[(Daily, 1)],
        start: "2020-10-02T02:15",
        handoffs: &[
            "2020-10-01T02:15+10:30",
            "2020-10-02T02:15+10:30",
            "2020-10-03T02:15+10:30",
            "2020-10-04T02:30+11:00",
            "2020-10-05T02:15+11:00",
            "2020-10-06T02:15+11:00",
        ],
    },
];

#[test]
fn handoffs_are_exactly_these() {
    for row in TABLE {
        let expected: Vec<DateTime<Utc>> = row.handoffs.iter().map(|text| at(text)).collect();
        let (first, last) = (expected[0], expected[expected.len() - 1]);
        for (unit, every) in row.rotations {
            // More people than turns that a change can skip, so that each handoff is seen.
            let schedule = simple(row.zone, *unit, *every, row.start, 7);
            let found: Vec<_> = schedule
                .handoffs(first, last + TimeDelta::seconds(1))
                .into_iter()
                .map(|one| one.at)
                .collect();
            assert_eq!(found, expected, "{unit:?}×{every} in {} from {}", row.zone, row.start);
            walk(&schedule, &expected);
        }
    }
}

/// In steps of half a minute, one day at most at each handoff.
fn walk(schedule: &bugle_schedule::Schedule, handoffs: &[DateTime<Utc>]) {
    let step = TimeDelta::seconds(30);
    for pair in handoffs.windows(2) {
        let mut now = pair[0];
        let holder = schedule.on_call_at(now);
        assert_eq!(holder.len(), 1);
        assert_ne!(schedule.on_call_at(now - step), holder, "changes at {now}");
        while now < pair[1].min(pair[0] + TimeDelta::days(1)) {
            assert_eq!(schedule.on_call_at(now), holder, "at {now}");
            now += step;
        }
        assert_eq!(schedule.on_call_at(pair[1] - step), holder);
    }
}

#[test]
fn an_hour_that_the_clock_repeats_is_one_turn_of_two_hours() {
    let schedule = simple(CHICAGO, Hourly, 1, "2017-11-01T00:00", 5);
    let shifts = schedule.shifts(at("2017-11-05T01:00-05:00"), at("2017-11-05T02:00-06:00"));
    assert_eq!(shifts.len(), 1);
    assert_eq!(shifts[0].end - shifts[0].start, TimeDelta::hours(2));
}

#[test]
fn a_turn_before_an_hour_that_is_skipped_ends_in_time() {
    let schedule = simple(CHICAGO, Hourly, 1, "2017-03-11T00:00", 5);
    let next = schedule.next_handoff(at("2017-03-12T01:59-06:00")).unwrap();
    assert_eq!(next.at, at("2017-03-12T03:00-05:00"));
}

#[test]
fn a_restriction_from_midnight_lasts_through_a_clock_put_back_past_midnight() {
    // Until 2011 the clock of Goose Bay went back at one past midnight, to the evening before.
    let sundays = Layer {
        restrictions: vec![restriction(&[Weekday::Sun], "00:00", "00:00")],
        ..layer(rotation(Daily, 1, "2010-01-01T00:00"), 2)
    };
    let schedule = schedule(Tz::America__Goose_Bay, vec![sundays]);
    let (start, end) = (at("2010-11-07T00:00-03:00"), at("2010-11-08T00:00-04:00"));
    let shifts = schedule.shifts(at("2010-11-06T00:00Z"), at("2010-11-09T00:00Z"));
    assert_eq!(shifts.iter().map(|shift| (shift.start, shift.end)).collect::<Vec<_>>(), [(start, end)]);
    for minute in (0..25 * 60).step_by(5) {
        let time = start + TimeDelta::minutes(minute);
        assert_eq!(schedule.on_call_at(time).len(), 1, "{time}");
        let rest = schedule.shifts(time, time + TimeDelta::minutes(1));
        assert_eq!(rest.len(), 1, "{time}");
    }
}
