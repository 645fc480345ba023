//! Somebody else's calendar as shifts.

use super::moment::{Length, Moment, shortened};
use super::read::{Property, RawEvent, read};
use super::repeat::{Budget, starts};
use crate::limits::{
    MAX_FEED_BYTES, MAX_FEED_DAYS, MAX_FEED_DEPTH, MAX_FEED_EVENTS, MAX_FEED_OCCURRENCES, MAX_FEED_RECURRING,
    MAX_FEED_STEPS, MAX_OVERRIDE_DAYS,
};
use crate::wall::{reckonable, wall};
use crate::{Override, OverrideKind};
use bugle_model::UserId;
use chrono::{DateTime, Datelike, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

/// The years in which an event may begin; what lies far outside is a mistake, and reckoned with nowhere.
const YEARS: std::ops::RangeInclusive<i32> = 1900..=9_000;

/// Those of an event who are kept, so that not everybody of a large one is kept for each time it repeats.
const MAX_ATTENDEES: usize = 50;
/// Characters of a UID or a title that are kept.
const MAX_TEXT: usize = 255;

/// What of a calendar is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportRange {
    /// The zone of whole days and of times that name none, unless the calendar says (`X-WR-TIMEZONE`).
    pub zone: Tz,
    /// From when on.
    pub from: DateTime<Utc>,
    /// Until when; [`MAX_FEED_DAYS`] after `from` at most is looked at.
    pub to: DateTime<Utc>,
}

/// One time that an event takes place: `start <= t < end`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Occurrence {
    /// When it begins.
    pub start: DateTime<Utc>,
    /// When it ends.
    pub end: DateTime<Utc>,
    /// The event's UID; all its occurrences have the same. Empty when there is none; 255 characters at most.
    pub uid: String,
    /// Its title; 255 characters at most.
    pub summary: String,
    /// The e-mail addresses of those who attend, as written; 50 at most.
    pub attendees: Vec<String>,
}

/// An event, or a part of one, that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CalendarProblem")]
pub struct Problem {
    /// The event's UID; empty when there is none.
    pub uid: String,
    /// Why.
    pub message: String,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Imported {
    /// Whatever takes place within the range, whole, in order of start.
    pub occurrences: Vec<Occurrence>,
    /// What was left out.
    pub problems: Vec<Problem>,
}

/// Why a calendar was refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ImportError {
    /// It is too long.
    #[error("the calendar is larger than {MAX_FEED_BYTES} bytes")]
    TooLarge,
    /// Its text is something else.
    #[error("this is no calendar: it does not begin with BEGIN:VCALENDAR")]
    NotACalendar,
    /// It is one, but broken.
    #[error("the calendar cannot be read at `{text}`")]
    Unreadable {
        /// Where, counted from 1: lines that are folded are one, and empty ones are none.
        line: usize,
        /// The beginning of that line.
        text: String,
    },
    /// Components within components within components.
    #[error("the calendar's components are nested more than {MAX_FEED_DEPTH} deep")]
    TooDeep,
    /// Too many events.
    #[error("the calendar has {0} events, at most {MAX_FEED_EVENTS} are read")]
    TooManyEvents(usize),
    /// Too many events that repeat.
    #[error("the calendar has {0} events that repeat, at most {MAX_FEED_RECURRING} are read")]
    TooManyRecurring(usize),
    /// Too much takes place.
    #[error("the calendar's events take place more than {MAX_FEED_OCCURRENCES} times within the range")]
    TooManyOccurrences,
    /// Events repeat for too long, or too often.
    #[error("the calendar's events repeat too often: more than {MAX_FEED_STEPS} times were looked at")]
    TooManySteps,
    /// Several events repeat by a rule that matches no day.
    #[error("several events repeat by rules that match no day")]
    DryRules,
}

impl ImportError {
    /// What is wrong, without a word of the calendar: for logs and mails.
    #[must_use]
    pub fn without_content(&self) -> String {
        match self {
            Self::Unreadable { line, .. } => format!("the calendar cannot be read at line {line}"),
            other => other.to_string(),
        }
    }
}

/// What takes place within `range` by the calendar `text`.
///
/// Understood are events with start and end or duration, in UTC, in a named zone, floating, or of whole days; that
/// repeat by RRULE and RDATE, but for EXDATE and single ones that were moved or cancelled (RECURRENCE-ID). An event
/// that is not understood is left out and named among the problems; nothing is placed in a zone by guessing.
/// VTIMEZONE is not read: zones are known by name.
///
/// # Errors
/// When the calendar cannot be read, or goes over a limit; see [`ImportError`].
pub fn import(text: &str, range: ImportRange) -> Result<Imported, ImportError> {
    let (events, own_zone) = read(text)?;
    let from = reckonable(range.from);
    let to = reckonable(range.to).min(from + TimeDelta::days(MAX_FEED_DAYS));
    let mut reader = Reader {
        zone: own_zone.unwrap_or(range.zone),
        from,
        to,
        budget: Budget::default(),
        found: Imported::default(),
    };

    let mut moved: BTreeMap<String, BTreeSet<DateTime<Utc>>> = BTreeMap::new();
    for event in events.iter().filter(|event| event.first("RECURRENCE-ID").is_some()) {
        if let Some(at) = reader.moved_from(event) {
            moved.entry(event.text("UID")).or_default().insert(at);
        }
    }
    let nothing_moved = BTreeSet::new();
    for event in &events {
        let is_single = event.first("RECURRENCE-ID").is_some();
        let moved = if is_single { None } else { moved.get(&event.text("UID")) };
        reader.event(event, moved.unwrap_or(&nothing_moved))?;
    }
    reader.found.occurrences.sort_unstable();
    Ok(reader.found)
}

impl Imported {
    /// Overrides for the occurrences of which `person` knows whose they are, and those of which it does not. They
    /// add, so that a schedule without layers is the calendar. What overlaps or touches is one for each person,
    /// so that they are no conflicts; there may be more than a schedule may hold, for a range that is too long.
    pub fn overrides(
        &self,
        person: impl Fn(&Occurrence) -> Option<UserId>,
    ) -> (Vec<Override>, Vec<&Occurrence>) {
        let mut by_person: BTreeMap<UserId, Vec<Override>> = BTreeMap::new();
        let mut unknown = Vec::new();
        for occurrence in &self.occurrences {
            match person(occurrence) {
                Some(who) => join(by_person.entry(who).or_default(), who, occurrence.start, occurrence.end),
                None => unknown.push(occurrence),
            }
        }
        let mut overrides: Vec<_> = by_person.into_values().flatten().collect();
        overrides.sort_by_key(|one| one.from);
        (overrides, unknown)
    }
}

/// Adds a time to the overrides of one person, none of which begins later.
fn join(overrides: &mut Vec<Override>, who: UserId, from: DateTime<Utc>, to: DateTime<Utc>) {
    let mut from = from;
    if let Some(last) = overrides.last_mut().filter(|last| last.to >= from) {
        if to - last.from <= TimeDelta::days(MAX_OVERRIDE_DAYS) {
            last.to = last.to.max(to);
            return;
        }
        from = last.to;
    }
    if from < to {
        overrides.push(Override { from, to, kind: OverrideKind::Add { who } });
    }
}

/// Begins of an event, each with its end.
type Times = BTreeMap<DateTime<Utc>, DateTime<Utc>>;

struct Reader {
    zone: Tz,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    budget: Budget,
    found: Imported,
}

impl Reader {
    fn problem(&mut self, event: &RawEvent, message: String) {
        self.found.problems.push(Problem { uid: shortened(&event.text("UID")), message });
    }

    fn moved_from(&mut self, event: &RawEvent) -> Option<DateTime<Utc>> {
        let property = event.first("RECURRENCE-ID")?;
        if property.parameter("RANGE").is_some() {
            self.problem(event, "RECURRENCE-ID: RANGE is not supported, only this one is moved".to_owned());
        }
        match Moment::read(property, &property.value, self.zone) {
            Ok(moment) => Some(moment.at()),
            Err(message) => {
                self.problem(event, message);
                None
            }
        }
    }

    fn event(&mut self, event: &RawEvent, moved: &BTreeSet<DateTime<Utc>>) -> Result<(), ImportError> {
        if event.text("STATUS").eq_ignore_ascii_case("CANCELLED") {
            return Ok(());
        }
        match self.times(event, moved)? {
            Ok(times) => self.keep(event, times),
            Err(message) => {
                self.problem(event, message);
                Ok(())
            }
        }
    }

    fn keep(&mut self, event: &RawEvent, times: Times) -> Result<(), ImportError> {
        let (from, to) = (self.from, self.to);
        for (start, end) in times.into_iter().filter(|(start, end)| *start < to && *end > from) {
            if self.found.occurrences.len() >= MAX_FEED_OCCURRENCES {
                return Err(ImportError::TooManyOccurrences);
            }
            self.found.occurrences.push(Occurrence {
                start,
                end,
                uid: cut(&event.text("UID")),
                summary: cut(&event.text("SUMMARY")),
                attendees: event.all("ATTENDEE").take(MAX_ATTENDEES).map(|who| cut(address(who))).collect(),
            });
        }
        Ok(())
    }

    /// When an event takes place, near the range.
    fn times(
        &mut self,
        event: &RawEvent,
        moved: &BTreeSet<DateTime<Utc>>,
    ) -> Result<Result<Times, String>, ImportError> {
        let (start, length) = match start_and_length(event, self.zone) {
            Ok(known) => known,
            Err(message) => return Ok(Err(message)),
        };
        // A zone's clock is at most a day and a half from any other, before or after a change.
        let slack = TimeDelta::days(2);
        let near = (wall(start.zone, self.from) - length.total() - slack, wall(start.zone, self.to) + slack);
        let single = event.first("RECURRENCE-ID").is_some();
        let mut walls: Vec<NaiveDateTime> = match event.first("RRULE").filter(|_| !single) {
            None => vec![start.wall],
            Some(rule) => match starts(rule, start, near, &mut self.budget)? {
                Ok(walls) => walls,
                Err(message) => return Ok(Err(message)),
            },
        };
        let (more, fewer) = match (moments(event, "RDATE", self.zone), moments(event, "EXDATE", self.zone)) {
            (Ok(more), Ok(fewer)) => (more, fewer),
            (Err(message), _) | (_, Err(message)) => return Ok(Err(message)),
        };
        walls.extend(more.iter().map(|moment| {
            if moment.zone == start.zone { moment.wall } else { wall(start.zone, moment.at()) }
        }));
        let left_out: BTreeSet<_> = fewer.iter().map(|moment| moment.at()).collect();
        let times = walls.into_iter().filter_map(|begin| {
            let at = start.at_wall(begin);
            let end = length.end(start, begin).filter(|end| *end > at)?;
            (!left_out.contains(&at) && !moved.contains(&at)).then_some((at, end))
        });
        Ok(Ok(times.collect()))
    }
}

fn start_and_length(event: &RawEvent, zone: Tz) -> Result<(Moment, Length), String> {
    let property = event.first("DTSTART").ok_or("DTSTART is missing")?;
    let start = Moment::read(property, &property.value, zone)?;
    if !YEARS.contains(&start.wall.year()) {
        return Err(format!("DTSTART: within the years {} to {}", YEARS.start(), YEARS.end()));
    }
    let length = if let Some(property) = event.first("DTEND") {
        Length::between(start, Moment::read(property, &property.value, zone)?)
    } else if let Some(property) = event.first("DURATION") {
        Length::read(&property.value)
            .ok_or_else(|| format!("DURATION: `{}` is no duration", shortened(&property.value)))?
    } else {
        // What the standard says of an event that has neither.
        let days = i64::from(start.whole_day);
        Length { nominal: TimeDelta::days(days), exact: TimeDelta::zero() }
    };
    if length.total() <= TimeDelta::zero() {
        return Err("the event takes no time".to_owned());
    }
    if length.total() > TimeDelta::days(MAX_OVERRIDE_DAYS) {
        return Err(format!("the event is longer than {MAX_OVERRIDE_DAYS} days"));
    }
    Ok((start, length))
}

fn moments(event: &RawEvent, name: &str, zone: Tz) -> Result<Vec<Moment>, String> {
    event
        .all(name)
        .flat_map(|property| property.value.split(',').map(move |value| (property, value)))
        .map(|(property, value)| Moment::read(property, value, zone))
        .collect()
}

fn address(property: &Property) -> &str {
    let value = property.value.trim();
    match value.split_at_checked(7) {
        Some((scheme, address)) if scheme.eq_ignore_ascii_case("mailto:") => address,
        _ => value,
    }
}

fn cut(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}
