//! Which events are the same issue, and why: "Bugle grouping 1".
//!
//! The algorithm, worked examples and the syntax of rules are in `docs/grouping.md`.
//!
//! Invariants: no I/O; the same event and rules give the same hashes on every machine; nothing a client sends
//! makes this panic, recurse without a bound or take more than linear time; line numbers never count.

mod basis;
mod exceptions;
mod explain;
mod fingerprint;
mod frames;
mod hash;
mod in_app;
mod names;
mod parameterise;
mod rules;
mod security;
mod title;

use basis::Basis;
use bugle_model::{Event, Exception, Frame, Stacktrace};
use fingerprint::{Explicit, Origin, Variables};
use rules::{Rules, StackRules};
use schemars::JsonSchema;
use serde::Serialize;

pub use explain::{Component, Explanation, NamedHash};
pub use hash::{Hash, hex};
pub use parameterise::{MAX_BYTES as MAX_MESSAGE_BYTES, parameterise};
pub use rules::RuleError;
pub use title::{MAX_CULPRIT, MAX_TITLE};

/// The version of the algorithm. Another version gives other hashes; events keep the version they were
/// grouped with.
pub const VERSION: i16 = 1;

/// By what an event was grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "GroupingMethod")]
pub enum Method {
    /// A rule of the project.
    Rule,
    /// The client's `checksum`.
    Checksum,
    /// The client's `fingerprint`.
    Fingerprint,
    /// A kind of error with one cause whatever its trace, such as a chunk that did not load.
    Known,
    /// The types and frames of its exceptions.
    Frames,
    /// The types and messages of its exceptions: none of their frames counts.
    Value,
    /// The frames of a thread.
    Thread,
    /// A browser's security report.
    Security,
    /// The log message.
    Message,
    /// It says nothing; its logger and transaction.
    Nothing,
}

/// What grouping has found out about an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grouping {
    /// The hashes by which the event's issue is looked up; the first known one wins, and all are then attached
    /// to the issue. Never empty; the primary first, at most two.
    pub hashes: Vec<Hash>,
    /// The version of the algorithm, [`VERSION`].
    pub version: i16,
    /// What the issue is called, at most [`MAX_TITLE`] characters.
    pub title: String,
    /// Where it happened, at most [`MAX_CULPRIT`] characters.
    pub culprit: Option<String>,
    /// The type of the exception that gives the title.
    pub error_type: Option<String>,
    /// The message of the exception that gives the title, else the log message; not shortened.
    pub error_value: Option<String>,
    /// By what it was grouped.
    pub method: Method,
}

impl Grouping {
    /// The hash that a new issue is opened with.
    #[must_use]
    pub fn primary(&self) -> Hash {
        self.hashes.first().copied().unwrap_or_default()
    }
}

/// Groups the events of one project. `Grouper::default()` has no rules.
#[derive(Debug, Clone, Default)]
pub struct Grouper {
    rules: Rules,
}

/// What both [`Grouper::group`] and [`Grouper::explain`] work from.
pub(crate) struct Analysis<'e, 'r> {
    pub(crate) event: &'e Event,
    pub(crate) stack_rules: &'r StackRules<'r>,
    pub(crate) explicit: Option<Explicit<'r>>,
    /// `None` when the fingerprint leaves nothing to it.
    pub(crate) basis: Option<Basis<'e>>,
}

impl<'e, 'r> Analysis<'e, 'r> {
    fn new(event: &'e Event, rules: &'r Rules, stack_rules: &'r StackRules<'r>) -> Self {
        let rule = rules.fingerprint(event, stack_rules);
        let explicit = Explicit::new(rule, &Variables::new(event, stack_rules));
        let needs_basis = explicit.as_ref().is_none_or(Explicit::needs_default)
            || event.exceptions.iter().any(|exception| {
                exception.mechanism.as_ref().and_then(|mechanism| mechanism.is_exception_group) == Some(true)
            });
        let basis = needs_basis.then(|| Basis::new(event, stack_rules));
        Self { event, stack_rules, explicit, basis }
    }

    /// The hashes, each with the name of what it was made from.
    pub(crate) fn hashes(&self) -> Vec<(&'static str, Hash)> {
        let default = || self.basis.as_ref().map(|basis| basis.hashes(self.event)).unwrap_or_default();
        match &self.explicit {
            None => default(),
            Some(explicit) if explicit.needs_default() => {
                default().into_iter().map(|(name, hash)| (name, explicit.hash(Some(&hash)))).collect()
            }
            Some(explicit) => vec![("fingerprint", explicit.hash(None))],
        }
    }

    /// The exception that gives the title.
    pub(crate) fn main(&self) -> Option<&'e Exception> {
        match self.basis.as_ref().and_then(Basis::chain) {
            Some(chain) => title::exception_at(self.event, chain.main),
            None => title::outermost(self.event),
        }
    }

    pub(crate) fn method(&self) -> Method {
        match &self.explicit {
            Some(Explicit { origin: Origin::Rule(_), .. }) => return Method::Rule,
            Some(Explicit { origin: Origin::Checksum, .. }) => return Method::Checksum,
            Some(Explicit { origin: Origin::Client, .. }) => return Method::Fingerprint,
            None => {}
        }
        match &self.basis {
            Some(Basis::Known { .. }) => Method::Known,
            Some(Basis::Exceptions(chain)) if chain.any_frames(&chain.used, false) => Method::Frames,
            Some(Basis::Exceptions(_)) => Method::Value,
            Some(Basis::Thread { .. }) => Method::Thread,
            Some(Basis::Security(_)) => Method::Security,
            Some(Basis::Message { .. }) => Method::Message,
            Some(Basis::Nothing) | None => Method::Nothing,
        }
    }

    /// The title, by the rule that grouped it if that names one.
    pub(crate) fn title(&self) -> String {
        if let Some(Explicit { origin: Origin::Rule(rule), .. }) = &self.explicit
            && let Some(pieces) = &rule.title
        {
            let text = Variables::new(self.event, self.stack_rules).fill(pieces, true);
            return title::shortened(text.trim(), MAX_TITLE);
        }
        title::title(self.event, self.main(), self.stack_rules)
    }

    pub(crate) fn culprit(&self) -> Option<String> {
        title::culprit(self.event, self.main(), self.stack_rules)
    }
}

impl Grouper {
    /// Reads a project's rules: at most 64 KiB and 500 rules, in the syntax of `docs/grouping.md`.
    ///
    /// # Errors
    /// The first rule that cannot be used, with its line and column and what was expected.
    pub fn new(rules: &str) -> Result<Self, RuleError> {
        Ok(Self { rules: Rules::parse(rules)? })
    }

    /// Groups an event.
    #[must_use]
    pub fn group(&self, event: &Event) -> Grouping {
        let stack_rules = self.rules.stack_rules(event);
        let analysis = Analysis::new(event, &self.rules, &stack_rules);
        let main = analysis.main();
        let message = || event.message.as_ref().map(|log| log.text().to_owned());
        Grouping {
            hashes: analysis.hashes().into_iter().map(|(_, hash)| hash).collect(),
            version: VERSION,
            title: analysis.title(),
            culprit: analysis.culprit(),
            error_type: main.and_then(|exception| exception.kind.clone()),
            error_value: main.and_then(|exception| exception.value.clone()).or_else(message),
            method: analysis.method(),
        }
    }

    /// Tells why the event is grouped as it is: what counts, what does not, and why. Its hashes are those of
    /// [`Grouper::group`].
    #[must_use]
    pub fn explain(&self, event: &Event) -> Explanation {
        let stack_rules = self.rules.stack_rules(event);
        let mut analysis = Analysis::new(event, &self.rules, &stack_rules);
        let default_counts = analysis.basis.is_some();
        if !default_counts {
            analysis.basis = Some(Basis::new(event, &stack_rules));
        }
        explain::explanation(&analysis)
    }

    /// Sets `in_app` of every frame as grouping sees it, so that what is shown agrees with how it is grouped.
    pub fn apply_in_app(&self, event: &mut Event) {
        let verdicts: Vec<bool> = {
            let rules = self.rules.stack_rules(event);
            let family = |frame| names::Family::of(&event.platform, frame);
            frames_of(event).map(|frame| frames::in_app(frame, family(frame), &rules).0).collect()
        };
        for (frame, in_app) in frames_of_mut(event).zip(verdicts) {
            frame.in_app = Some(in_app);
        }
    }

    /// Prepares an event that [`Grouper::apply_in_app`] was done to for being grouped by other rules: where a rule that the
    /// others do not have says whose a frame is, nobody has said so any more. How many frames that are: what the client said of
    /// them is not known.
    pub fn forget_in_app(&self, event: &mut Event, others: &Self) -> usize {
        let forgotten: Vec<bool> = {
            let rules = self.rules.stack_rules(event);
            frames_of(event).map(|frame| rules.decides_unlike(frame, &others.rules)).collect()
        };
        let mut count = 0;
        for (frame, _) in frames_of_mut(event).zip(forgotten).filter(|(_, forgotten)| *forgotten) {
            frame.in_app = None;
            count += 1;
        }
        count
    }
}

/// The frames of all stack traces.
fn frames_of(event: &Event) -> impl Iterator<Item = &Frame> {
    let exceptions = event.exceptions.iter().filter_map(|exception| exception.stacktrace.as_ref());
    let threads = event.threads.iter().filter_map(|thread| thread.stacktrace.as_ref());
    exceptions.chain(threads).flat_map(|stack| &stack.frames)
}

/// The same frames in the same order.
fn frames_of_mut(event: &mut Event) -> impl Iterator<Item = &mut Frame> {
    let exceptions = event.exceptions.iter_mut().filter_map(|exception| exception.stacktrace.as_mut());
    let threads = event.threads.iter_mut().filter_map(|thread| thread.stacktrace.as_mut());
    exceptions.chain(threads).flat_map(|stack: &mut Stacktrace| &mut stack.frames)
}

/// The title and the culprit of an event, without a project's rules.
#[must_use]
pub fn title(event: &Event) -> (String, Option<String>) {
    let grouping = Grouper::default().group(event);
    (grouping.title, grouping.culprit)
}
