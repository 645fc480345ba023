//! Quiet hours: the parts of the week in which a person's pages wait.

use crate::Restriction;
use crate::check::{FieldError, check_restrictions};
use crate::restriction::windows;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

/// Longer than any quiet hours that leave something of the week.
const LONGEST: TimeDelta = TimeDelta::days(9);

/// When quiet hours that hold `at` end, on the clock of `zone`; `None` outside of them.
#[must_use]
pub fn quiet_until(zone: Tz, hours: &[Restriction], at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let first = windows(zone, hours, at, at + LONGEST).into_iter().next()?;
    (first.start <= at).then_some(first.end)
}

/// Whether quiet hours can be kept: at most [`crate::limits::MAX_RESTRICTIONS`], and something of the week is left.
///
/// # Errors
/// Each field that is wrong, with what it must be.
pub fn check_quiet_hours(hours: &[Restriction]) -> Result<(), Vec<FieldError>> {
    check_restrictions("hours", hours)?;
    let monday = DateTime::UNIX_EPOCH + TimeDelta::days(4);
    if quiet_until(Tz::UTC, hours, monday) == Some(monday + LONGEST) {
        let message = "leave some of the week: a page that always waits never comes".to_owned();
        return Err(vec![FieldError { path: "hours".to_owned(), message }]);
    }
    Ok(())
}
