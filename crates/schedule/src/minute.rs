//! Times of day and wall-clock times to the minute, as people enter them.
//!
//! Seconds and smaller parts are accepted and dropped: a start with microseconds once broke the matching of shifts
//! elsewhere (Grafana OnCall #5196).

use chrono::{NaiveDateTime, NaiveTime, Timelike};

/// `wall` at its full minute.
pub(crate) fn truncate(wall: NaiveDateTime) -> NaiveDateTime {
    wall.date().and_time(truncate_time(wall.time()))
}

/// `time` at its full minute.
pub(crate) fn truncate_time(time: NaiveTime) -> NaiveTime {
    NaiveTime::from_hms_opt(time.hour(), time.minute(), 0).unwrap_or(NaiveTime::MIN)
}

/// `2020-10-30T01:30:00`; seconds and fraction may be missing.
pub(crate) mod wall {
    use super::truncate;
    use chrono::NaiveDateTime;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    const FORMATS: [&str; 2] = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"];

    pub(crate) fn serialize<S: Serializer>(wall: &NaiveDateTime, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&truncate(*wall).format("%Y-%m-%dT%H:%M:%S"))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<NaiveDateTime, D::Error> {
        let text = String::deserialize(from)?;
        FORMATS
            .iter()
            .find_map(|format| NaiveDateTime::parse_from_str(&text, format).ok())
            .map(truncate)
            .ok_or_else(|| {
                D::Error::custom("must be a date and time without an offset, like `2026-03-01T09:00`")
            })
    }
}

/// `09:00`; seconds and fraction may follow.
pub(crate) mod time {
    use super::truncate_time;
    use chrono::NaiveTime;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    const FORMATS: [&str; 2] = ["%H:%M", "%H:%M:%S%.f"];

    pub(crate) fn serialize<S: Serializer>(time: &NaiveTime, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&time.format("%H:%M"))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<NaiveTime, D::Error> {
        let text = String::deserialize(from)?;
        FORMATS
            .iter()
            .find_map(|format| NaiveTime::parse_from_str(&text, format).ok())
            .map(truncate_time)
            .ok_or_else(|| D::Error::custom("must be a time of day like `09:00`"))
    }
}
