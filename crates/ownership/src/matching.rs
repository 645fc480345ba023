//! The rule that counts.

use crate::Facts;
use crate::glob::Glob;
use crate::path::PathGlob;
use bugle_model::{Codeowners, Owner, Ownership, OwnershipMatch, OwnershipRule};
use schemars::JsonSchema;
use serde::Serialize;
use std::borrow::Cow;

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
    let by_rule = ownership.rules.iter().enumerate().rev().find(|(_, rule)| matches(rule, facts));
    if let Some((index, rule)) = by_rule {
        let number = index + 1;
        let says = format!("rule {number}: {}", rule.describe());
        return Some(Matched { rule: Some(number), line: None, says, owners: rule.owners.clone() });
    }
    let paths: Vec<_> = facts.paths.iter().map(|path| in_repository(ownership, path)).collect();
    let by_line = codeowners.rules.iter().rev().find(|rule| {
        let glob = PathGlob::of_codeowners(&rule.pattern);
        paths.iter().any(|path| glob.matches(path))
    })?;
    let says = format!("line {} of CODEOWNERS: {}", by_line.line, by_line.pattern);
    Some(Matched { rule: None, line: Some(by_line.line), says, owners: by_line.owners.clone() })
}

fn matches(rule: &OwnershipRule, facts: &Facts) -> bool {
    let text = || Glob::lenient(&rule.pattern);
    match rule.by {
        OwnershipMatch::Path => {
            let glob = PathGlob::of_rule(&rule.pattern);
            facts.paths.iter().any(|path| glob.matches(path))
        }
        OwnershipMatch::Module => {
            let glob = text();
            facts.modules.iter().any(|module| glob.matches(module))
        }
        OwnershipMatch::Url => facts.url.as_ref().is_some_and(|url| text().matches(url)),
        OwnershipMatch::Tag => {
            let value = rule.tag.as_ref().and_then(|name| facts.tags.get(name));
            value.is_some_and(|value| text().matches(value))
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
