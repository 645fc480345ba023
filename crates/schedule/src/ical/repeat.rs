//! When an event that repeats takes place.
//!
//! Rules come from strangers, and one can ask for any number of times, or for none at all after any amount of
//! looking. So a rule may not be finer than hours, its start is moved up to where the range begins, all rules of a
//! calendar share a number of steps, and few may find nothing.

use super::import::ImportError;
use super::moment::{Moment, shortened};
use super::read::Property;
use crate::limits::MAX_FEED_STEPS;
use crate::wall::wall;
use chrono::{NaiveDateTime, NaiveTime, TimeDelta};
use rrule::{Frequency, RRule, RRuleSet, Unvalidated};

const MAX_RULE_BYTES: usize = 512;
/// Times of day that a rule may name.
const MAX_TIMES_OF_DAY: usize = 24;
/// Rules of one calendar that find nothing: each costs as long as a thousand good ones.
const MAX_DRY_RULES: usize = 3;

/// What all rules of one calendar share.
#[derive(Debug, Default)]
pub(super) struct Budget {
    steps: usize,
    dry: usize,
}

/// The times on the clock of `start` at which an event with `rule` begins, between `from` and `to` on that clock.
///
/// # Errors
/// The inner error is the event's alone, the outer one the whole calendar's.
pub(super) fn starts(
    rule: &Property,
    start: Moment,
    (from, to): (NaiveDateTime, NaiveDateTime),
    budget: &mut Budget,
) -> Result<Result<Vec<NaiveDateTime>, String>, ImportError> {
    let (rule, until) = match read_rule(rule, start) {
        Ok(read) => read,
        Err(message) => return Ok(Err(message)),
    };
    let count = rule.get_count();
    let first = if count.is_none() { moved_up(&rule, start.wall, from) } else { start.wall };
    // The clock is taken as if it were UTC's: a rule is about what the clock shows, and only the results are placed
    // in time.
    let set: RRuleSet = match rule.build(first.and_utc().with_timezone(&rrule::Tz::UTC)) {
        Ok(set) => set.limit(),
        Err(error) => return Ok(Err(format!("RRULE: {}", shortened(&error.to_string())))),
    };
    let last = until.map_or(to, |until| until.min(to));
    let mut found = Vec::new();
    let mut produced = 0_u32;
    for time in &set {
        budget.steps += 1;
        if budget.steps > MAX_FEED_STEPS {
            return Err(ImportError::TooManySteps);
        }
        produced += 1;
        let time = time.naive_utc();
        if time > last {
            return Ok(Ok(found));
        }
        if time >= from {
            found.push(time);
        }
    }
    if count.is_none_or(|count| produced < count) {
        budget.dry += 1;
        if budget.dry > MAX_DRY_RULES {
            return Err(ImportError::DryRules);
        }
        if found.is_empty() {
            return Ok(Err("RRULE: matches no day".to_owned()));
        }
    }
    Ok(Ok(found))
}

/// The rule without its end, and the end on the clock of `start`: UNTIL is in UTC as a rule, but the rule is about
/// the clock (Grafana OnCall #1661).
fn read_rule(
    property: &Property,
    start: Moment,
) -> Result<(RRule<Unvalidated>, Option<NaiveDateTime>), String> {
    let text = property.value.trim();
    if text.len() > MAX_RULE_BYTES {
        return Err(format!("RRULE: at most {MAX_RULE_BYTES} bytes"));
    }
    // RFC 5545, 3.3.10 knows no others, and the library cuts a day of the week off by bytes.
    if let Some(other) = text.chars().find(|c| !c.is_ascii()) {
        return Err(format!("RRULE: `{}` is not ASCII", other.escape_default()));
    }
    let mut until = None;
    let mut times_of_day = 1;
    let mut kept = Vec::new();
    for part in text.split(';').filter(|part| !part.trim().is_empty()) {
        let (key, value) = part.split_once('=').ok_or_else(|| format!("RRULE: `{}`", shortened(part)))?;
        match key.trim().to_ascii_uppercase().as_str() {
            "UNTIL" => until = Some(until_on_clock(property, value, start)?),
            "FREQ" if matches!(value.trim().to_ascii_uppercase().as_str(), "SECONDLY" | "MINUTELY") => {
                return Err("RRULE: more often than hourly".to_owned());
            }
            "BYHOUR" | "BYMINUTE" => {
                times_of_day *= value.split(',').count();
                kept.push(part);
            }
            "FREQ" | "INTERVAL" | "COUNT" | "WKST" | "BYDAY" | "BYMONTH" | "BYMONTHDAY" | "BYYEARDAY"
            | "BYWEEKNO" | "BYSETPOS" => kept.push(part),
            other => return Err(format!("RRULE: `{}` is not supported", shortened(other))),
        }
    }
    if times_of_day > MAX_TIMES_OF_DAY {
        return Err(format!("RRULE: at most {MAX_TIMES_OF_DAY} times of day"));
    }
    let rule: RRule<Unvalidated> = kept
        .join(";")
        .to_ascii_uppercase()
        .parse()
        .map_err(|error: rrule::RRuleError| format!("RRULE: {}", shortened(&error.to_string())))?;
    if rule.get_interval() == 0 {
        return Err("RRULE: INTERVAL is at least 1".to_owned());
    }
    Ok((rule, until))
}

fn until_on_clock(property: &Property, value: &str, start: Moment) -> Result<NaiveDateTime, String> {
    let until = Moment::read(property, value, start.zone)?;
    if until.whole_day {
        return Ok(until.wall.date().and_time(NaiveTime::from_hms_opt(23, 59, 59).unwrap_or(NaiveTime::MIN)));
    }
    if until.zone == start.zone || start.whole_day {
        Ok(until.wall)
    } else {
        Ok(wall(start.zone, until.at()))
    }
}

/// `start`, moved towards `from` by a multiple of the rule's period, so that no time is spent on the past.
fn moved_up(rule: &RRule<Unvalidated>, start: NaiveDateTime, from: NaiveDateTime) -> NaiveDateTime {
    let hours = match rule.get_freq() {
        Frequency::Hourly => 1,
        Frequency::Daily => 24,
        Frequency::Weekly => 7 * 24,
        // Months are not alike, and few.
        _ => return start,
    };
    let period = hours * i64::from(rule.get_interval());
    // A week's first days may come before the day of the start, so one period is left.
    let periods = (from - start).num_hours() / period - 1;
    if periods <= 0 {
        return start;
    }
    TimeDelta::try_hours(periods * period).and_then(|by| start.checked_add_signed(by)).unwrap_or(start)
}
