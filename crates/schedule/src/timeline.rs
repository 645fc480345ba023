//! The whole of a schedule as one list of segments, from which every answer is read.

use crate::Schedule;
use crate::answers::{OnCall, Source};
use crate::layer::Span;
use crate::limits::MAX_RANGE_DAYS;
use crate::overlay::overlay;
use crate::restriction::Window;
use crate::wall::reckonable;
use bugle_model::UserId;
use chrono::{DateTime, TimeDelta, Utc};

/// A time during which nothing changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    pub window: Window,
    /// Who is on call; in no order that means anything.
    pub on_call: Vec<OnCall>,
}

/// `from..to` as far as a question looks.
pub(crate) fn bounded(from: DateTime<Utc>, to: DateTime<Utc>) -> Window {
    let start = reckonable(from);
    Window { start, end: reckonable(to).min(start + TimeDelta::days(MAX_RANGE_DAYS)) }
}

impl Schedule {
    /// Segments that cover `range` without gap or overlap. Adjacent ones differ.
    pub(crate) fn timeline(&self, range: Window) -> Vec<Segment> {
        if range.start >= range.end {
            return Vec::new();
        }
        let base = fill(&self.layers_within(range), range);
        merged(self.overridden(base, range))
    }

    /// Who is on call at `at`, from scratch.
    pub(crate) fn state_at(&self, at: DateTime<Utc>) -> Vec<OnCall> {
        let holder = |(index, layer): (usize, &crate::Layer)| {
            let who = layer.holder_at(self.zone, at)?;
            Some(OnCall { who, source: Source::Layer(index) })
        };
        let mut on_call: Vec<OnCall> =
            self.layers.iter().enumerate().rev().find_map(holder).into_iter().collect();
        for (index, exception) in self.overrides.iter().enumerate() {
            if exception.applies_at(at) {
                exception.kind.apply(index, &mut on_call);
            }
        }
        on_call
    }

    fn layers_within(&self, range: Window) -> Vec<Span<(usize, UserId)>> {
        self.layers.iter().enumerate().fold(Vec::new(), |below, (index, layer)| {
            let above: Vec<_> = layer
                .spans(self.zone, range.start, range.end)
                .into_iter()
                .map(|span| Span { window: span.window, what: (index, span.what) })
                .collect();
            overlay(&below, &above)
        })
    }

    fn overridden(&self, base: Vec<Segment>, range: Window) -> Vec<Segment> {
        let touches = |exception: &crate::Override| exception.from < range.end && exception.to > range.start;
        let exceptions: Vec<_> =
            self.overrides.iter().enumerate().filter(|(_, exception)| touches(exception)).collect();
        if exceptions.is_empty() {
            return base;
        }
        let mut cuts: Vec<_> = exceptions.iter().flat_map(|(_, one)| [one.from, one.to]).collect();
        cuts.push(range.end);
        cuts.sort_unstable();
        cuts.dedup();

        let mut result = Vec::with_capacity(base.len() + cuts.len());
        let mut base = base.into_iter().peekable();
        let mut at = range.start;
        for cut in cuts.into_iter().filter(|cut| *cut > range.start && *cut <= range.end) {
            let active: Vec<_> = exceptions.iter().filter(|(_, one)| one.applies_at(at)).collect();
            while let Some(segment) = base.peek() {
                let window = Window { start: segment.window.start.max(at), end: segment.window.end.min(cut) };
                let mut on_call = segment.on_call.clone();
                for (index, exception) in &active {
                    exception.kind.apply(*index, &mut on_call);
                }
                result.push(Segment { window, on_call });
                if segment.window.end > cut {
                    break;
                }
                base.next();
                if window.end == cut {
                    break;
                }
            }
            at = cut;
        }
        result
    }
}

fn fill(spans: &[Span<(usize, UserId)>], range: Window) -> Vec<Segment> {
    let mut segments = Vec::with_capacity(spans.len() + 1);
    let mut at = range.start;
    let nobody = |start, end| Segment { window: Window { start, end }, on_call: Vec::new() };
    for span in spans {
        if at < span.window.start {
            segments.push(nobody(at, span.window.start));
        }
        let (index, who) = span.what;
        segments.push(Segment {
            window: span.window,
            on_call: vec![OnCall { who, source: Source::Layer(index) }],
        });
        at = span.window.end;
    }
    if at < range.end {
        segments.push(nobody(at, range.end));
    }
    segments
}

fn merged(mut segments: Vec<Segment>) -> Vec<Segment> {
    segments.dedup_by(|next, kept| {
        let same = next.on_call == kept.on_call;
        if same {
            kept.window.end = next.window.end;
        }
        same
    });
    segments
}
