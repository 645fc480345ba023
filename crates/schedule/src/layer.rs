//! Layers: a rotation, its participants, and when it applies.

use crate::restriction::{Restriction, Week, Window, windows};
use crate::rotation::{Clockwork, Rotation};
use bugle_model::UserId;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Participants who take turns. Unknown fields are an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// How turns follow each other.
    pub rotation: Rotation,
    /// Who takes turns, in order; [`MAX_PARTICIPANTS`](crate::limits::MAX_PARTICIPANTS) at most. `null` is a turn of
    /// nobody's: a layer below has it, or it is a gap (GoAlert #3049).
    pub participants: Vec<Option<UserId>>,
    /// When the layer applies, any of these; always when empty. [`MAX_RESTRICTIONS`](crate::limits::MAX_RESTRICTIONS)
    /// at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restrictions: Vec<Restriction>,
    /// From when the layer applies; always, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts: Option<DateTime<Utc>>,
    /// When the layer ends to apply; never, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<DateTime<Utc>>,
}

/// Somebody, from one instant to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span<T> {
    pub window: Window,
    pub what: T,
}

impl Layer {
    /// The place in the list of the participant whose turn it is, whether or not the layer applies then. `None`
    /// without participants.
    pub(crate) fn place_at(&self, zone: Tz, at: DateTime<Utc>) -> Option<usize> {
        self.place(self.clockwork(zone).turn_at(at).number)
    }

    /// Whom the layer has at `at`.
    pub(crate) fn holder_at(&self, zone: Tz, at: DateTime<Utc>) -> Option<UserId> {
        let just = TimeDelta::nanoseconds(1);
        if self.applies(zone, at, at + just).is_empty() {
            return None;
        }
        self.participants.get(self.place_at(zone, at)?).copied().flatten()
    }

    /// Whom the layer has within `from..to`, in order; adjacent spans are of different people.
    pub(crate) fn spans(&self, zone: Tz, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Span<UserId>> {
        let open = self.applies(zone, from, to);
        let (Some(first), Some(last)) = (open.first(), open.last()) else { return Vec::new() };
        within(&self.turns(zone, first.start, last.end), &open)
    }

    fn applies(&self, zone: Tz, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Window> {
        let start = self.starts.map_or(from, |starts| starts.max(from));
        let end = self.ends.map_or(to, |ends| ends.min(to));
        if start >= end {
            Vec::new()
        } else if self.restrictions.is_empty() {
            vec![Window { start, end }]
        } else {
            windows(zone, &self.restrictions, start, end)
        }
    }

    fn turns(&self, zone: Tz, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Span<UserId>> {
        let mut spans: Vec<Span<UserId>> = Vec::new();
        let mut add = |who: Option<UserId>, start: DateTime<Utc>, end: DateTime<Utc>| {
            let Some(what) = who else { return };
            match spans.last_mut().filter(|last| last.what == what && last.window.end == start) {
                Some(last) => last.window.end = end,
                None => spans.push(Span { window: Window { start, end }, what }),
            }
        };
        // Turns of the same person make no difference: an hourly rotation of one would be counted out for nothing.
        if let Some((only, rest)) = self.participants.split_first()
            && rest.iter().all(|other| other == only)
        {
            add(*only, from, to);
            return spans;
        }
        let clockwork = self.clockwork(zone);
        let mut turn = clockwork.turn_at(from);
        loop {
            let who =
                self.place(turn.number).and_then(|place| self.participants.get(place).copied()).flatten();
            add(who, turn.start.max(from), turn.end.min(to));
            let next = clockwork.next(turn);
            if next.start >= to || next.end <= next.start {
                return spans;
            }
            turn = next;
        }
    }

    fn place(&self, turn: i64) -> Option<usize> {
        let count = i64::try_from(self.participants.len()).ok().filter(|count| *count > 0)?;
        usize::try_from((turn + i64::from(self.rotation.first)).rem_euclid(count)).ok()
    }

    fn clockwork(&self, zone: Tz) -> Clockwork {
        Clockwork::new(&self.rotation, zone, Week::of(&self.restrictions))
    }
}

/// The parts of `spans` that lie within `open`. Both are in order.
fn within(spans: &[Span<UserId>], open: &[Window]) -> Vec<Span<UserId>> {
    let mut parts = Vec::new();
    let mut later = spans;
    for window in open {
        while let Some((span, rest)) = later.split_first() {
            let start = span.window.start.max(window.start);
            let end = span.window.end.min(window.end);
            if start < end {
                parts.push(Span { window: Window { start, end }, what: span.what });
            }
            if span.window.end > window.end {
                break;
            }
            later = rest;
        }
    }
    parts
}
