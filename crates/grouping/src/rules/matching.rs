//! Whether an event or a frame satisfies a rule's matchers.
//!
//! Matchers on exceptions speak of one and the same exception, those on frames of one and the same frame. When
//! all of them are negated, no exception (frame) may match.

use super::{Field, Matcher, StackRules};
use crate::frames;
use crate::names::Family;
use bugle_model::{Event, Exception, Frame, Stacktrace};

#[derive(PartialEq, Eq)]
enum About {
    Event,
    Exception,
    Frame,
}

const fn about(field: &Field) -> About {
    match field {
        Field::Type | Field::Value | Field::Message => About::Exception,
        Field::Module | Field::Function | Field::Path | Field::Package | Field::App => About::Frame,
        _ => About::Event,
    }
}

impl Matcher {
    fn holds(&self, text: Option<&str>) -> bool {
        text.is_some_and(|text| self.glob.matches(text)) != self.negated
    }

    fn fits(&self, text: Option<&str>) -> bool {
        text.is_some_and(|text| self.glob.matches(text))
    }
}

/// Whether the matchers on the event and on its exceptions hold.
pub(super) fn event(matchers: &[Matcher], event: &Event) -> bool {
    let of_event = matchers.iter().filter(|matcher| about(&matcher.field) == About::Event);
    for matcher in of_event {
        if !matcher.holds(field(&matcher.field, event).as_deref()) {
            return false;
        }
    }
    let of_exception = || matchers.iter().filter(|matcher| about(&matcher.field) == About::Exception);
    if of_exception().next().is_none() {
        return true;
    }
    let mut candidates = event.exceptions.iter().map(Some).chain(event.exceptions.is_empty().then_some(None));
    if of_exception().all(|matcher| matcher.negated) {
        return candidates
            .all(|exception| of_exception().all(|matcher| !fits_exception(matcher, exception, event)));
    }
    candidates.any(|exception| {
        of_exception().all(|matcher| fits_exception(matcher, exception, event) != matcher.negated)
    })
}

fn fits_exception(matcher: &Matcher, exception: Option<&Exception>, event: &Event) -> bool {
    let kind = exception.and_then(|exception| exception.kind.as_deref());
    let value = exception.and_then(|exception| exception.value.as_deref());
    match matcher.field {
        Field::Type => matcher.fits(kind),
        Field::Value => matcher.fits(value),
        _ => {
            let message = event.message.as_ref();
            matcher.fits(value)
                || matcher.fits(message.and_then(|message| message.formatted.as_deref()))
                || matcher.fits(message.and_then(|message| message.template.as_deref()))
        }
    }
}

fn field<'e>(field: &Field, event: &'e Event) -> Option<std::borrow::Cow<'e, str>> {
    let text = match field {
        Field::Level => Some(event.level.as_str()),
        Field::Logger => event.logger.as_deref(),
        Field::Release => event.release.as_deref(),
        Field::Environment => event.environment.as_deref(),
        Field::Transaction => event.transaction.as_deref(),
        Field::Platform => Some(event.platform.as_str()),
        Field::Sdk => event.sdk.as_ref().and_then(|sdk| sdk.name.as_deref()),
        Field::Tag(name) => event.tags.get(name).map(String::as_str),
        _ => None,
    };
    text.map(std::borrow::Cow::Borrowed)
}

/// All stack traces of an event.
fn stacks(event: &Event) -> impl Iterator<Item = &Stacktrace> {
    let exceptions = event.exceptions.iter().filter_map(|exception| exception.stacktrace.as_ref());
    exceptions.chain(event.threads.iter().filter_map(|thread| thread.stacktrace.as_ref()))
}

/// Whether some frame satisfies the matchers on frames.
pub(super) fn some_frame(matchers: &[Matcher], event: &Event, rules: &StackRules<'_>) -> bool {
    let of_frame = || matchers.iter().filter(|matcher| about(&matcher.field) == About::Frame);
    if of_frame().next().is_none() {
        return true;
    }
    let needs_app = of_frame().any(|matcher| matcher.field == Field::App);
    let mut frames = stacks(event).flat_map(|stack| &stack.frames).map(|frame| {
        let app = needs_app && frames::in_app(frame, Family::of(&event.platform, frame), rules).0;
        (frame, app)
    });
    if of_frame().all(|matcher| matcher.negated) {
        return frames.all(|(frame, app)| of_frame().all(|matcher| !fits_frame(matcher, frame, app)));
    }
    frames.any(|(frame, app)| of_frame().all(|matcher| fits_frame(matcher, frame, app) != matcher.negated))
}

/// Whether this frame satisfies the matchers on frames.
pub(super) fn frame(matchers: &[Matcher], frame: &Frame, app: bool) -> bool {
    matchers
        .iter()
        .filter(|matcher| about(&matcher.field) == About::Frame)
        .all(|matcher| fits_frame(matcher, frame, app) != matcher.negated)
}

fn fits_frame(matcher: &Matcher, frame: &Frame, app: bool) -> bool {
    match matcher.field {
        Field::Module => matcher.fits(frame.module.as_deref()),
        Field::Function => matcher.fits(frame.function.as_deref()),
        Field::Path => matcher.fits(frame.abs_path.as_deref()) || matcher.fits(frame.filename.as_deref()),
        Field::Package => matcher.fits(frame.package.as_deref()),
        Field::App => matcher.fits(Some(if app { "yes" } else { "no" })),
        _ => false,
    }
}
