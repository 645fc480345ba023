//! Who is missing: times that the layers have somebody for, and nobody is there.

use crate::Schedule;
use crate::answers::Gap;
use bugle_model::UserId;
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;

impl Schedule {
    /// When the layers have somebody within `from..to` and yet nobody is on call: an override takes them out, or they are not among `members` any
    /// more. Times that the layers leave free by themselves, such as nights, are none. In order, at most
    /// [`MAX_RANGE_DAYS`](crate::limits::MAX_RANGE_DAYS) long.
    #[must_use]
    pub fn missing(&self, from: DateTime<Utc>, to: DateTime<Utc>, members: &BTreeSet<UserId>) -> Vec<Gap> {
        let by_layers = Self { overrides: Vec::new(), ..self.clone() };
        let meant = joined(by_layers.shifts(from, to).iter().map(|shift| (shift.start, shift.end)));
        let there = self.shifts(from, to).into_iter().filter(|shift| members.contains(&shift.who));
        let there = joined(there.map(|shift| (shift.start, shift.end)));
        let mut missing = Vec::new();
        for Gap { start, end } in meant {
            let mut at = start;
            for one in there.iter().filter(|one| one.end > start && one.start < end) {
                if at < one.start {
                    missing.push(Gap { start: at, end: one.start });
                }
                at = one.end;
            }
            if at < end {
                missing.push(Gap { start: at, end });
            }
        }
        missing
    }
}

/// Times in order of their beginning; those that overlap or touch are one.
fn joined(times: impl Iterator<Item = (DateTime<Utc>, DateTime<Utc>)>) -> Vec<Gap> {
    let mut found: Vec<Gap> = Vec::new();
    for (start, end) in times {
        match found.last_mut().filter(|last| last.end >= start) {
            Some(last) => last.end = last.end.max(end),
            None => found.push(Gap { start, end }),
        }
    }
    found
}
