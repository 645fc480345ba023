//! What an event is grouped by when neither a rule nor the client says otherwise.

use crate::exceptions::{Chain, hash_frames};
use crate::frames::StackPart;
use crate::hash::{Hash, Parts};
use crate::names::Family;
use crate::parameterise::{parameterised, strip_log_prefix};
use crate::rules::StackRules;
use crate::security::{self, Violation};
use bugle_model::{Event, LogMessage, Thread};
use std::borrow::Cow;

/// The first of these that the event has groups it.
#[derive(Debug)]
pub(crate) enum Basis<'e> {
    /// A kind of error that has one cause whatever its trace: one group for each page.
    Known {
        name: &'static str,
        page: Option<Cow<'e, str>>,
        chain: Chain<'e>,
    },
    Exceptions(Chain<'e>),
    Thread {
        thread: &'e Thread,
        stack: StackPart<'e>,
        message: Option<Cow<'e, str>>,
    },
    Security(Violation),
    Message {
        text: Cow<'e, str>,
        is_template: bool,
    },
    Nothing,
}

/// What in a message tells that a part of the app could not be loaded: a new version was deployed meanwhile,
/// or the network failed.
const CHUNK_LOAD: [&str; 7] = [
    "Failed to fetch dynamically imported module",
    "error loading dynamically imported module",
    "Importing a module script failed",
    "Unable to preload CSS for",
    "Loading CSS chunk ",
    "ChunkLoadError",
    "Loading chunk ",
];

/// React's messages when the server's markup is not what the browser makes of the same data.
const HYDRATION: [&str; 6] = [
    "Hydration failed because",
    "There was an error while hydrating",
    "Text content does not match server-rendered HTML",
    "Text content did not match",
    "Hydration text content mismatch",
    "Expected server HTML to contain",
];

/// The numbers of the same messages in React's production build.
const HYDRATION_NUMBERS: [&str; 5] = ["418", "419", "422", "423", "425"];

fn is_chunk_load(kind: &str, value: &str) -> bool {
    if kind == "ChunkLoadError" {
        return true;
    }
    CHUNK_LOAD
        .iter()
        .any(|text| value.contains(text) && (*text != "Loading chunk " || value.contains(" failed")))
}

fn is_hydration(value: &str) -> bool {
    if HYDRATION.iter().any(|text| value.contains(text)) {
        return true;
    }
    value.split_once("Minified React error #").is_some_and(|(_, rest)| {
        let end = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
        HYDRATION_NUMBERS.contains(&rest.get(..end).unwrap_or_default())
    })
}

/// The parameterised template, else the parameterised text; and whether it is the template.
pub(crate) fn message(message: &LogMessage) -> Option<(Cow<'_, str>, bool)> {
    let given = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.trim().is_empty());
    let (text, is_template) = if given(&message.template) {
        (message.template.as_deref()?, true)
    } else if given(&message.formatted) {
        (message.formatted.as_deref()?, false)
    } else {
        return None;
    };
    let text = parameterised(strip_log_prefix(text));
    (!text.is_empty()).then_some((text, is_template))
}

/// The one thread that matters: the only crashed one, else the only current one, else the only one.
pub(crate) fn thread(event: &Event) -> Option<&Thread> {
    let only = |test: fn(&Thread) -> bool| {
        let mut found = event.threads.iter().filter(|thread| test(thread));
        let first = found.next();
        if found.next().is_some() { None } else { first }
    };
    let crashed = |thread: &Thread| thread.crashed == Some(true);
    if event.threads.iter().any(crashed) {
        return only(crashed);
    }
    let current = |thread: &Thread| thread.current == Some(true);
    if event.threads.iter().any(current) {
        return only(current);
    }
    only(|_| true)
}

impl<'e> Basis<'e> {
    pub(crate) fn new(event: &'e Event, rules: &StackRules<'_>) -> Self {
        if let Some(chain) = Chain::new(event, rules) {
            return match known(event, &chain) {
                Some((name, page)) => Self::Known { name, page, chain },
                None => Self::Exceptions(chain),
            };
        }
        if let Some(basis) = by_thread(event, rules) {
            return basis;
        }
        if let Some(violation) = security::violation(event) {
            return Self::Security(violation);
        }
        match event.message.as_ref().and_then(message) {
            Some((text, is_template)) => Self::Message { text, is_template },
            None => Self::Nothing,
        }
    }

    /// The hashes by which the event is found, the primary first, each with its variant's name.
    pub(crate) fn hashes(&self, event: &Event) -> Vec<(&'static str, Hash)> {
        match self {
            Self::Known { name, page, .. } => {
                let mut parts = Parts::new(name);
                parts.push_some(b'p', page.as_deref());
                vec![(name, parts.finish())]
            }
            Self::Exceptions(chain) => {
                let (app, system) = chain.hashes();
                variants(app, system)
            }
            Self::Thread { stack, message, .. } => {
                let hash = |only_in_app| {
                    let mut parts = Parts::new("thread");
                    hash_frames(&mut parts, stack, only_in_app);
                    parts.push_some(b'm', message.as_deref());
                    parts.finish()
                };
                variants(stack.any(true).then(|| hash(true)), hash(false))
            }
            Self::Security(violation) => {
                let mut parts = Parts::new("security");
                parts.push(b'd', violation.directive.as_bytes());
                parts.push(b'b', violation.blocked.as_bytes());
                vec![("security", parts.finish())]
            }
            Self::Message { text, .. } => {
                let mut parts = Parts::new("message");
                parts.push(b'm', text.as_bytes());
                vec![("message", parts.finish())]
            }
            Self::Nothing => {
                let mut parts = Parts::new("nothing");
                parts.push_some(b'l', event.logger.as_deref());
                parts.push_some(b't', event.transaction.as_deref().map(parameterised).as_deref());
                vec![("nothing", parts.finish())]
            }
        }
    }

    /// The exceptions, when they are the basis.
    pub(crate) const fn chain(&self) -> Option<&Chain<'e>> {
        match self {
            Self::Known { chain, .. } | Self::Exceptions(chain) => Some(chain),
            _ => None,
        }
    }
}

fn variants(app: Option<Hash>, system: Hash) -> Vec<(&'static str, Hash)> {
    match app {
        Some(app) if app != system => vec![("app", app), ("system", system)],
        Some(app) => vec![("app", app)],
        None => vec![("system", system)],
    }
}

fn known<'e>(event: &'e Event, chain: &Chain<'e>) -> Option<(&'static str, Option<Cow<'e, str>>)> {
    if Family::of_platform(&event.platform) != Family::JavaScript {
        return None;
    }
    let exception = chain.parts.get(chain.main)?.exception;
    let kind = exception.kind.as_deref().unwrap_or_default();
    let value = exception.value.as_deref().unwrap_or_default();
    if is_chunk_load(kind, value) {
        return Some(("chunk load error", None));
    }
    is_hydration(value).then(|| ("hydration error", event.transaction.as_deref().map(parameterised)))
}

fn by_thread<'e>(event: &'e Event, rules: &StackRules<'_>) -> Option<Basis<'e>> {
    let thread = thread(event)?;
    let stack = StackPart::new(thread.stacktrace.as_ref()?, &event.platform, rules, false);
    if !stack.any(false) {
        return None;
    }
    // A message with a trace of where it was logged: two messages from one place are two issues.
    let message = event.message.as_ref().filter(|_| thread.crashed != Some(true));
    let message = message.and_then(message_text);
    Some(Basis::Thread { thread, stack, message })
}

fn message_text(log: &LogMessage) -> Option<Cow<'_, str>> {
    message(log).map(|(text, _)| text)
}
