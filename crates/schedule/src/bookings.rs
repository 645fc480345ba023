//! Who is asked for twice at once.

use crate::Schedule;
use crate::answers::Shift;
use bugle_model::UserId;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Somebody who is on call in two calendars at once: `start <= t < end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct DoubleBooking {
    /// When it begins.
    pub start: DateTime<Utc>,
    /// When it ends.
    pub end: DateTime<Utc>,
    /// Who.
    pub who: UserId,
    /// The places of the two calendars in the list, the smaller first.
    pub calendars: (usize, usize),
}

/// Two overrides that name the same person for the same time, so that it depends on their order what happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct OverrideConflict {
    /// The place in the list of the one that comes later there.
    pub index: usize,
    /// The place of the other.
    pub other: usize,
    /// Whom both name.
    pub who: UserId,
}

/// When anybody is on call in two of `calendars` at once, in order of start; each is what
/// [`Schedule::shifts`] answers. Within one schedule nobody is.
#[must_use]
pub fn double_bookings(calendars: &[Vec<Shift>]) -> Vec<DoubleBooking> {
    let mut by_person: BTreeMap<UserId, Vec<(usize, &Shift)>> = BTreeMap::new();
    for (index, shifts) in calendars.iter().enumerate() {
        for shift in shifts {
            by_person.entry(shift.who).or_default().push((index, shift));
        }
    }
    let mut found: BTreeMap<(UserId, usize, usize), Vec<DoubleBooking>> = BTreeMap::new();
    for (who, mut shifts) in by_person {
        shifts.sort_unstable_by_key(|(index, shift)| (shift.start, *index));
        let mut running: Vec<(usize, &Shift)> = Vec::new();
        for (index, shift) in shifts {
            running.retain(|(_, earlier)| earlier.end > shift.start);
            for (other, earlier) in running.iter().filter(|(other, _)| *other != index) {
                let calendars = (index.min(*other), index.max(*other));
                let (start, end) = (shift.start, shift.end.min(earlier.end));
                let of_pair = found.entry((who, calendars.0, calendars.1)).or_default();
                match of_pair.last_mut().filter(|last| last.end >= start) {
                    Some(last) => last.end = last.end.max(end),
                    None => of_pair.push(DoubleBooking { start, end, who, calendars }),
                }
            }
            running.push((index, shift));
        }
    }
    let mut bookings: Vec<_> = found.into_values().flatten().collect();
    bookings.sort_unstable();
    bookings
}

impl Schedule {
    /// Overrides that overlap and name the same person, each with the earliest of those that it overlaps. As in
    /// GoAlert these are refused: see [`check`](Self::check).
    #[must_use]
    pub fn override_conflicts(&self) -> Vec<OverrideConflict> {
        let mut by_person: BTreeMap<UserId, Vec<usize>> = BTreeMap::new();
        for (index, exception) in self.overrides.iter().enumerate() {
            for who in exception.kind.names() {
                let named = by_person.entry(who).or_default();
                if named.last() != Some(&index) {
                    named.push(index);
                }
            }
        }
        let mut conflicts = Vec::new();
        for (who, indices) in by_person {
            for (place, index) in indices.iter().enumerate() {
                let overlaps = |other: &&usize| self.overlap(*index, **other);
                if let Some(other) = indices.iter().take(place).find(overlaps) {
                    conflicts.push(OverrideConflict { index: *index, other: *other, who });
                }
            }
        }
        conflicts.sort_unstable();
        conflicts
    }

    fn overlap(&self, one: usize, other: usize) -> bool {
        let (Some(one), Some(other)) = (self.overrides.get(one), self.overrides.get(other)) else {
            return false;
        };
        one.from < other.to && other.from < one.to
    }
}
