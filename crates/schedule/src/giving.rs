//! Shifts that go from one person to another.

use crate::answers::Source;
use crate::{OverrideKind, Schedule};
use bugle_model::UserId;
use chrono::{DateTime, Utc};
use thiserror::Error;

/// How somebody else comes to have a person's shifts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Giving {
    /// Layers put the person on call: another override replaces them.
    Replace,
    /// The overrides at these places in the list put them on call: each is passed on, see [`OverrideKind::passed_to`]. Another one that names the
    /// same person would depend on their order.
    Pass(Vec<usize>),
}

/// Why shifts cannot be given away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CannotGive {
    /// There are none.
    #[error("not on call in that time")]
    NotOnCall,
    /// An override is about a part of the time only, or takes the person out.
    #[error(
        "an override of that time names them: what it gave can be passed on as a whole, and without other shifts"
    )]
    Named,
}

impl Schedule {
    /// How the shifts that `giver` has within `from..to` can be given away at `now`, which is not after `from`.
    ///
    /// # Errors
    /// See [`CannotGive`].
    pub fn giving(
        &self,
        giver: UserId,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Giving, CannotGive> {
        let shifts = self.shifts(from, to).into_iter().filter(|shift| shift.who == giver);
        let sources: Vec<Source> = shifts.map(|shift| shift.source).collect();
        if sources.is_empty() {
            return Err(CannotGive::NotOnCall);
        }
        let overlapping = self.overrides.iter().enumerate().filter(|(_, one)| one.from < to && from < one.to);
        let naming: Vec<_> =
            overlapping.filter(|(_, one)| one.kind.names().any(|named| named == giver)).collect();
        if naming.is_empty() {
            return Ok(Giving::Replace);
        }
        // What is over of an override need not be given.
        let is_whole = |one: &crate::Override| from <= one.from.max(now) && one.to <= to;
        let all_passed = naming.iter().all(|(_, one)| one.kind.comes_on() == Some(giver) && is_whole(one));
        let places: Vec<usize> = naming.into_iter().map(|(place, _)| place).collect();
        let only_these =
            sources.iter().all(|source| matches!(source, Source::Override(place) if places.contains(place)));
        if all_passed && only_these { Ok(Giving::Pass(places)) } else { Err(CannotGive::Named) }
    }
}

impl OverrideKind {
    /// The same with somebody else on call; `None` when that one would be without it.
    #[must_use]
    pub fn passed_to(self, taker: UserId) -> Option<Self> {
        match self {
            Self::Add { .. } => Some(Self::Add { who: taker }),
            Self::Cover { .. } => Some(Self::Cover { who: taker }),
            Self::Replace { replaced, .. } => {
                (replaced != taker).then_some(Self::Replace { who: taker, replaced })
            }
            Self::Remove { .. } => Some(self),
        }
    }
}
