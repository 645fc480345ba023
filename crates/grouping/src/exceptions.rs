//! The chain of exceptions, and the tree of an exception group.

use crate::frames::StackPart;
use crate::hash::{Hash, Parts};
use crate::names::{self, Family};
use crate::parameterise::{parameterised, strip_log_prefix};
use crate::rules::StackRules;
use bugle_model::{Event, Exception, Stacktrace};
use serde_json::Value;
use std::borrow::Cow;

/// Of longer chains only the outermost exceptions count.
pub(crate) const MAX_EXCEPTIONS: usize = 64;

/// What an exception says beside its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tells {
    /// Its frames, and its message when `and_value`.
    Frames { and_value: bool },
    /// Its message.
    Value,
    /// Nothing: its frames are all a library's, while another exception of the chain has frames of the app.
    Nothing,
}

/// One exception as grouping sees it.
#[derive(Debug)]
pub(crate) struct ExceptionPart<'e> {
    pub(crate) exception: &'e Exception,
    /// The type; `None` without one and when the client made it up.
    pub(crate) kind: Option<Cow<'e, str>>,
    pub(crate) stack: StackPart<'e>,
    /// The log message's template, where the exception is only the carrier of a message.
    template: Option<&'e str>,
}

/// The types of errors that say that the stack was used up; JavaScript tells it in the message.
fn is_overflow(exception: &Exception) -> bool {
    let kind = exception.kind.as_deref().unwrap_or_default();
    let kind = kind.rsplit(['.', '\\']).next().unwrap_or(kind);
    let value = exception.value.as_deref().unwrap_or_default();
    match kind {
        "RecursionError"
        | "StackOverflowError"
        | "SystemStackError"
        | "StackOverflowException"
        | "InsufficientExecutionStackException" => true,
        "RangeError" => value.contains("Maximum call stack"),
        "InternalError" => value.contains("too much recursion"),
        "RuntimeError" => value.contains("maximum recursion depth"),
        _ => false,
    }
}

/// The beginnings of the messages with which Rust's own code panics. All panics have one type, so that these
/// are what an index error and a failed assertion of one function differ by.
const PANICS: [&str; 22] = [
    "called `Option::unwrap()`",
    "called `Option::unwrap_none()`",
    "called `Result::unwrap()`",
    "called `Result::unwrap_err()`",
    "index out of bounds",
    "range end index",
    "range start index",
    "slice index starts at",
    "byte index",
    "start byte index",
    "end byte index",
    "attempt to",
    "assertion",
    "already borrowed",
    "already mutably borrowed",
    "explicit panic",
    "not implemented",
    "not yet implemented",
    "internal error: entered unreachable code",
    "capacity overflow",
    "cannot access a Thread Local Storage value",
    "there is no reactor running",
];

/// Which of [`PANICS`] it is.
fn panic(exception: &Exception) -> Option<&'static str> {
    let value = exception.value.as_deref().filter(|_| exception.kind.as_deref() == Some("panic"))?;
    PANICS.into_iter().find(|text| value.starts_with(text))
}

impl<'e> ExceptionPart<'e> {
    fn new(exception: &'e Exception, event: &'e Event, rules: &StackRules<'_>) -> Self {
        let family = Family::of_platform(&event.platform);
        let synthetic = exception.mechanism.as_ref().and_then(|mechanism| mechanism.synthetic) == Some(true);
        let named = exception.kind.as_deref().map(str::trim).filter(|kind| !kind.is_empty());
        let minified = |kind: &&str| family == Family::JavaScript && kind.chars().count() <= 2;
        let kind =
            named.filter(|_| !synthetic).filter(|kind| !minified(kind)).map(|kind| match panic(exception) {
                Some(panic) => Cow::Owned(format!("{kind}: {panic}")),
                None => names::kind(kind, family),
            });
        let stack = exception.stacktrace.as_ref().map_or_else(StackPart::default, |stack: &Stacktrace| {
            StackPart::new(stack, &event.platform, rules, is_overflow(exception))
        });
        let message = event.message.as_ref().filter(|_| named.is_none());
        let template =
            message.and_then(|message| message.template.as_deref()).filter(|text| !text.trim().is_empty());
        Self { exception, kind, stack, template }
    }

    /// The parameterised message.
    pub(crate) fn value(&self) -> Option<Cow<'e, str>> {
        let value = self.template.or(self.exception.value.as_deref())?;
        let value = parameterised(strip_log_prefix(value));
        (!value.is_empty()).then_some(value)
    }

    /// What it says beside its type.
    pub(crate) fn tells(&self, only_in_app: bool) -> Tells {
        if self.stack.any(only_in_app) {
            // A message with a stack trace is a message all the same.
            let is_message = self.exception.kind.as_deref().is_none_or(|kind| kind.trim().is_empty());
            Tells::Frames { and_value: is_message || self.stack.weak.is_some() }
        } else if only_in_app && self.stack.any(false) {
            Tells::Nothing
        } else {
            Tells::Value
        }
    }

    /// Apple's error domain and code.
    pub(crate) fn ns_error(&self) -> Option<(&'e str, i64)> {
        let meta = self.exception.mechanism.as_ref()?.other.get("meta")?.get("ns_error")?;
        Some((meta.get("domain").and_then(Value::as_str)?, meta.get("code").and_then(Value::as_i64)?))
    }

    fn hash_into(&self, parts: &mut Parts, only_in_app: bool) {
        parts.push(b'e', b"");
        parts.push_some(b't', self.kind.as_deref());
        if let Some((domain, code)) = self.ns_error() {
            parts.push(b'd', domain.as_bytes());
            parts.push(b'c', &code.to_le_bytes());
        }
        let tells = self.tells(only_in_app);
        if matches!(tells, Tells::Frames { .. }) {
            hash_frames(parts, &self.stack, only_in_app);
        }
        if matches!(tells, Tells::Value | Tells::Frames { and_value: true }) {
            parts.push_some(b'v', self.value().as_deref());
        }
    }
}

/// Adds the frames that count.
pub(crate) fn hash_frames(parts: &mut Parts, stack: &StackPart<'_>, only_in_app: bool) {
    for frame in stack.counting(only_in_app) {
        parts.push(b'f', b"");
        parts.push_some(b'p', frame.place.as_deref());
        parts.push_some(b'n', frame.function.as_deref());
        parts.push_some(b'l', frame.context.as_deref());
    }
}

/// The exceptions of an event and which of them count.
#[derive(Debug)]
pub(crate) struct Chain<'e> {
    pub(crate) parts: Vec<ExceptionPart<'e>>,
    /// Which parts count, in the order in which they are hashed.
    pub(crate) used: Vec<usize>,
    /// The part that gives the title.
    pub(crate) main: usize,
}

impl<'e> Chain<'e> {
    /// `None` when the event has no exception that says anything.
    pub(crate) fn new(event: &'e Event, rules: &StackRules<'_>) -> Option<Self> {
        let first = event.exceptions.len().saturating_sub(MAX_EXCEPTIONS);
        let parts: Vec<_> = event
            .exceptions
            .iter()
            .skip(first)
            .map(|exception| ExceptionPart::new(exception, event, rules))
            .collect();
        let main = parts.len().checked_sub(1)?;
        let says =
            |part: &ExceptionPart<'_>| part.kind.is_some() || part.stack.any(false) || part.value().is_some();
        if !parts.iter().any(says) {
            return None;
        }
        let is_boundary = |part: &ExceptionPart<'_>| {
            part.exception.kind.as_deref().is_some_and(|kind| kind.starts_with("React ErrorBoundary"))
        };
        let all_boundaries = parts.iter().all(is_boundary);
        let used = (0..parts.len())
            .filter(|index| all_boundaries || parts.get(*index).is_some_and(|part| !is_boundary(part)))
            .collect();
        let mut chain = Self { parts, used, main };
        if let Some(selected) = Tree::new(&chain).and_then(|tree| tree.select()) {
            chain.used = selected.sequence;
            chain.main = selected.main;
        }
        Some(chain)
    }

    /// Whether a frame of the app, or only others (`false`), counts in one of `used`.
    pub(crate) fn any_frames(&self, used: &[usize], only_in_app: bool) -> bool {
        used.iter().filter_map(|index| self.parts.get(*index)).any(|part| part.stack.any(only_in_app))
    }

    fn hash_of(&self, used: &[usize], only_in_app: bool) -> Hash {
        let mut parts = Parts::new("exceptions");
        for part in used.iter().filter_map(|index| self.parts.get(*index)) {
            part.hash_into(&mut parts, only_in_app);
        }
        parts.finish()
    }

    /// The hash by the app's frames where there are any, and the one by all frames.
    pub(crate) fn hashes(&self) -> (Option<Hash>, Hash) {
        let app = self.any_frames(&self.used, true).then(|| self.hash_of(&self.used, true));
        (app, self.hash_of(&self.used, false))
    }

    fn key(&self, used: &[usize]) -> Hash {
        self.hash_of(used, self.any_frames(used, true))
    }
}

/// The tree that `exception_id` and `parent_id` describe (RFC 0079).
struct Tree<'c, 'e> {
    chain: &'c Chain<'e>,
    /// Children by the index of the part, in the order of their ids.
    children: Vec<Vec<usize>>,
    root: usize,
}

/// What of a subtree counts.
struct Selected {
    sequence: Vec<usize>,
    main: usize,
}

fn mechanism_ids(part: &ExceptionPart<'_>) -> Option<(i64, Option<i64>)> {
    let mechanism = part.exception.mechanism.as_ref()?;
    Some((mechanism.exception_id?, mechanism.parent_id))
}

fn is_group(part: &ExceptionPart<'_>) -> bool {
    part.exception.mechanism.as_ref().and_then(|mechanism| mechanism.is_exception_group) == Some(true)
}

impl<'c, 'e> Tree<'c, 'e> {
    /// `None` when there is no group, or when an id is missing, double or leads nowhere.
    fn new(chain: &'c Chain<'e>) -> Option<Self> {
        if !chain.parts.iter().any(is_group) {
            return None;
        }
        let ids: Vec<(i64, Option<i64>)> = chain.parts.iter().map(mechanism_ids).collect::<Option<_>>()?;
        let index_of = |id: i64| ids.iter().position(|(own, _)| *own == id);
        let root = index_of(0)?;
        let mut children = vec![Vec::new(); ids.len()];
        for (index, (id, parent)) in ids.iter().enumerate() {
            if index_of(*id) != Some(index) {
                return None;
            }
            match parent {
                None if index == root => {}
                Some(parent) if index != root => children.get_mut(index_of(*parent)?)?.push(index),
                _ => return None,
            }
        }
        for list in &mut children {
            list.sort_by_key(|index| ids.get(*index).map(|(id, _)| *id));
        }
        let tree = Self { chain, children, root };
        tree.reaches_all().then_some(tree)
    }

    /// Whether every exception hangs on the root; a cycle hangs on nothing.
    fn reaches_all(&self) -> bool {
        let mut open = vec![self.root];
        let mut reached = 0;
        while let Some(index) = open.pop() {
            reached += 1;
            open.extend(self.children.get(index).into_iter().flatten());
        }
        reached == self.children.len()
    }

    fn select(&self) -> Option<Selected> {
        self.visit(self.root)
    }

    /// A group stands for its distinct children; one child alone stands for the group. Another exception
    /// stands for itself and its first cause. The depth is bounded by [`MAX_EXCEPTIONS`].
    fn visit(&self, index: usize) -> Option<Selected> {
        let part = self.chain.parts.get(index)?;
        let children = self.children.get(index)?;
        if !is_group(part) {
            let mut sequence = Vec::new();
            if let Some(first) = children.first() {
                sequence = self.visit(*first)?.sequence;
            }
            sequence.push(index);
            return Some(Selected { sequence, main: index });
        }
        let mut distinct: Vec<(Hash, Selected)> = Vec::new();
        for child in children {
            let selected = self.visit(*child)?;
            let key = self.chain.key(&selected.sequence);
            if !distinct.iter().any(|(known, _)| *known == key) {
                distinct.push((key, selected));
            }
        }
        // Tasks end in any order: the order of the members does not count.
        distinct.sort_by_key(|(key, _)| *key);
        if distinct.len() == 1 {
            return distinct.pop().map(|(_, selected)| selected);
        }
        let mut sequence: Vec<usize> =
            distinct.into_iter().flat_map(|(_, selected)| selected.sequence).collect();
        sequence.push(index);
        Some(Selected { sequence, main: index })
    }
}
