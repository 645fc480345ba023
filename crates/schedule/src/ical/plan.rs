//! What a calendar makes of a schedule that people have changed.

use super::import::{Imported, Occurrence, Problem};
use super::people::People;
use crate::{Override, OverrideKind};
use bugle_model::UserId;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How many unknown people a plan names.
const MAX_UNKNOWN: usize = 100;

/// A time of somebody that an import leaves alone: `from <= t < to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Whose.
    pub who: UserId,
    /// When it begins.
    pub from: DateTime<Utc>,
    /// When it ends.
    pub to: DateTime<Utc>,
    /// Who is on call then when an import would put them on; nobody else when `None`.
    pub instead: Option<UserId>,
}

/// Somebody whom the calendar names and nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnknownPerson {
    /// The first attendee's address, or the title: a key for `people`.
    pub name: String,
    /// How often.
    pub occurrences: usize,
    /// When it begins for the first time.
    pub first: DateTime<Utc>,
}

/// What an import makes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportPlan {
    /// The overrides, in order of their beginning; there may be more than a schedule may hold.
    pub overrides: Vec<Override>,
    /// What is left out, since that time of the person is taken.
    pub conflicts: Vec<Override>,
    /// Whose events are left out; 100 at most, by name.
    pub unknown: Vec<UnknownPerson>,
    /// Events that cannot be read; they are left out.
    pub problems: Vec<Problem>,
}

impl Imported {
    /// The overrides of what takes place, from `now` on: what is over stays as it was. Where a time of a person is taken, only that time is left out, or somebody else's.
    #[must_use]
    pub fn plan(&self, people: &People, taken: &[Taken], now: DateTime<Utc>) -> ImportPlan {
        let mut by_person: BTreeMap<UserId, Vec<&Taken>> = BTreeMap::new();
        for one in taken {
            by_person.entry(one.who).or_default().push(one);
        }
        for times in by_person.values_mut() {
            times.sort_by_key(|one| one.from);
        }
        let (found, strangers) = self.overrides(|event| people.whose(event));
        let (unknown, problems) = (unknown(&strangers), self.problems.clone());
        let mut plan = ImportPlan { unknown, problems, ..ImportPlan::default() };
        for one in found {
            let one = Override { from: one.from.max(now), ..one };
            let times = one.kind.comes_on().and_then(|who| by_person.get(&who));
            plan.add(&one, times.map(Vec::as_slice).unwrap_or_default());
        }
        plan.overrides.sort_by_key(|one| one.from);
        plan
    }
}

impl ImportPlan {
    /// Adds what of an override is free of the person's other times, which are in order.
    fn add(&mut self, one: &Override, taken: &[&Taken]) {
        let mut free_from = one.from;
        for other in taken.iter().filter(|other| other.from < one.to && one.from < other.to) {
            push(&mut self.overrides, one.kind, free_from, other.from);
            let (from, to) = (free_from.max(other.from), other.to.min(one.to));
            match other.instead {
                Some(who) => push(&mut self.overrides, OverrideKind::Add { who }, from, to),
                None => push(&mut self.conflicts, one.kind, from, to),
            }
            free_from = free_from.max(other.to);
        }
        push(&mut self.overrides, one.kind, free_from, one.to);
    }
}

fn push(list: &mut Vec<Override>, kind: OverrideKind, from: DateTime<Utc>, to: DateTime<Utc>) {
    if from < to {
        list.push(Override { from, to, kind });
    }
}

fn unknown(strangers: &[&Occurrence]) -> Vec<UnknownPerson> {
    let mut by_name: BTreeMap<&str, UnknownPerson> = BTreeMap::new();
    for event in strangers {
        let name = event.attendees.first().map_or(event.summary.trim(), String::as_str);
        // They come in order of their beginning.
        let new = || UnknownPerson { name: name.to_owned(), occurrences: 0, first: event.start };
        by_name.entry(name).or_insert_with(new).occurrences += 1;
    }
    by_name.into_values().take(MAX_UNKNOWN).collect()
}
