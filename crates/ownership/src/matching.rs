//! The rule that counts.

use crate::Facts;
use crate::glob::{Effort, Glob};
use crate::path::{PathGlob, names};
use bugle_model::{Codeowners, Owner, Ownership, OwnershipMatch, OwnershipRule};
use schemars::JsonSchema;
use serde::Serialize;
use std::borrow::Cow;

/// Steps of matching for one decision: several times what a long file with a deep stack takes, and about a second.
pub(crate) const STEPS: u64 = 200_000_000;

/// A rule, or a line of CODEOWNERS, that counts for something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "MatchedOwnership")]
pub struct Matched {
    /// The number of the rule, from 1.
    pub rule: Option<usize>,
    /// The line of CODEOWNERS, from 1.
    pub line: Option<u32>,
    /// Which it is and what it says: `rule 3: path src/checkout/**`.
    pub says: String,
    /// Its owners.
    pub owners: Vec<Owner>,
}

/// The rule that counts: the last that matches; without any, the last line of CODEOWNERS that does.
#[must_use]
pub fn matching(ownership: &Ownership, codeowners: &Codeowners, facts: &Facts) -> Option<Matched> {
    bounded(ownership, codeowners, facts, STEPS).ok().flatten()
}

/// Whether the value of a tag is like a pattern: a glob over the whole of it, as rules have them, in which `*` is any characters and `?` is
/// one, without regard to ASCII case.
#[must_use]
pub fn tag_matches(pattern: &str, value: &str) -> bool {
    Glob::lenient(pattern).matches(value, &Effort::new(STEPS))
}

/// The patterns take too long to try: it cannot be told which rule counts.
#[derive(Debug)]
pub(crate) struct TooLong;

/// The same within so many steps, or that they do not suffice.
pub(crate) fn bounded(
    ownership: &Ownership,
    codeowners: &Codeowners,
    facts: &Facts,
    steps: u64,
) -> Result<Option<Matched>, TooLong> {
    let effort = Effort::new(steps);
    match found(ownership, codeowners, facts, &effort) {
        None if effort.is_spent() => Err(TooLong),
        found => Ok(found),
    }
}

/// With no steps left no rule matches any more, so that none counts in the place of one before it.
fn found(ownership: &Ownership, codeowners: &Codeowners, facts: &Facts, effort: &Effort) -> Option<Matched> {
    let paths: Vec<_> = facts.paths.iter().filter_map(|path| names(path)).collect();
    let mut rules = ownership.rules.iter().enumerate().rev();
    if let Some((index, rule)) = rules.find(|(_, rule)| matches(rule, facts, &paths, effort)) {
        let number = index + 1;
        let says = format!("rule {number}: {}", rule.describe());
        return Some(Matched { rule: Some(number), line: None, says, owners: rule.owners.clone() });
    }
    let paths: Vec<_> = facts.paths.iter().map(|path| in_repository(ownership, path)).collect();
    let paths: Vec<_> = paths.iter().filter_map(|path| names(path)).collect();
    let by_line = codeowners.rules.iter().rev().find(|rule| {
        let glob = PathGlob::of_codeowners(&rule.pattern);
        paths.iter().any(|names| glob.matches(names, effort))
    })?;
    let says = format!("line {} of CODEOWNERS: {}", by_line.line, by_line.pattern);
    Some(Matched { rule: None, line: Some(by_line.line), says, owners: by_line.owners.clone() })
}

fn matches(rule: &OwnershipRule, facts: &Facts, paths: &[Vec<&str>], effort: &Effort) -> bool {
    let text = || Glob::lenient(&rule.pattern);
    match rule.by {
        OwnershipMatch::Path => {
            let glob = PathGlob::of_rule(&rule.pattern);
            paths.iter().any(|names| glob.matches(names, effort))
        }
        OwnershipMatch::Module => {
            let glob = text();
            facts.modules.iter().any(|module| glob.matches(module, effort))
        }
        OwnershipMatch::Url => facts.url.as_ref().is_some_and(|url| text().matches(url, effort)),
        OwnershipMatch::Tag => {
            let value = rule.tag.as_ref().and_then(|name| facts.tags.get(name));
            value.is_some_and(|value| text().matches(value, effort))
        }
    }
}

/// Where a file of a frame is in the repository.
fn in_repository<'a>(ownership: &Ownership, path: &'a str) -> Cow<'a, str> {
    let relative = |path: &'a str| path.strip_prefix("./").unwrap_or(path).trim_start_matches('/');
    let stack_root = ownership.stack_root.replace('\\', "/");
    match path.strip_prefix(stack_root.as_str()) {
        Some(rest) if !stack_root.is_empty() => {
            let whole =
                format!("{}/{}", ownership.source_root.trim_matches('/'), rest.trim_start_matches('/'));
            Cow::Owned(whole.trim_start_matches('/').to_owned())
        }
        _ => Cow::Borrowed(relative(path)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_tag_is_matched_alone_as_by_a_rule() {
        for (pattern, value, expected) in [
            ("pay*", "Payments", true),
            ("pay*", "prepay", false),
            ("eu-?", "EU-1", true),
            ("eu-?", "eu-10", false),
            ("*", "anything", true),
        ] {
            let rule = OwnershipRule {
                by: OwnershipMatch::Tag,
                tag: Some("area".to_owned()),
                pattern: pattern.to_owned(),
                owners: Vec::new(),
            };
            let ownership = Ownership { rules: vec![rule], ..Ownership::default() };
            let tags = BTreeMap::from([("area".to_owned(), value.to_owned())]);
            let facts = Facts { tags, ..Facts::default() };
            let by_rule = matching(&ownership, &Codeowners::default(), &facts).is_some();
            assert_eq!((tag_matches(pattern, value), by_rule), (expected, expected), "{pattern} on {value}");
        }
    }

    #[test]
    fn what_takes_too_long_leaves_nothing_to_the_rules_before() {
        let rule = |pattern: String| OwnershipRule {
            by: OwnershipMatch::Path,
            tag: None,
            pattern,
            owners: Vec::new(),
        };
        let hard = format!("*{}b", "a".repeat(100));
        let rules = vec![rule("**".to_owned()), rule(hard)];
        let ownership = Ownership { rules, ..Ownership::default() };
        let facts = Facts::of_path(&"a".repeat(1_000));
        let within = |steps| bounded(&ownership, &Codeowners::default(), &facts, steps);
        assert!(matches!(within(10_000), Err(TooLong)));
        let matched = within(STEPS).ok().flatten();
        assert_eq!(matched.and_then(|matched| matched.rule), Some(1));
    }
}
