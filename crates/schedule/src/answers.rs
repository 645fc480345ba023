//! Questions to a schedule, and what they are answered with.

use crate::Schedule;
use crate::limits::MAX_RANGE_DAYS;
use crate::restriction::Window;
use crate::timeline::{Segment, bounded};
use crate::wall::reckonable;
use bugle_model::UserId;
use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What puts somebody on call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The layer at this place in the list, from 0.
    Layer(usize),
    /// The override at this place in the list, from 0.
    Override(usize),
}

/// Somebody who is on call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct OnCall {
    /// Who.
    pub who: UserId,
    /// By what.
    pub source: Source,
}

/// A time during which somebody is on call: `start <= t < end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Shift {
    /// When it begins.
    pub start: DateTime<Utc>,
    /// When it ends.
    pub end: DateTime<Utc>,
    /// Who is on call.
    pub who: UserId,
    /// By what; where that changes, another shift begins.
    pub source: Source,
}

/// A time during which nobody is on call: `start <= t < end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Gap {
    /// When it begins.
    pub start: DateTime<Utc>,
    /// When it ends.
    pub end: DateTime<Utc>,
}

/// An instant at which other people come on call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Handoff {
    /// When.
    pub at: DateTime<Utc>,
    /// Who was on call just before; nobody after a gap.
    pub before: BTreeSet<UserId>,
    /// Who is from then on; nobody when a gap begins.
    pub after: BTreeSet<UserId>,
}

/// How far the next of something is looked for, at each attempt.
const LOOKS_DAYS: [i64; 4] = [8, 64, 512, MAX_RANGE_DAYS];

impl Schedule {
    /// Everybody who is on call at `at`. Nobody, in a gap; more than one only by an override that adds.
    #[must_use]
    pub fn on_call_at(&self, at: DateTime<Utc>) -> Vec<OnCall> {
        self.state_at(reckonable(at))
    }

    /// The final calendar within `from..to`, cut at both ends, in order of start. For one person and source,
    /// shifts that touch are one. At most [`MAX_RANGE_DAYS`] from `from` on.
    #[must_use]
    pub fn shifts(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Shift> {
        let mut shifts: Vec<Shift> = Vec::new();
        // Those that the segment before had, by their place in the list.
        let mut running: BTreeMap<OnCall, usize> = BTreeMap::new();
        for segment in self.timeline(bounded(from, to)) {
            let Window { start, end } = segment.window;
            let mut now_running = BTreeMap::new();
            for one in segment.on_call {
                let place = running.get(&one).copied().unwrap_or(shifts.len());
                match shifts.get_mut(place) {
                    Some(shift) => shift.end = end,
                    None => shifts.push(Shift { start, end, who: one.who, source: one.source }),
                }
                now_running.insert(one, place);
            }
            running = now_running;
        }
        shifts.sort_unstable();
        shifts
    }

    /// The first time from `after` on at which `person` comes on call, with overrides counted (Grafana OnCall
    /// #4755). A shift in which they already are at `after` is not it: ask [`on_call_at`](Self::on_call_at) for
    /// that. The end is the person's, whatever layers or overrides they pass through; it is cut at
    /// [`MAX_RANGE_DAYS`], and the source is that of the beginning. `None` when there is none until then.
    #[must_use]
    pub fn next_for(&self, person: UserId, after: DateTime<Utc>) -> Option<Shift> {
        let after = reckonable(after);
        let mut found = None;
        for days in LOOKS_DAYS {
            let range = bounded(after - TimeDelta::nanoseconds(1), after + TimeDelta::days(days));
            found = first_of(person, &self.timeline(range));
            if found.is_some_and(|shift| shift.end < range.end) {
                break;
            }
        }
        found
    }

    /// When nobody is on call within `from..to`, and not before `now`: nobody can do anything about the past
    /// (Grafana OnCall #1108). At most [`MAX_RANGE_DAYS`] long.
    #[must_use]
    pub fn gaps(&self, from: DateTime<Utc>, to: DateTime<Utc>, now: DateTime<Utc>) -> Vec<Gap> {
        self.timeline(bounded(from.max(now), to))
            .into_iter()
            .filter(|segment| segment.on_call.is_empty())
            .map(|segment| Gap { start: segment.window.start, end: segment.window.end })
            .collect()
    }

    /// When other people come on call: `from <= at < to`, in order. That the same people go on being on call by
    /// another layer is none. At most [`MAX_RANGE_DAYS`] from `from` on.
    #[must_use]
    pub fn handoffs(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Handoff> {
        let segments = self.timeline(bounded(reckonable(from) - TimeDelta::nanoseconds(1), to));
        let pairs = segments.iter().zip(segments.iter().skip(1));
        pairs
            .map(|(before, after)| Handoff {
                at: after.window.start,
                before: people(before),
                after: people(after),
            })
            .filter(|handoff| handoff.before != handoff.after)
            .collect()
    }

    /// The first handoff later than `after`; `None` when there is none within [`MAX_RANGE_DAYS`].
    #[must_use]
    pub fn next_handoff(&self, after: DateTime<Utc>) -> Option<Handoff> {
        let after = reckonable(after);
        LOOKS_DAYS.into_iter().find_map(|days| {
            let handoffs = self.handoffs(after, after + TimeDelta::days(days));
            handoffs.into_iter().find(|handoff| handoff.at > after)
        })
    }
}

fn people(segment: &Segment) -> BTreeSet<UserId> {
    segment.on_call.iter().map(|one| one.who).collect()
}

fn first_of(person: UserId, segments: &[Segment]) -> Option<Shift> {
    let mut found: Option<Shift> = None;
    // Whoever is on call just before the range begins does not come on call within it.
    let mut was_on = true;
    for segment in segments {
        let on = segment.on_call.iter().find(|one| one.who == person);
        match (&mut found, on) {
            (Some(shift), Some(_)) => shift.end = segment.window.end,
            (Some(_), None) => return found,
            (None, Some(one)) if !was_on => {
                let Window { start, end } = segment.window;
                found = Some(Shift { start, end, who: person, source: one.source });
            }
            (None, _) => {}
        }
        was_on = on.is_some();
    }
    found
}
