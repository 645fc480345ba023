//! Who owns what of a project: what decides to whom a new issue is given.

use crate::{ScheduleId, TeamId, UserId};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Whom an issue is given to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Owner {
    /// One person.
    Person {
        /// Who.
        user: UserId,
    },
    /// Whoever is on call by a schedule when the issue is given.
    Schedule {
        /// Which.
        schedule: ScheduleId,
    },
    /// A team as a whole.
    Team {
        /// Which.
        team: TeamId,
    },
}

/// What of an event a rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OwnershipMatch {
    /// The files of its frames, without those of libraries.
    Path,
    /// The modules or classes of these frames.
    Module,
    /// The URL of its request, without the query.
    Url,
    /// One of its tags; `release` and `environment` count as tags.
    Tag,
}

impl OwnershipMatch {
    /// Its name in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Module => "module",
            Self::Url => "url",
            Self::Tag => "tag",
        }
    }
}

/// One rule. Of several that match, the last counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnershipRule {
    /// What it looks at.
    #[serde(rename = "match")]
    pub by: OwnershipMatch,
    /// The tag's name; only with `tag`. 1 to [`OwnershipRule::MAX_TAG`] characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// A glob over the whole value, without regard to case. In a path `*` stops at `/`, and `**` is any number of folders. 1 to
    /// [`OwnershipRule::MAX_PATTERN`] characters.
    pub pattern: String,
    /// The first of them who can take the issue gets it, [`OwnershipRule::MAX_OWNERS`] at most; none: the rule says that nobody owns this.
    #[serde(default)]
    pub owners: Vec<Owner>,
}

impl OwnershipRule {
    /// Characters of a pattern.
    pub const MAX_PATTERN: usize = 512;
    /// Characters of a tag's name.
    pub const MAX_TAG: usize = 200;
    /// Owners of a rule.
    pub const MAX_OWNERS: usize = 10;

    /// As people read it: `path src/checkout/**`, `tag area=pay*`.
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.tag {
            Some(tag) => format!("tag {tag}={}", self.pattern),
            None => format!("{} {}", self.by.as_str(), self.pattern),
        }
    }

    fn mistakes(&self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        let within = |text: &str, most: usize| (1..=most).contains(&text.chars().count());
        if !within(&self.pattern, Self::MAX_PATTERN) || self.pattern.chars().any(char::is_control) {
            found.push(("pattern", format!("1 to {} visible characters", Self::MAX_PATTERN)));
        }
        match (self.by, &self.tag) {
            (OwnershipMatch::Tag, Some(tag)) if within(tag, Self::MAX_TAG) => {}
            (OwnershipMatch::Tag, _) => found.push(("tag", format!("1 to {} characters", Self::MAX_TAG))),
            (_, Some(_)) => found.push(("tag", "goes with `match` `tag` only".to_owned())),
            (_, None) => {}
        }
        if self.owners.len() > Self::MAX_OWNERS {
            found.push(("owners", format!("at most {} owners", Self::MAX_OWNERS)));
        }
        found
    }
}

/// What becomes of an issue that no rule gives to anybody. Off, it stays nobody's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Otherwise {
    /// Whoever is on call gets it: by the first schedule of the policy that the project's routing rule leads to.
    pub on_call: bool,
    /// Else the member of the team who has least to do.
    pub least_loaded: bool,
}

/// Who owns what of a project. Unknown fields are an error.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Ownership {
    /// In order, [`Ownership::MAX_RULES`] at most: of those that match, the last counts, and it goes before the imported CODEOWNERS.
    pub rules: Vec<OwnershipRule>,
    /// What is done when no rule gives the issue to anybody.
    pub otherwise: Otherwise,
    /// For CODEOWNERS: what paths of frames begin with, [`Ownership::MAX_ROOT`] characters at most…
    pub stack_root: String,
    /// … and what stands in the repository in its place.
    pub source_root: String,
}

impl Ownership {
    /// Rules of a project.
    pub const MAX_RULES: usize = 200;
    /// Characters of a root.
    pub const MAX_ROOT: usize = 256;

    /// What is wrong with it, as field and message; a message about a rule names its number, from 1.
    #[must_use]
    pub fn mistakes(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        if self.rules.len() > Self::MAX_RULES {
            found.push(("rules".to_owned(), format!("at most {} rules", Self::MAX_RULES)));
        }
        for (index, rule) in self.rules.iter().enumerate().take(Self::MAX_RULES) {
            let named = |(field, message): (&str, String)| {
                (format!("rules[{index}].{field}"), format!("rule {}: {message}", index + 1))
            };
            found.extend(rule.mistakes().into_iter().map(named));
        }
        for (field, root) in [("stack_root", &self.stack_root), ("source_root", &self.source_root)] {
            if root.chars().count() > Self::MAX_ROOT || root.chars().any(char::is_control) {
                found.push((field.to_owned(), format!("at most {} visible characters", Self::MAX_ROOT)));
            }
        }
        found
    }
}

/// One line of a CODEOWNERS file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CodeownersRule {
    /// Its number, from 1.
    pub line: u32,
    /// The pattern, as `.gitignore` understands it.
    pub pattern: String,
    /// Whom its owners are here.
    pub owners: Vec<Owner>,
    /// Those of its owners that are nobody here, as written.
    #[serde(default)]
    pub unknown: BTreeSet<String>,
}

/// An imported CODEOWNERS file. Of several lines that match, the last counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Codeowners {
    /// Its lines that have a pattern, in order.
    pub rules: Vec<CodeownersRule>,
    /// Whom the file's handles are here; kept for the next import.
    pub names: BTreeMap<String, Owner>,
}

impl Codeowners {
    /// Bytes of a file.
    pub const MAX_BYTES: usize = 256 * 1024;
    /// Lines with a pattern.
    pub const MAX_RULES: usize = 2_000;
    /// Names that are mapped.
    pub const MAX_NAMES: usize = 1_000;
}

/// Whether somebody can be given issues, and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Availability {
    /// Off: issues are not given to them by themselves.
    pub available: bool,
    /// Until when they are not; `null` with `available` off: until they say otherwise.
    #[serde(default)]
    pub away_until: Option<DateTime<Utc>>,
    /// With so many open issues assigned to them they get no more by themselves; `null`: no limit.
    #[serde(default)]
    pub max_open_issues: Option<i32>,
}

impl Default for Availability {
    fn default() -> Self {
        Self { available: true, away_until: None, max_open_issues: None }
    }
}

impl Availability {
    /// The highest limit that can be set.
    pub const MAX_OPEN_ISSUES: i32 = 10_000;

    /// As it is at this moment: whoever was away until a time before is available.
    #[must_use]
    pub fn at(self, now: DateTime<Utc>) -> Self {
        match self.away_until {
            Some(until) if !self.available && until <= now => {
                Self { available: true, away_until: None, ..self }
            }
            _ => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(by: OwnershipMatch, tag: Option<&str>, pattern: &str) -> OwnershipRule {
        OwnershipRule { by, tag: tag.map(str::to_owned), pattern: pattern.to_owned(), owners: Vec::new() }
    }

    #[test]
    fn mistakes_name_the_rule_and_the_limit() {
        let mut ownership = Ownership { stack_root: "x".repeat(257), ..Ownership::default() };
        ownership.rules = vec![
            rule(OwnershipMatch::Path, None, "src/**"),
            rule(OwnershipMatch::Url, Some("x"), ""),
            rule(OwnershipMatch::Tag, None, "a"),
        ];
        let owner = Owner::Team { team: TeamId(1) };
        ownership
            .rules
            .push(OwnershipRule { owners: vec![owner; 11], ..rule(OwnershipMatch::Path, None, "a") });
        let found: Vec<String> =
            ownership.mistakes().into_iter().map(|(field, message)| format!("{field}: {message}")).collect();
        assert_eq!(
            found,
            [
                "rules[1].pattern: rule 2: 1 to 512 visible characters",
                "rules[1].tag: rule 2: goes with `match` `tag` only",
                "rules[2].tag: rule 3: 1 to 200 characters",
                "rules[3].owners: rule 4: at most 10 owners",
                "stack_root: at most 256 visible characters",
            ]
        );
        ownership.rules = vec![rule(OwnershipMatch::Path, None, "a"); 201];
        assert_eq!(ownership.mistakes().first().map(|one| one.1.as_str()), Some("at most 200 rules"));
    }

    #[test]
    fn rules_read_as_people_say_them() {
        assert_eq!(rule(OwnershipMatch::Path, None, "src/**").describe(), "path src/**");
        assert_eq!(rule(OwnershipMatch::Tag, Some("area"), "pay*").describe(), "tag area=pay*");
    }

    #[test]
    fn whoever_was_away_is_back_at_that_time() {
        let until = DateTime::from_timestamp(1_000, 0);
        let away = Availability { available: false, away_until: until, max_open_issues: Some(3) };
        assert!(!away.at(DateTime::from_timestamp(999, 0).unwrap_or_default()).available);
        assert!(away.at(DateTime::from_timestamp(1_000, 0).unwrap_or_default()).available);
        let away = Availability { away_until: None, ..away };
        assert!(!away.at(DateTime::from_timestamp(9_999, 0).unwrap_or_default()).available);
    }
}
