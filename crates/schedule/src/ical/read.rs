//! The events of a calendar's text.

use super::import::ImportError;
use super::moment::shortened;
use super::text::content_lines;
use super::zones::zone;
use crate::limits::{MAX_FEED_BYTES, MAX_FEED_DEPTH, MAX_FEED_EVENTS, MAX_FEED_RECURRING};
use chrono_tz::Tz;
use icalendar::parser::{self, Component, read_calendar_simple};

/// A line of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Property {
    pub name: String,
    pub value: String,
    parameters: Vec<(String, String)>,
}

impl Property {
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// The lines of one event that matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct RawEvent(Vec<Property>);

impl RawEvent {
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &Property> {
        self.0.iter().filter(move |property| property.name.eq_ignore_ascii_case(name))
    }

    pub(super) fn first(&self, name: &str) -> Option<&Property> {
        self.all(name).next()
    }

    pub(super) fn text(&self, name: &str) -> String {
        self.first(name).map(|property| property.value.trim().to_owned()).unwrap_or_default()
    }
}

/// The events of `text`, and the zone that the calendar says it is in.
pub(super) fn read(text: &str) -> Result<(Vec<RawEvent>, Option<Tz>), ImportError> {
    if text.len() > MAX_FEED_BYTES {
        return Err(ImportError::TooLarge);
    }
    let lines = content_lines(text);
    check_shape(&lines)?;
    let text = lines.join("\r\n") + "\r\n";
    let calendar = read_calendar_simple(&text)
        .map_err(|error| unreadable(&text, error.input))?
        .into_iter()
        .find(|component| is(component, "VCALENDAR"))
        .ok_or(ImportError::NotACalendar)?;
    let own_zone = calendar
        .properties
        .iter()
        .find(|property| property.name.as_str().eq_ignore_ascii_case("X-WR-TIMEZONE"))
        .and_then(|property| zone(property.val.as_str()));
    let events = calendar.components.iter().filter(|component| is(component, "VEVENT")).map(raw).collect();
    Ok((events, own_zone))
}

/// `rest` is the end of `text`, from where it cannot be read.
fn unreadable(text: &str, rest: &str) -> ImportError {
    let read = text.get(..text.len().saturating_sub(rest.len())).unwrap_or_default();
    let line = 1 + read.matches('\n').count();
    ImportError::Unreadable { line, text: shortened(rest.lines().next().unwrap_or_default()) }
}

/// Counts before anything is parsed: the parser calls itself for each component within another.
fn check_shape(lines: &[String]) -> Result<(), ImportError> {
    let (mut depth, mut events, mut recurring) = (0_usize, 0_usize, 0_usize);
    for line in lines {
        let (name, rest) = line.split_once([':', ';']).unwrap_or((line, ""));
        match name.trim().to_ascii_uppercase().as_str() {
            "BEGIN" => {
                depth += 1;
                events += usize::from(rest.trim().eq_ignore_ascii_case("VEVENT"));
            }
            "END" => depth = depth.saturating_sub(1),
            "RRULE" if depth == 2 => recurring += 1,
            _ => {}
        }
        if depth > MAX_FEED_DEPTH {
            return Err(ImportError::TooDeep);
        }
    }
    if events > MAX_FEED_EVENTS {
        return Err(ImportError::TooManyEvents(events));
    }
    if recurring > MAX_FEED_RECURRING {
        return Err(ImportError::TooManyRecurring(recurring));
    }
    Ok(())
}

fn is(component: &Component<'_>, name: &str) -> bool {
    component.name.as_str().eq_ignore_ascii_case(name)
}

fn raw(component: &Component<'_>) -> RawEvent {
    RawEvent(component.properties.iter().map(own).collect())
}

fn own(property: &parser::Property<'_>) -> Property {
    let parameters = property.params.iter().map(|parameter| {
        let value = parameter.val.as_ref().map(|value| value.as_str().to_owned());
        (parameter.key.as_str().to_owned(), value.unwrap_or_default())
    });
    Property {
        name: property.name.as_str().to_owned(),
        value: property.val.as_str().to_owned(),
        parameters: parameters.collect(),
    }
}
