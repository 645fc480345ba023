//! What an issue may be ignored until.

use bugle_model::IssueStatus;
use bugle_store::issues::IgnoreUntil;
use bugle_web::Problem;
use chrono::{DateTime, TimeDelta, Utc};

const FIELD: &str = "ignore_until";
const MOST: i64 = 1_000_000_000;
const LONGEST: TimeDelta = TimeDelta::days(3_660);

/// Refuses a condition that has no status `ignored` beside it, or that makes no sense.
pub(super) fn check(
    status: Option<IssueStatus>,
    until: Option<IgnoreUntil>,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let Some(until) = until else { return Ok(()) };
    let refused = |message: &str| Err(Problem::invalid_field(FIELD, message));
    if status != Some(IssueStatus::Ignored) {
        return refused("goes with the status `ignored` only");
    }
    match until {
        IgnoreUntil::Time(time) if time <= now => refused("is not in the future"),
        IgnoreUntil::Time(time) if time - now > LONGEST => refused("is over ten years away"),
        IgnoreUntil::Events(number) | IgnoreUntil::Users(number) if !(1..=MOST).contains(&number) => {
            refused("expected a number from 1 to 1000000000")
        }
        IgnoreUntil::Escalates(false) => refused("`escalates` is true or not there"),
        _ => Ok(()),
    }
}
