//! Times as apps and loggers write them.

use super::value::text;
use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use serde_json::{Map, Value};

const FORMATS: [&str; 4] =
    ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M:%S%.f%#z"];

/// Seconds, milli-, micro- or nanoseconds since 1970 by their size, RFC 3339, or a date and time in UTC; as
/// objects PHP's `DateTime` and Log4j's instant, as a list Java's `LocalDateTime` (in UTC).
pub(super) fn timestamp(value: &Value) -> Option<DateTime<Utc>> {
    match value {
        Value::Object(parts) => of_object(parts),
        Value::Array(parts) => of_list(parts),
        _ => of_text(&text(value, 64)?),
    }
}

fn of_text(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(number) = text.parse::<f64>() {
        return since_epoch(number);
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.with_timezone(&Utc));
    }
    if let Ok(time) = DateTime::parse_from_rfc2822(text) {
        return Some(time.with_timezone(&Utc));
    }
    // Python's logging and Log4j put a comma before the fraction.
    let text = text.replace(',', ".");
    FORMATS.iter().find_map(|format| {
        DateTime::parse_from_str(&text, format)
            .map(|time| time.with_timezone(&Utc))
            .or_else(|_| NaiveDateTime::parse_from_str(&text, format).map(|time| time.and_utc()))
            .ok()
    })
}

fn of_object(parts: &Map<String, Value>) -> Option<DateTime<Utc>> {
    if let Some(seconds) = parts.get("epochSecond") {
        let nanos = parts.get("nanoOfSecond").and_then(super::value::number).unwrap_or_default();
        return DateTime::from_timestamp(seconds.as_i64()?, nanos);
    }
    let date = text(parts.get("date")?, 64)?;
    match parts.get("timezone").and_then(Value::as_str) {
        None | Some("UTC" | "GMT" | "Z") => of_text(&date),
        // A place's name would need its history of offsets.
        Some(offset) => of_text(&format!("{date}{offset}")),
    }
}

/// Year, month, day, hour, minute, and where they are not 0 second and nanosecond.
fn of_list(parts: &[Value]) -> Option<DateTime<Utc>> {
    let numbers: Option<Vec<u32>> = parts.iter().take(8).map(super::value::number).collect();
    let (date, time) = match numbers?.as_slice() {
        [year, month, day, hour, minute] => ((*year, *month, *day), (*hour, *minute, 0, 0)),
        [year, month, day, hour, minute, second] => ((*year, *month, *day), (*hour, *minute, *second, 0)),
        [year, month, day, hour, minute, second, nanos] => {
            ((*year, *month, *day), (*hour, *minute, *second, *nanos))
        }
        _ => return None,
    };
    NaiveDate::from_ymd_opt(i32::try_from(date.0).ok()?, date.1, date.2)?
        .and_hms_nano_opt(time.0, time.1, time.2, time.3)
        .map(|time| time.and_utc())
}

fn since_epoch(number: f64) -> Option<DateTime<Utc>> {
    let seconds = match number {
        n if !n.is_finite() || n < 0.0 => return None,
        n if n > 1e17 => n / 1e9,
        n if n > 1e14 => n / 1e6,
        n if n > 1e11 => n / 1e3,
        n => n,
    };
    #[expect(clippy::cast_possible_truncation, reason = "checked to be finite and small; a cast saturates")]
    let micros = (seconds * 1e6) as i64;
    DateTime::UNIX_EPOCH.checked_add_signed(TimeDelta::microseconds(micros))
}
