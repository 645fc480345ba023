//! A schedule as a calendar that others subscribe to.

use super::text::{escape, push_line};
use crate::Shift;
use bugle_model::UserId;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// How often a subscriber is asked to come back, as an RFC 5545 duration.
const REFRESH: &str = "PT1H";

/// What a calendar says besides its shifts.
#[derive(Debug, Clone, Copy)]
pub struct Feed<'a> {
    /// What the calendar is called.
    pub name: &'a str,
    /// What names the schedule for ever and everywhere, such as `schedule-7@bugle.example.com`; part of each
    /// event's UID. Of other characters than ASCII letters, digits and `.-_@` nothing is left.
    pub id: &'a str,
    /// What people are called. Whoever is missing is called by their id.
    pub people: &'a BTreeMap<UserId, String>,
}

impl Feed<'_> {
    /// `shifts` as an iCalendar of events, one each, in UTC.
    ///
    /// An event's UID is made of the feed's id, the person and the start: unique, because nobody has two shifts at
    /// once (Grafana OnCall #2760), and the same each time. So ask for shifts from a fixed instant on, such as the
    /// first of a month, since one that is cut is another one. The events do not make anybody busy (GoAlert #3475).
    #[must_use]
    pub fn write(&self, shifts: &[Shift], now: DateTime<Utc>) -> String {
        let mut text = String::new();
        let name = escape(self.name);
        for (key, value) in [
            ("BEGIN", "VCALENDAR"),
            ("VERSION", "2.0"),
            ("PRODID", "-//Bugle//On-call schedule//EN"),
            ("CALSCALE", "GREGORIAN"),
            ("METHOD", "PUBLISH"),
            ("NAME", name.as_str()),
            ("X-WR-CALNAME", name.as_str()),
            ("REFRESH-INTERVAL;VALUE=DURATION", REFRESH),
            ("X-PUBLISHED-TTL", REFRESH),
        ] {
            push_line(&mut text, key, value);
        }
        let id: String =
            self.id.chars().filter(|c| c.is_ascii_alphanumeric() || ".-_@".contains(*c)).collect();
        for shift in shifts {
            self.write_event(&mut text, &id, shift, now);
        }
        push_line(&mut text, "END", "VCALENDAR");
        text
    }

    fn write_event(&self, text: &mut String, id: &str, shift: &Shift, now: DateTime<Utc>) {
        let person = self.people.get(&shift.who).cloned().unwrap_or_else(|| format!("Person {}", shift.who));
        let fraction = match shift.start.timestamp_subsec_nanos() {
            0 => String::new(),
            nanos => format!(".{nanos:09}"),
        };
        let uid = format!("{}{fraction}-{}-{id}", utc(shift.start), shift.who);
        for (key, value) in [
            ("BEGIN", "VEVENT".to_owned()),
            ("UID", uid),
            ("DTSTAMP", utc(now)),
            ("DTSTART", utc(shift.start)),
            ("DTEND", utc(shift.end)),
            ("SUMMARY", escape(&format!("{person} on call: {}", self.name))),
            ("TRANSP", "TRANSPARENT".to_owned()),
            ("END", "VEVENT".to_owned()),
        ] {
            push_line(text, key, &value);
        }
    }
}

fn utc(at: DateTime<Utc>) -> String {
    at.format("%Y%m%dT%H%M%SZ").to_string()
}
