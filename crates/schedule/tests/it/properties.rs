//! What holds of every schedule: a thousand of them, over three years, in zones with odd rules.

use crate::build::{user, wall};
use crate::oracle::Oracle;
use bugle_model::UserId;
use bugle_schedule::{
    Layer, Override, OverrideKind, Restriction, Rotation, RotationUnit, Schedule, Shift, Weekday,
};
use chrono::{DateTime, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use std::collections::BTreeSet;

/// Zones that have done something odd, each with a year in which it did.
const ODD: &[(Tz, i32)] = &[
    (Tz::America__Chicago, 2019),
    (Tz::Australia__Lord_Howe, 2020),
    (Tz::Africa__Casablanca, 2023),
    (Tz::Africa__El_Aaiun, 2024),
    (Tz::Europe__Dublin, 2023),
    (Tz::Asia__Tehran, 2020),
    (Tz::America__Sao_Paulo, 2017),
    (Tz::Pacific__Apia, 2010),
    (Tz::Pacific__Fakaofo, 2010),
    (Tz::Africa__Cairo, 2009),
    (Tz::Africa__Cairo, 2022),
    (Tz::Asia__Kathmandu, 2020),
    (Tz::America__Nuuk, 2022),
    (Tz::America__Scoresbysund, 2023),
    (Tz::Antarctica__Troll, 2022),
    (Tz::Antarctica__Casey, 2018),
    (Tz::America__Caracas, 2006),
    (Tz::America__Cancun, 1980),
    (Tz::America__Goose_Bay, 2010),
    (Tz::America__St_Johns, 2009),
    (Tz::Asia__Pyongyang, 2014),
    (Tz::Asia__Gaza, 2023),
    (Tz::America__Havana, 2021),
    (Tz::America__Santiago, 2021),
    (Tz::America__Asuncion, 2023),
    (Tz::Asia__Beirut, 2022),
    (Tz::Asia__Amman, 2021),
    (Tz::Europe__Volgograd, 2018),
    (Tz::Pacific__Norfolk, 2018),
    (Tz::Pacific__Chatham, 2020),
    (Tz::America__Godthab, 2023),
    (Tz::UTC, 2024),
];

const YEARS: i64 = 3 * 366;

fn zone_and_year() -> impl Strategy<Value = (Tz, i32)> {
    prop_oneof![
        3 => prop::sample::select(ODD),
        1 => (prop::sample::select(&chrono_tz::TZ_VARIANTS[..]), 1975..2035),
    ]
}

/// The same cases each time, so that a change is judged by itself alone; `PROPTEST_RNG_SEED` asks for others.
fn config(cases: u32) -> ProptestConfig {
    let mut config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) };
    if matches!(config.rng_seed, RngSeed::Random) {
        config.rng_seed = RngSeed::Fixed(1);
    }
    config
}

/// Times of day at which clocks change, and others.
fn time() -> impl Strategy<Value = NaiveTime> {
    prop_oneof![
        prop::sample::select(vec![
            (0, 0),
            (0, 30),
            (1, 0),
            (1, 30),
            (2, 0),
            (2, 15),
            (2, 30),
            (3, 0),
            (9, 0),
            (23, 30)
        ]),
        (0..24_u32, 0..60_u32),
    ]
    .prop_map(|(hour, minute)| NaiveTime::from_hms_opt(hour, minute, 0).unwrap())
}

fn weekdays() -> impl Strategy<Value = Vec<Weekday>> {
    prop::sample::subsequence(Weekday::ALL.to_vec(), 1..=7)
}

prop_compose! {
    fn restriction()(weekdays in weekdays(), from in time(), to in time()) -> Restriction {
        Restriction { weekdays, from, to }
    }
}

fn rotation(year: i32) -> impl Strategy<Value = Rotation> {
    let unit = prop_oneof![
        1 => (Just(RotationUnit::Hourly), 1..=30_u16),
        3 => (Just(RotationUnit::Daily), 1..=14_u16),
        2 => (Just(RotationUnit::Weekly), 1..=4_u16),
        1 => (Just(RotationUnit::Monthly), 1..=3_u16),
    ];
    (unit, -400..900_i64, time(), any::<bool>()).prop_map(
        move |((unit, every), day, time, count_only_allowed)| {
            let date = wall(&format!("{year:04}-01-31T00:00")).date() + TimeDelta::days(day);
            Rotation { unit, every, start: date.and_time(time), first: 0, count_only_allowed }
        },
    )
}

fn layer(year: i32) -> impl Strategy<Value = Layer> {
    let restrictions = prop_oneof![
        1 => Just(Vec::new()),
        1 => prop::collection::vec(restriction(), 1..4),
    ];
    (rotation(year), 2..6_i32, any::<prop::sample::Index>(), prop::bool::weighted(0.2), restrictions)
        .prop_map(|(mut rotation, count, first, buffer, restrictions)| {
            let mut participants: Vec<_> = (1..=count).map(|id| Some(user(id))).collect();
            if buffer {
                participants.push(None);
            }
            rotation.first = u16::try_from(first.index(participants.len())).unwrap();
            Layer { rotation, participants, restrictions, starts: None, ends: None }
        })
}

fn exceptions(from: DateTime<Utc>) -> impl Strategy<Value = Vec<Override>> {
    let person = || (1..8_i32).prop_map(user);
    let kind = prop_oneof![
        person().prop_map(|who| OverrideKind::Add { who }),
        person().prop_map(|who| OverrideKind::Remove { who }),
        (person(), person()).prop_map(|(who, replaced)| OverrideKind::Replace { who, replaced }),
        person().prop_map(|who| OverrideKind::Cover { who }),
    ];
    let one = (0..YEARS * 1440, 1..20_000_i64, kind).prop_map(move |(start, length, kind)| {
        let from = from + TimeDelta::minutes(start);
        Override { from, to: from + TimeDelta::minutes(length), kind }
    });
    prop::collection::vec(one, 0..6)
}

/// A schedule and when its three years begin.
fn schedule() -> impl Strategy<Value = (Schedule, DateTime<Utc>)> {
    zone_and_year().prop_flat_map(|(zone, year)| {
        let from = Utc.with_ymd_and_hms(year, 1, 1, 0, 0, 0).unwrap();
        let layers = prop::collection::vec(layer(year), 1..4);
        (layers, exceptions(from))
            .prop_map(move |(layers, overrides)| (Schedule { zone, layers, overrides }, from))
    })
}

fn local(zone: Tz, at: DateTime<Utc>) -> NaiveDateTime {
    at.with_timezone(&zone).naive_local()
}

fn offset(zone: Tz, at: DateTime<Utc>) -> i32 {
    zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc()
}

/// When the zone's offset changes within three years from `from`, to the minute.
fn transitions(zone: Tz, from: DateTime<Utc>) -> Vec<DateTime<Utc>> {
    let mut found = Vec::new();
    for step in 0..YEARS / 3 {
        let mut before = from + TimeDelta::days(3 * step);
        let mut after = before + TimeDelta::days(3);
        if offset(zone, before) == offset(zone, after) {
            continue;
        }
        while after - before > TimeDelta::minutes(1) {
            let middle = before + TimeDelta::minutes((after - before).num_minutes() / 2);
            if offset(zone, middle) == offset(zone, before) { before = middle } else { after = middle }
        }
        found.push(after);
    }
    found
}

fn people_at(shifts: &[Shift], at: DateTime<Utc>) -> BTreeSet<UserId> {
    shifts.iter().filter(|shift| shift.start <= at && at < shift.end).map(|shift| shift.who).collect()
}

/// The shifts that have anything in a range.
fn near(shifts: &[Shift], from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Shift> {
    shifts.iter().filter(|shift| shift.start < to && shift.end > from).copied().collect()
}

fn compare(
    schedule: &Schedule,
    shifts: &[Shift],
    from: DateTime<Utc>,
    minutes: i64,
) -> Result<(), TestCaseError> {
    let near = near(shifts, from, from + TimeDelta::minutes(minutes));
    let mut oracle = Oracle::new(schedule, from);
    for minute in 0..minutes {
        let at = from + TimeDelta::minutes(minute);
        oracle.walk_to(at);
        let expected = oracle.on_call();
        prop_assert_eq!(&people_at(&near, at), &expected, "{} in {}", at, schedule.zone);
        if minute % 7 == 0 {
            let found: BTreeSet<_> = schedule.on_call_at(at).iter().map(|one| one.who).collect();
            prop_assert_eq!(&found, &expected, "{} in {}", at, schedule.zone);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(config(1_000))]

    /// Minute by minute around each change of the clock, and on some other day.
    #[test]
    fn agrees_with_the_slow_way((schedule, from) in schedule(), day in 0..YEARS) {
        // Changes are looked for, and exceptions begin, up to three days past the years; each is looked at from before.
        let shifts = schedule.shifts(from - TimeDelta::days(1), from + TimeDelta::days(YEARS + 4));
        let changes = transitions(schedule.zone, from + TimeDelta::days(3));
        for change in changes.into_iter().take(4) {
            compare(&schedule, &shifts, change - TimeDelta::minutes(95), 190)?;
        }
        compare(&schedule, &shifts, from + TimeDelta::days(day), 90)?;
        for exception in schedule.overrides.iter().take(2) {
            compare(&schedule, &shifts, exception.from - TimeDelta::minutes(3), 6)?;
        }
    }

}

proptest! {
    #![proptest_config(config(100))]

    /// Without restrictions and empty slots, somebody alone is on call at every instant, and turns follow each other.
    #[test]
    fn one_layer_leaves_no_gap_and_no_overlap((zone, year) in zone_and_year(), layer in layer(2020), back in 0..2_000_i64) {
        let mut layer = layer;
        layer.participants.retain(Option::is_some);
        layer.rotation.first = 0;
        layer.restrictions.clear();
        let from = Utc.with_ymd_and_hms(year, 1, 1, 0, 0, 0).unwrap() + TimeDelta::minutes(back);
        let to = from + TimeDelta::days(YEARS);
        let schedule = Schedule { zone, layers: vec![layer], overrides: Vec::new() };
        let shifts = schedule.shifts(from, to);
        prop_assert_eq!(shifts.first().map(|shift| shift.start), Some(from));
        prop_assert_eq!(shifts.last().map(|shift| shift.end), Some(to));
        for pair in shifts.windows(2) {
            prop_assert!(pair[0].start < pair[0].end);
            prop_assert_eq!(pair[0].end, pair[1].start);
            prop_assert_ne!(pair[0].who, pair[1].who);
        }
        prop_assert!(schedule.gaps(from, to, from).is_empty());
    }

    /// Whatever cuts a range in two, the halves are the whole.
    #[test]
    fn a_range_is_the_sum_of_its_parts((schedule, from) in schedule(), middle in 1..60 * 1_440_i64) {
        let (cut, to) = (from + TimeDelta::minutes(middle), from + TimeDelta::days(61));
        let whole = schedule.shifts(from, to);
        let mut parts = schedule.shifts(from, cut);
        for shift in schedule.shifts(cut, to) {
            let goes_on = |one: &&mut Shift| one.end == cut && shift.start == cut && (one.who, one.source) == (shift.who, shift.source);
            match parts.iter_mut().find(goes_on) {
                Some(one) => one.end = shift.end,
                None => parts.push(shift),
            }
        }
        parts.sort_unstable();
        prop_assert_eq!(parts, whole);
    }

    /// An override changes nothing outside of its time, and nothing at all once it is deleted.
    #[test]
    fn an_override_can_be_taken_back((mut schedule, from) in schedule(), start in 0..50 * 1_440_i64, length in 1..10_000_i64) {
        let to = from + TimeDelta::days(60);
        let before = schedule.shifts(from, to);
        let begin = from + TimeDelta::minutes(start);
        let end = begin + TimeDelta::minutes(length);
        schedule.overrides.push(Override { from: begin, to: end, kind: OverrideKind::Cover { who: user(99) } });
        let covered = schedule.shifts(from, to);
        for (time, outside) in [(begin - TimeDelta::seconds(1), true), (begin, false), (end - TimeDelta::seconds(1), false), (end, true)] {
            if time < from {
                continue;
            }
            let expected = if outside { people_at(&before, time) } else { BTreeSet::from([user(99)]) };
            prop_assert_eq!(people_at(&covered, time), expected);
        }
        schedule.overrides.pop();
        prop_assert_eq!(schedule.shifts(from, to), before);
    }

    /// Whoever has a turn keeps it when the zone changes, or other participants.
    #[test]
    fn a_change_of_zone_or_people_keeps_the_turn((mut schedule, from) in schedule(), (other, _) in zone_and_year(), minutes in 0..YEARS * 1_440, gone in 1..6_i32) {
        schedule.overrides.clear();
        for layer in &mut schedule.layers {
            layer.restrictions.clear();
        }
        let now = from + TimeDelta::minutes(minutes);
        let before = schedule.on_call_at(now);
        prop_assert_eq!(schedule.with_zone(other, now).on_call_at(now), before.clone());

        let top = schedule.layers.len() - 1;
        let mut people: Vec<_> = schedule.layers[top].participants.clone();
        people.retain(|who| *who != Some(user(gone)));
        people.insert(0, Some(user(77)));
        let changed = schedule.with_participants(top, people, now);
        if !before.iter().any(|one| one.who == user(gone)) {
            prop_assert_eq!(changed.on_call_at(now), before);
        }
    }

    /// What the short answers say is what the calendar says.
    #[test]
    fn answers_agree_with_the_calendar((schedule, from) in schedule(), minutes in 0..30 * 1_440_i64, who in 1..8_i32) {
        let after = from + TimeDelta::minutes(minutes);
        let to = after + TimeDelta::days(200);
        let handoffs = schedule.handoffs(after, to);
        let next = schedule.next_handoff(after);
        let expected = handoffs.iter().find(|one| one.at > after);
        if expected.is_some() {
            prop_assert_eq!(next.as_ref(), expected);
        }
        for handoff in handoffs.iter().take(20) {
            let now: BTreeSet<_> = schedule.on_call_at(handoff.at).iter().map(|one| one.who).collect();
            let just_before: BTreeSet<_> = schedule.on_call_at(handoff.at - TimeDelta::seconds(1)).iter().map(|one| one.who).collect();
            prop_assert_eq!(&now, &handoff.after);
            prop_assert_eq!(&just_before, &handoff.before);
        }
        let comes_on = handoffs.iter().find(|one| one.after.contains(&user(who)) && !one.before.contains(&user(who)));
        if let Some(handoff) = comes_on {
            prop_assert_eq!(schedule.next_for(user(who), after).map(|shift| shift.start), Some(handoff.at));
        }
    }

    /// JSON and back.
    #[test]
    fn a_schedule_survives_json((schedule, _) in schedule()) {
        let text = serde_json::to_string(&schedule).unwrap();
        prop_assert_eq!(serde_json::from_str::<Schedule>(&text).unwrap(), schedule);
    }

    /// A turn by days differs from so many times 24 hours only where the clock changes, and by just that.
    #[test]
    fn days_are_as_long_as_the_clock_says((zone, year) in zone_and_year(), time in time(), every in 1..10_u16) {
        let start = wall(&format!("{year:04}-01-01T00:00")).date().and_time(time);
        let rotation = Rotation { unit: RotationUnit::Daily, every, start, first: 0, count_only_allowed: false };
        let participants = (1..=5).map(|id| Some(user(id))).collect();
        let layer = Layer { rotation, participants, restrictions: Vec::new(), starts: None, ends: None };
        let schedule = Schedule { zone, layers: vec![layer], overrides: Vec::new() };
        let from = Utc.with_ymd_and_hms(year, 1, 3, 0, 0, 0).unwrap();
        let handoffs = schedule.handoffs(from, from + TimeDelta::days(YEARS));
        for pair in handoffs.windows(2) {
            let (one, other) = (pair[0].at, pair[1].at);
            // At a time that is skipped the turn begins late; and a day that is skipped is nobody's.
            if local(zone, one).time() != time || local(zone, other).time() != time {
                continue;
            }
            let days = (local(zone, other) - local(zone, one)).num_days();
            prop_assert!(days == i64::from(every) || zone == Tz::Pacific__Apia || zone == Tz::Pacific__Fakaofo || days % i64::from(every) == 0);
            let change = TimeDelta::seconds(i64::from(offset(zone, other) - offset(zone, one)));
            prop_assert_eq!(other - one, TimeDelta::days(days) - change);
        }
    }
}
