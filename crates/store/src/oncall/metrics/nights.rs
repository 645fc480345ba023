//! Whom pages woke. Zones are reckoned with here and not in PostgreSQL, whose tables of them are not ours.

use super::PersonMetrics;
use bugle_model::UserId;
use bugle_schedule::{NIGHT_FROM, NIGHT_TO};
use chrono::{DateTime, NaiveDate, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use serde::Deserialize;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Pages that were sent to somebody within a quarter of an hour.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Quarter {
    pub user: UserId,
    pub name: String,
    pub zone: String,
    pub start: DateTime<Utc>,
    pub pages: i64,
}

/// Each person's, who was paged most first.
pub(super) fn people(quarters: Vec<Quarter>) -> Vec<PersonMetrics> {
    let mut people: BTreeMap<UserId, (PersonMetrics, BTreeSet<NaiveDate>)> = BTreeMap::new();
    for Quarter { user, name, zone, start, pages } in quarters {
        let nobody = PersonMetrics { user, name, pages: 0, night_pages: 0, interrupted_nights: 0 };
        let (person, nights) = people.entry(user).or_insert_with(|| (nobody, BTreeSet::new()));
        person.pages += pages;
        if let Some(night) = night(start, zone.parse().unwrap_or(Tz::UTC)) {
            person.night_pages += pages;
            nights.insert(night);
        }
    }
    let mut people: Vec<PersonMetrics> = people
        .into_values()
        .map(|(person, nights)| PersonMetrics {
            interrupted_nights: i64::try_from(nights.len()).unwrap_or(i64::MAX),
            ..person
        })
        .collect();
    people.sort_by_key(|person| (Reverse(person.pages), person.user));
    people
}

/// The night that a moment is in, by the day on which it began.
fn night(at: DateTime<Utc>, zone: Tz) -> Option<NaiveDate> {
    let wall = at.with_timezone(&zone).naive_local();
    match wall.hour() {
        NIGHT_FROM.. => Some(wall.date()),
        ..NIGHT_TO => Some((wall - TimeDelta::days(1)).date()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quarter(user: i32, zone: &str, start: &str, pages: i64) -> Quarter {
        let start = DateTime::parse_from_rfc3339(start).unwrap().to_utc();
        Quarter { user: UserId(user), name: format!("person {user}"), zone: zone.to_owned(), start, pages }
    }

    #[test]
    fn a_night_goes_from_22_to_7_by_the_persons_clock_also_over_midnight() {
        let found = people(vec![
            quarter(1, "Europe/Vienna", "2026-11-20T20:45:00Z", 1), // 21:45
            quarter(1, "Europe/Vienna", "2026-11-20T21:00:00Z", 2), // 22:00
            quarter(1, "Europe/Vienna", "2026-11-21T05:45:00Z", 4), // 06:45, the same night
            quarter(1, "Europe/Vienna", "2026-11-21T06:00:00Z", 8), // 07:00
            quarter(2, "Asia/Kathmandu", "2026-11-20T16:15:00Z", 16), // 22:00
            quarter(2, "Asia/Kathmandu", "2026-11-20T16:00:00Z", 1), // 21:45
            quarter(3, "nowhere", "2026-11-20T23:00:00Z", 1),
        ]);
        let told: Vec<_> = found
            .iter()
            .map(|one| (one.user.0, one.pages, one.night_pages, one.interrupted_nights))
            .collect();
        assert_eq!(told, [(2, 17, 16, 1), (1, 15, 6, 1), (3, 1, 1, 1)]);
    }

    #[test]
    fn the_night_in_which_clocks_change_is_one() {
        let found = people(vec![
            quarter(1, "Europe/Vienna", "2026-10-24T20:00:00Z", 1), // 22:00 summer time
            quarter(1, "Europe/Vienna", "2026-10-25T00:30:00Z", 1), // 02:30 for the first time
            quarter(1, "Europe/Vienna", "2026-10-25T01:30:00Z", 1), // 02:30 for the second time
            quarter(1, "Europe/Vienna", "2026-10-25T05:45:00Z", 1), // 06:45
            quarter(1, "Europe/Vienna", "2026-10-25T21:00:00Z", 1), // the next night
        ]);
        assert_eq!((found[0].night_pages, found[0].interrupted_nights), (5, 2));
    }
}
