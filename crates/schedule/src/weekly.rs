//! Times that come back every week, of what is no schedule: maintenance, say.

use crate::restriction::windows;
use crate::wall::reckonable;
use crate::{FieldError, Restriction};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Parts of the week on the wall clock of a zone. Unknown fields are an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Weekly {
    /// The zone, by its IANA name.
    #[schemars(with = "String")]
    pub zone: Tz,
    /// 1 to [`Weekly::MAX_WINDOWS`].
    pub windows: Vec<Restriction>,
}

impl Weekly {
    /// Windows of a week.
    pub const MAX_WINDOWS: usize = 20;
    /// How far ahead the end of what holds is looked for: longer than any gap of a week.
    const AHEAD: TimeDelta = TimeDelta::days(8);

    /// Whether it holds at `at`, and until when; eight days ahead when it does not end before.
    #[must_use]
    pub fn holds_until(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let at = reckonable(at);
        let first = windows(self.zone, &self.windows, at, reckonable(at + Self::AHEAD)).into_iter().next()?;
        (first.start <= at).then_some(first.end)
    }

    /// What is wrong with it.
    #[must_use]
    pub fn mistakes(&self) -> Vec<FieldError> {
        let mut found = Vec::new();
        if !(1..=Self::MAX_WINDOWS).contains(&self.windows.len()) {
            let message = format!("1 to {} windows", Self::MAX_WINDOWS);
            found.push(FieldError { path: "windows".to_owned(), message });
        }
        for (index, window) in self.windows.iter().enumerate().take(Self::MAX_WINDOWS) {
            if !(1..=7).contains(&window.weekdays.len()) {
                let path = format!("windows[{index}].weekdays");
                found.push(FieldError { path, message: "1 to 7 days".to_owned() });
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weekly(zone: Tz, days: &str, from: &str, to: &str) -> Weekly {
        let windows =
            serde_json::json!([{ "weekdays": days.split(' ').collect::<Vec<_>>(), "from": from, "to": to }]);
        Weekly { zone, windows: serde_json::from_value(windows).unwrap() }
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_window_over_midnight_holds_on_the_day_after_its_own() {
        // 2026-11-29 is a Sunday.
        let sunday = weekly(Tz::UTC, "sun", "22:00", "04:00");
        assert_eq!(sunday.holds_until(at("2026-11-29T21:59:59Z")), None);
        let end = Some(at("2026-11-30T04:00:00Z"));
        assert_eq!(sunday.holds_until(at("2026-11-29T22:00:00Z")), end);
        assert_eq!(sunday.holds_until(at("2026-11-30T03:59:59Z")), end);
        assert_eq!(sunday.holds_until(at("2026-11-30T04:00:00Z")), None);
    }

    #[test]
    fn it_goes_by_the_wall_clock_through_the_hour_that_is_skipped_and_the_one_that_comes_twice() {
        let vienna = weekly(Tz::Europe__Vienna, "sun", "02:30", "03:30");
        // In the night to 2026-03-29 the clock goes from 02:00 to 03:00: it begins at the first instant after the gap.
        assert_eq!(vienna.holds_until(at("2026-03-29T00:59:59Z")), None);
        assert_eq!(vienna.holds_until(at("2026-03-29T01:00:00Z")), Some(at("2026-03-29T01:30:00Z")));
        // In that to 2026-10-25 it shows 02:30 twice: it begins at the first.
        assert_eq!(vienna.holds_until(at("2026-10-25T00:30:00Z")), Some(at("2026-10-25T02:30:00Z")));
    }

    #[test]
    fn windows_that_meet_are_one() {
        let mut all = weekly(Tz::UTC, "mon tue wed thu fri sat sun", "00:00", "00:00");
        assert_eq!(all.holds_until(at("2026-11-29T10:00:00Z")), Some(at("2026-12-07T10:00:00Z")));
        all.windows.clear();
        let mistakes: Vec<_> = all.mistakes().into_iter().map(|error| (error.path, error.message)).collect();
        assert_eq!(mistakes, [("windows".to_owned(), "1 to 20 windows".to_owned())]);
        assert_eq!(all.holds_until(at("2026-11-29T10:00:00Z")), None);
    }
}
