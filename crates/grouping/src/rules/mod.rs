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

impl RuleError {
    /// The place in the rules: how many characters stand before it.
    #[must_use]
    pub fn position(&self, rules: &str) -> usize {
        let before = rules.split_inclusive('\n').take(self.line.saturating_sub(1));
        before.map(|line| line.chars().count()).sum::<usize>() + self.column.saturating_sub(1)
    }
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

impl<'r> StackRules<'r> {
    /// The last rule that says whether the frame is the app's, and its line.
    pub(crate) fn in_app(&self, frame: &Frame) -> Option<(bool, usize)> {
        self.last(frame, |rule| rule.app).map(|(app, rule)| (app, rule.line))
    }

    /// The last rule that says whether the frame groups, and its line.
    pub(crate) fn group(&self, frame: &Frame) -> Option<(bool, usize)> {
        self.last(frame, |rule| rule.group).map(|(group, rule)| (group, rule.line))
    }

    /// Whether a rule that is not among `others` says whose the frame is.
    pub(crate) fn decides_unlike(&self, frame: &Frame, others: &Rules) -> bool {
        let same =
            |rule: &StackRule, other: &StackRule| rule.matchers == other.matchers && rule.app == other.app;
        self.last(frame, |rule| rule.app)
            .is_some_and(|(_, rule)| !others.stacks.iter().any(|other| same(rule, other)))
    }

    fn last(
        &self,
        frame: &Frame,
        action: impl Fn(&StackRule) -> Option<bool>,
    ) -> Option<(bool, &'r StackRule)> {
        self.0
            .iter()
            .rev()
            .filter_map(|rule| Some((action(rule)?, *rule)))
            .find(|(_, rule)| matching::frame(&rule.matchers, frame, frame.in_app.unwrap_or(true)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistakes_place_counts_characters_of_all_lines_before() {
        for (rules, found) in
            [("typ:A -> a", "typ:"), ("type:Ä -> a\r\n\n  level:x -> {{ wrong }}", "{{ wrong }}")]
        {
            let error = Rules::parse(rules).unwrap_err();
            let rest: String = rules.chars().skip(error.position(rules)).collect();
            assert!(rest.starts_with(found), "{error}: {rest:?}");
        }
    }
}
