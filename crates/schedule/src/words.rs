//! Times as people read them.

use crate::wall::wall;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

/// An instant on the clock of `zone`, such as `Tue 1 Dec 2026, 09:00`.
#[must_use]
pub fn time_in_words(at: DateTime<Utc>, zone: Tz) -> String {
    wall(zone, at).format("%a %-d %b %Y, %H:%M").to_string()
}

/// From when to when on the clock of `zone`, which is named, such as
/// `from Tue 1 Dec 2026, 09:00 until Tue 8 Dec 2026, 09:00 (Europe/Vienna)`.
#[must_use]
pub fn range_in_words(from: DateTime<Utc>, to: DateTime<Utc>, zone: Tz) -> String {
    format!("from {} until {} ({})", time_in_words(from, zone), time_in_words(to, zone), zone.name())
}
