//! Times as clients write them, and the correction of clients' clocks.

use super::Notes;
use bugle_model::RawItem;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use serde_json::Value;

/// A time further ahead than this is a wrong clock.
const MAX_AHEAD: TimeDelta = TimeDelta::seconds(60);
/// A time older than this is a wrong clock, or too late to be of use.
const MAX_AGE: TimeDelta = TimeDelta::days(30);
/// The client's clock is corrected when it differs by more; below, it is the network's delay.
const MIN_DRIFT: TimeDelta = TimeDelta::seconds(60);

/// Reads seconds since 1970 (a number, or one in text), or RFC 3339 with or without fraction, with `T` or a
/// blank, with or without a zone; none means UTC.
pub(crate) fn parse_timestamp(value: &Value) -> Option<DateTime<Utc>> {
    match value {
        Value::Number(number) => from_seconds(number.as_f64()?),
        Value::String(text) => parse_text(text.trim()),
        _ => None,
    }
}

fn parse_text(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.to_utc());
    }
    for format in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M"] {
        if let Ok(time) = NaiveDateTime::parse_from_str(text, format) {
            return Some(time.and_utc());
        }
    }
    for format in ["%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.f %z"] {
        if let Ok(time) = DateTime::parse_from_str(text, format) {
            return Some(time.to_utc());
        }
    }
    text.parse().ok().and_then(from_seconds)
}

fn from_seconds(seconds: f64) -> Option<DateTime<Utc>> {
    // Beyond the year 9999 nobody can write it as text any more.
    if !seconds.is_finite() || !(0.0..253_402_300_800.0).contains(&seconds) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "bounded above")]
    DateTime::from_timestamp_micros((seconds * 1_000_000.0).round() as i64)
}

/// How far the client's clock is off.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClientClock {
    correction: TimeDelta,
    received_at: DateTime<Utc>,
}

impl ClientClock {
    /// Compares when the client says it sent the item with when it came.
    pub fn new(item: &RawItem) -> Self {
        let drift = item.sent_at.map_or(TimeDelta::zero(), |sent_at| item.received_at - sent_at);
        let correction = if drift.abs() > MIN_DRIFT { drift } else { TimeDelta::zero() };
        Self { correction, received_at: item.received_at }
    }

    /// The time in terms of our clock.
    pub fn correct(&self, time: DateTime<Utc>) -> DateTime<Utc> {
        time.checked_add_signed(self.correction).unwrap_or(time)
    }

    /// The event's own time: corrected, and never far from when it was received.
    pub fn event_time(&self, value: Option<&Value>, notes: &mut Notes) -> DateTime<Utc> {
        let Some(value) = value.filter(|value| !value.is_null()) else { return self.received_at };
        let Some(time) = parse_timestamp(value) else {
            notes.note("timestamp", "not a time: the time of receiving is used");
            return self.received_at;
        };
        if !self.correction.is_zero() {
            notes.note(
                "timestamp",
                format_args!("the client's clock is {} s off: corrected", -self.correction.num_seconds()),
            );
        }
        let time = self.correct(time);
        if time > self.received_at + MAX_AHEAD {
            notes.note("timestamp", "more than 60 s in the future: the time of receiving is used");
            self.received_at
        } else if time < self.received_at - MAX_AGE {
            notes.note("timestamp", "more than 30 days old: the time of receiving is used");
            self.received_at
        } else {
            time
        }
    }
}
