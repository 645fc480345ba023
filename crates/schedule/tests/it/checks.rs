//! What can be kept.

use crate::build::{WEEK, at, exception, layer, restriction, rotation, schedule, simple, user};
use bugle_schedule::RotationUnit::{Daily, Hourly, Weekly};
use bugle_schedule::{Override, OverrideKind, Schedule, Shift, Source, limits};
use chrono::TimeDelta;
use chrono_tz::Tz;

fn good() -> Schedule {
    let mut schedule = simple(Tz::Europe__Berlin, Weekly, 1, "2024-01-01T09:00", 3);
    schedule.layers[0].restrictions.push(restriction(&WEEK, "09:00", "17:00"));
    let kind = OverrideKind::Replace { who: user(1), replaced: user(2) };
    schedule.overrides.push(exception("2024-01-01T00:00Z", "2024-01-02T00:00Z", kind));
    schedule
}

/// What is wrong after a change: each as `path: message`.
fn wrong(change: impl FnOnce(&mut Schedule)) -> Vec<String> {
    let mut schedule = good();
    change(&mut schedule);
    let errors = schedule.check().unwrap_err();
    errors.into_iter().map(|error| format!("{}: {}", error.path, error.message)).collect()
}

#[test]
fn a_good_one_is_good() {
    assert_eq!(good().check(), Ok(()));
}

#[test]
fn each_limit_is_told_with_its_field() {
    assert_eq!(
        wrong(|schedule| schedule.layers = vec![schedule.layers[0].clone(); limits::MAX_LAYERS + 1]),
        ["layers: at most 30 layers"]
    );
    assert_eq!(
        wrong(|schedule| schedule.layers[0].participants = vec![None; limits::MAX_PARTICIPANTS + 1]),
        ["layers[0].participants: 1 to 100 participants"]
    );
    assert_eq!(
        wrong(|schedule| schedule.layers[0].participants.clear()),
        ["layers[0].participants: 1 to 100 participants"]
    );
    assert_eq!(
        wrong(|schedule| {
            let one = schedule.layers[0].restrictions[0].clone();
            schedule.layers[0].restrictions = vec![one; limits::MAX_RESTRICTIONS + 1];
        }),
        ["layers[0].restrictions: at most 50 restrictions"]
    );
    assert_eq!(
        wrong(|schedule| schedule.layers[0].rotation.every = 0),
        ["layers[0].rotation.every: 1 to 366"]
    );
    assert_eq!(
        wrong(|schedule| schedule.layers[0].rotation.every = 367),
        ["layers[0].rotation.every: 1 to 366"]
    );
    assert_eq!(
        wrong(|schedule| schedule.layers[0].rotation.first = 3),
        ["layers[0].rotation.first: the place of a participant: 0 to 2"]
    );
    assert_eq!(
        wrong(|schedule| schedule.layers[0].rotation = rotation(Daily, 1, "1969-01-01T00:00")),
        ["layers[0].rotation.start: within the years 1970 to 2200"]
    );
    assert_eq!(
        wrong(|schedule| schedule.layers[0].rotation.count_only_allowed = true),
        [
            "layers[0].rotation.count_only_allowed: only for a daily rotation: others count hours, weeks or months"
        ]
    );
    assert_eq!(
        wrong(|schedule| schedule.layers[0].restrictions[0].weekdays.clear()),
        ["layers[0].restrictions[0].weekdays: 1 to 7 weekdays, each once"]
    );
    assert_eq!(
        wrong(|schedule| {
            schedule.layers[0].starts = Some(at("2024-02-01T00:00Z"));
            schedule.layers[0].ends = Some(at("2024-02-01T00:00Z"));
        }),
        ["layers[0].ends: later than starts"]
    );
    assert_eq!(
        wrong(|schedule| schedule.overrides[0].to = at("2024-01-01T00:00Z")),
        ["overrides[0].to: later than from, by 366 days at most"]
    );
    assert_eq!(
        wrong(|schedule| {
            schedule.overrides[0].kind = OverrideKind::Replace { who: user(1), replaced: user(1) };
        }),
        ["overrides[0].replaced: somebody else than who"]
    );
    assert_eq!(
        wrong(|schedule| schedule.overrides = vec![schedule.overrides[0].clone(); limits::MAX_OVERRIDES + 1]),
        ["overrides: at most 1000 overrides"]
    );
}

#[test]
fn json_is_as_people_write_it() {
    let text = r#"{
        "zone": "Europe/Berlin",
        "layers": [{
            "rotation": {"unit": "daily", "start": "2024-01-01T09:00", "count_only_allowed": true},
            "participants": [1, null, 2],
            "restrictions": [{"weekdays": ["mon", "fri"], "from": "22:00", "to": "06:00:00"}]
        }],
        "overrides": [{"from": "2024-01-01T00:00:00Z", "to": "2024-01-02T00:00:00Z", "kind": "cover", "who": 4}]
    }"#;
    let schedule: Schedule = serde_json::from_str(text).unwrap();
    assert_eq!(schedule.check(), Ok(()));
    let written = serde_json::to_value(&schedule).unwrap();
    assert_eq!(
        written,
        serde_json::json!({
            "zone": "Europe/Berlin",
            "layers": [{
                "rotation": {
                    "unit": "daily", "every": 1, "start": "2024-01-01T09:00:00", "first": 0,
                    "count_only_allowed": true,
                },
                "participants": [1, null, 2],
                "restrictions": [{"weekdays": ["mon", "fri"], "from": "22:00", "to": "06:00"}],
            }],
            "overrides": [
                {"from": "2024-01-01T00:00:00Z", "to": "2024-01-02T00:00:00Z", "kind": "cover", "who": 4},
            ],
        })
    );
}

#[test]
fn json_that_is_wrong_says_what_it_should_be() {
    let error = |text: &str| serde_json::from_str::<Schedule>(text).unwrap_err().to_string();
    assert!(error(r#"{"zone": "Europe/Berln"}"#).contains("Europe/Berln"));
    assert!(error(r#"{"zone": "UTC", "layer": []}"#).contains("unknown field `layer`"));
    let start = error(
        r#"{"zone": "UTC", "layers": [{"rotation": {"unit": "daily", "start": "2024-01-01T09:00Z"}, "participants": []}]}"#,
    );
    assert!(start.contains("without an offset"), "{start}");
}

#[test]
fn the_largest_that_is_good_is_answered() {
    const DAYS: i64 = 10;
    let mut one = layer(rotation(Hourly, 1, "2024-01-01T00:30"), 100);
    one.restrictions = vec![restriction(&WEEK, "00:10", "23:50"); limits::MAX_RESTRICTIONS];
    let mut schedule = schedule(Tz::Europe__Berlin, vec![one; limits::MAX_LAYERS]);
    let from = at("2024-01-01T00:00Z");
    let to = from + TimeDelta::days(DAYS);
    let mut expected = Vec::new();
    for (number, id) in (0..limits::MAX_OVERRIDES).zip(1_000..) {
        let start = from + TimeDelta::hours(i64::try_from(number).unwrap());
        let end = start + TimeDelta::hours(48);
        let who = user(id);
        schedule.overrides.push(Override { from: start, to: end, kind: OverrideKind::Add { who } });
        if start < to {
            expected.push(Shift { start, end: end.min(to), who, source: Source::Override(number) });
        }
    }
    assert_eq!(schedule.check(), Ok(()));
    let shifts = schedule.shifts(from, to);
    let (added, of_layers): (Vec<_>, Vec<_>) =
        shifts.into_iter().partition(|shift| matches!(shift.source, Source::Override(_)));
    assert_eq!(added, expected);
    // A handoff at each half hour, and a pause in the turn of each midnight; all of the uppermost layer.
    assert_eq!(of_layers.len(), 1 + usize::try_from(DAYS * 24 + DAYS).unwrap());
    assert!(of_layers.iter().all(|shift| shift.source == Source::Layer(limits::MAX_LAYERS - 1)));
}
