//! What the operator decides about grouping: the rules of a project. The syntax is in `docs/grouping.md`.

mod glob;
mod matching;
mod parse;

use bugle_model::{Event, Frame};
use thiserror::Error;

pub(crate) use glob::Glob;

/// A rule that cannot be used, and where it went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("grouping rules, line {line}, column {column}: {message}")]
pub struct RuleError {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What was expected, and what was found.
    pub message: String,
}

/// What a matcher looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Field {
    Type,
    Value,
    Message,
    Module,
    Function,
    Path,
    Package,
    App,
    Level,
    Logger,
    Release,
    Environment,
    Transaction,
    Platform,
    Sdk,
    Tag(String),
}

/// `!name:glob`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Matcher {
    pub(crate) field: Field,
    pub(crate) glob: Glob,
    pub(crate) negated: bool,
}

/// A piece of a fingerprint part or title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(String),
    Variable(Variable),
}

/// What may stand in `{{ … }}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Variable {
    Default,
    Type,
    Value,
    Message,
    Module,
    Function,
    Package,
    Level,
    Logger,
    Release,
    Environment,
    Transaction,
    Platform,
    Sdk,
    Tag(String),
}

impl Variable {
    /// The names that can be written, for messages.
    pub(crate) const NAMES: &'static str = "default, type, value, message, module, function, package, level, logger, \
         release, environment, transaction, platform, sdk, tags.NAME";

    /// The variable with this name. `error.` and `stack.` may stand in front, as other trackers write it.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let name = name.trim();
        if let Some(tag) = name.strip_prefix("tags.") {
            return (!tag.is_empty()).then(|| Self::Tag(tag.to_owned()));
        }
        let name = name.strip_prefix("error.").or_else(|| name.strip_prefix("stack.")).unwrap_or(name);
        Some(match name {
            "default" => Self::Default,
            "type" => Self::Type,
            "value" => Self::Value,
            "message" => Self::Message,
            "module" => Self::Module,
            "function" => Self::Function,
            "package" => Self::Package,
            "level" => Self::Level,
            "logger" => Self::Logger,
            "release" => Self::Release,
            "environment" => Self::Environment,
            "transaction" => Self::Transaction,
            "platform" => Self::Platform,
            "sdk" => Self::Sdk,
            _ => return None,
        })
    }
}

/// `matchers -> parts title="…"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FingerprintRule {
    pub(crate) line: usize,
    pub(crate) source: String,
    pub(crate) matchers: Vec<Matcher>,
    pub(crate) parts: Vec<Vec<Piece>>,
    pub(crate) title: Option<Vec<Piece>>,
}

/// `matchers -app +group`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StackRule {
    pub(crate) line: usize,
    pub(crate) matchers: Vec<Matcher>,
    pub(crate) app: Option<bool>,
    pub(crate) group: Option<bool>,
}

/// All rules of a project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rules {
    pub(crate) fingerprints: Vec<FingerprintRule>,
    pub(crate) stacks: Vec<StackRule>,
}

/// The stack rules whose matchers on the event hold; what is left to match are frames.
#[derive(Debug, Default)]
pub(crate) struct StackRules<'r>(Vec<&'r StackRule>);

impl Rules {
    pub(crate) fn parse(text: &str) -> Result<Self, RuleError> {
        parse::rules(text)
    }

    /// The stack rules that concern this event.
    pub(crate) fn stack_rules(&self, event: &Event) -> StackRules<'_> {
        if self.stacks.is_empty() {
            return StackRules::default();
        }
        StackRules(self.stacks.iter().filter(|rule| matching::event(&rule.matchers, event)).collect())
    }

    /// The first fingerprint rule that the event satisfies.
    pub(crate) fn fingerprint(&self, event: &Event, stack: &StackRules<'_>) -> Option<&FingerprintRule> {
        self.fingerprints.iter().find(|rule| {
            matching::event(&rule.matchers, event) && matching::some_frame(&rule.matchers, event, stack)
        })
    }
}

impl StackRules<'_> {
    /// The last rule that says whether the frame is the app's, and its line.
    pub(crate) fn in_app(&self, frame: &Frame) -> Option<(bool, usize)> {
        self.last(frame, |rule| rule.app)
    }

    /// The last rule that says whether the frame groups, and its line.
    pub(crate) fn group(&self, frame: &Frame) -> Option<(bool, usize)> {
        self.last(frame, |rule| rule.group)
    }

    fn last(&self, frame: &Frame, action: impl Fn(&StackRule) -> Option<bool>) -> Option<(bool, usize)> {
        self.0
            .iter()
            .rev()
            .filter_map(|rule| Some((action(rule)?, rule)))
            .find(|(_, rule)| matching::frame(&rule.matchers, frame, frame.in_app.unwrap_or(true)))
            .map(|(on, rule)| (on, rule.line))
    }
}
