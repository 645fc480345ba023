//! Changes that leave whoever has the turn their turn.

use crate::wall::reckonable;
use crate::{Layer, Schedule};
use bugle_model::UserId;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

impl Schedule {
    /// This schedule with other participants in layer `index`. Whoever has the turn at `now` keeps it; when they
    /// are not among `participants`, the next in the old order who is has it (GoAlert #2375). Handoffs stay when
    /// they were. A layer that there is not changes nothing.
    #[must_use]
    pub fn with_participants(
        &self,
        index: usize,
        participants: Vec<Option<UserId>>,
        now: DateTime<Utc>,
    ) -> Self {
        let Some(layer) = self.layers.get(index) else { return self.clone() };
        self.with_layer(index, Layer { participants, ..layer.clone() }, now)
    }

    /// This schedule with `changed` instead of layer `index`, such that whoever has the turn at `now` has it still,
    /// whatever changes: `changed.rotation.first` is set for that. As for who follows those who are gone, see
    /// [`with_participants`](Self::with_participants).
    #[must_use]
    pub fn with_layer(&self, index: usize, changed: Layer, now: DateTime<Utc>) -> Self {
        let mut schedule = self.clone();
        if let Some(layer) = schedule.layers.get_mut(index) {
            let changed = successor(layer, self.zone, changed, self.zone, now);
            *layer = changed;
        }
        schedule
    }

    /// This schedule in another zone. Handoffs and restrictions keep their times of day, now those of `zone`;
    /// whoever has a layer's turn at `now` keeps it.
    #[must_use]
    pub fn with_zone(&self, zone: Tz, now: DateTime<Utc>) -> Self {
        let moved = |layer: &Layer| successor(layer, self.zone, layer.clone(), zone, now);
        Self { zone, layers: self.layers.iter().map(moved).collect(), overrides: self.overrides.clone() }
    }
}

fn successor(old: &Layer, old_zone: Tz, mut new: Layer, new_zone: Tz, now: DateTime<Utc>) -> Layer {
    let now = reckonable(now);
    let wanted = old.place_at(old_zone, now).and_then(|place| place_of_heir(old, place, &new));
    let (Some(wanted), Some(actual)) = (wanted, new.place_at(new_zone, now)) else { return new };
    let count = new.participants.len();
    let first = (usize::from(new.rotation.first) + count + wanted - actual) % count;
    new.rotation.first = u16::try_from(first).unwrap_or(0);
    new
}

/// Where in `new` whoever has place `active` in `old` is, or the next of `old` who is in `new`.
fn place_of_heir(old: &Layer, active: usize, new: &Layer) -> Option<usize> {
    let count = old.participants.len();
    (0..count).find_map(|by| {
        let place = (active + by) % count;
        // A turn of nobody's stays one, but nobody is no heir of somebody.
        let who = old.participants.get(place).filter(|who| by == 0 || who.is_some())?;
        // Somebody with several places, or one of several empty slots, keeps the one of the same number.
        let earlier = old.participants.iter().take(place).filter(|other| *other == who).count();
        let mut places =
            new.participants.iter().enumerate().filter(|(_, other)| *other == who).map(|(place, _)| place);
        let first = places.next()?;
        if earlier == 0 { Some(first) } else { Some(places.nth(earlier - 1).unwrap_or(first)) }
    })
}
