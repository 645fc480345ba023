#![no_main]

use bugle_model::UserId;
use bugle_schedule::ical::{ImportRange, import};
use bugle_schedule::{Schedule, limits};
use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;
use libfuzzer_sys::fuzz_target;

/// 2027-01-15, noon UTC.
const NOON: i64 = 1_800_014_400;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some(from) = DateTime::from_timestamp(NOON, 0) else { return };
    let range = ImportRange { zone: Tz::Europe__Vienna, from, to: from + TimeDelta::days(366) };
    let Ok(imported) = import(text, range) else { return };
    for one in &imported.occurrences {
        assert!(one.start < one.end && one.end > range.from && one.start < range.to, "{one:?}");
    }
    let (overrides, _) = imported.overrides(|one| Some(UserId(1 + i32::from(one.summary.len() % 2 == 0))));
    if overrides.len() <= limits::MAX_OVERRIDES {
        let schedule = Schedule { zone: Tz::UTC, layers: Vec::new(), overrides };
        assert_eq!(schedule.check(), Ok(()));
    }
});
