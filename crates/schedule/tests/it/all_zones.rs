//! Every zone that there is.

use crate::build::{WEEK, layer, restriction, rotation, schedule};
use bugle_schedule::RotationUnit;
use chrono::{NaiveTime, Offset, TimeDelta, TimeZone, Utc};

/// Each day's handoff is at its time, or, where the clock skips that, when the clock goes on.
#[test]
fn a_daily_handoff_is_at_its_time_in_every_zone() {
    let mut late = 0;
    for (number, zone) in chrono_tz::TZ_VARIANTS.iter().enumerate() {
        let year = 1985 + i32::try_from(number).unwrap() * 7 % 50;
        let from = Utc.with_ymd_and_hms(year, 1, 1, 0, 0, 0).unwrap();
        let time = if number % 2 == 0 { "02:30" } else { "00:00" };
        let nominal = NaiveTime::parse_from_str(time, "%H:%M").unwrap();
        let schedule = schedule(
            *zone,
            vec![layer(rotation(RotationUnit::Daily, 1, &format!("{year}-01-01T{time}")), 5)],
        );
        for handoff in schedule.handoffs(from, from + TimeDelta::days(1_096)) {
            let local = handoff.at.with_timezone(zone);
            let wall = local.naive_local();
            if wall.time() == nominal {
                assert!(
                    zone.from_local_datetime(&wall).earliest() == Some(local),
                    "the first of two: {local:?}"
                );
            } else {
                late += 1;
                let before = (handoff.at - TimeDelta::seconds(1)).with_timezone(zone);
                assert!(local.offset().fix() != before.offset().fix(), "only after a gap: {local:?}");
                let skipped = |day: chrono::NaiveDate| {
                    zone.from_local_datetime(&day.and_time(nominal)).earliest().is_none()
                };
                assert!(skipped(wall.date()) || skipped(wall.date() - chrono::Days::new(1)), "{local:?}");
            }
        }
    }
    assert!(late > 50, "no gap was met: {late}");
}

/// Restrictions that share the week between them leave nothing out and nothing twice.
#[test]
fn restrictions_that_share_the_week_cover_it_in_every_zone() {
    for (number, zone) in chrono_tz::TZ_VARIANTS.iter().enumerate() {
        let year = 1985 + i32::try_from(number).unwrap() * 11 % 50;
        let from = Utc.with_ymd_and_hms(year, 1, 1, 0, 0, 0).unwrap();
        let to = from + TimeDelta::days(366);
        let part = |id: i32, begin: &str, end: &str| {
            let mut layer = crate::build::always(id);
            layer.restrictions = vec![restriction(&WEEK, begin, end)];
            layer
        };
        let parts = [part(1, "00:00", "01:30"), part(2, "01:30", "02:15"), part(3, "02:15", "00:00")];
        let whole = schedule(*zone, parts.to_vec());
        assert_eq!(whole.gaps(from, to, from), [], "{zone}");
        let alone: TimeDelta = parts
            .into_iter()
            .flat_map(|layer| schedule(*zone, vec![layer]).shifts(from, to))
            .map(|shift| shift.end - shift.start)
            .fold(TimeDelta::zero(), |sum, one| sum + one);
        assert_eq!(alone, to - from, "{zone}");
    }
}
