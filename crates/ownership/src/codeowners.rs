//! Reads CODEOWNERS files, as GitHub and GitLab have them: a pattern and its owners a line, comments, escapes, and GitLab's sections
//! with their owners by default. What cannot be used is told with its line.

use bugle_model::{Codeowners, CodeownersRule, Owner};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeSet;

/// Characters of a pattern.
const MAX_PATTERN: usize = 512;
/// Owners of a line or of the head of a section, and the longest name of one in bytes.
const MAX_OWNERS: usize = 20;
const MAX_OWNER: usize = 128;
/// Problems that are told; one more says how many there were besides.
const MAX_PROBLEMS: usize = 100;

/// A line of a file that cannot be used as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "CodeownersProblem")]
pub struct Problem {
    /// Its number, from 1.
    pub line: u32,
    /// What is wrong with it.
    pub message: String,
}

/// A line with a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number, from 1.
    pub number: u32,
    /// The pattern, as written.
    pub pattern: String,
    /// Its owners, as written; none: nobody owns this.
    pub owners: Vec<String>,
}

/// What a file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct File {
    /// Its lines that have a pattern, in order.
    pub lines: Vec<Line>,
    /// Those that cannot be used, or not whole: the first 100, and one more that says how many there were besides.
    pub problems: Vec<Problem>,
}

/// The problems that are told, and the first of those that are only counted.
#[derive(Default)]
struct Problems {
    told: Vec<Problem>,
    more: usize,
    from: u32,
}

impl Problems {
    fn add(&mut self, line: u32, message: String) {
        if self.told.len() < MAX_PROBLEMS {
            self.told.push(Problem { line, message });
            return;
        }
        if self.more == 0 {
            self.from = line;
        }
        self.more += 1;
    }

    fn all(mut self) -> Vec<Problem> {
        if self.more > 0 {
            let message = format!("and {} more from here on", self.more);
            self.told.push(Problem { line: self.from, message });
        }
        self.told
    }
}

/// Reads a file. Each line that is neither empty nor a comment is among `lines`, heads a section, or is among `problems`, as long as these
/// are not too many.
#[must_use]
pub fn parse(text: &str) -> File {
    let mut lines: Vec<Line> = Vec::new();
    let mut problems = Problems::default();
    let mut defaults: Vec<String> = Vec::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (number, line) in (1_u32..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut problem = |message: String| problems.add(number, message);
        if let Some(rest) = section(line) {
            defaults = owners(rest, &mut problem);
        } else if line.starts_with('!') {
            problem("a pattern cannot be negated".to_owned());
        } else if lines.len() >= Codeowners::MAX_RULES {
            problem(format!("is past the first {} patterns", Codeowners::MAX_RULES));
        } else {
            let (pattern, rest) = pattern(line);
            if pattern.chars().count() > MAX_PATTERN {
                problem(format!("the pattern is over {MAX_PATTERN} characters"));
                continue;
            }
            let mut owners = owners(rest, &mut problem);
            if owners.is_empty() {
                owners.clone_from(&defaults);
            }
            lines.push(Line { number, pattern: pattern.to_owned(), owners });
        }
    }
    File { lines, problems: problems.all() }
}

/// Whom the owners of a file are; `find` knows them by their names as written. Those that it does not know are kept with their lines.
#[must_use]
pub fn resolve(file: File, mut find: impl FnMut(&str) -> Option<Owner>) -> Vec<CodeownersRule> {
    let rule = |line: Line| {
        let mut rule = CodeownersRule {
            line: line.number,
            pattern: line.pattern,
            owners: Vec::new(),
            unknown: BTreeSet::new(),
        };
        for name in line.owners {
            match find(&name) {
                Some(owner) if rule.owners.contains(&owner) => {}
                Some(owner) => rule.owners.push(owner),
                None => {
                    rule.unknown.insert(name);
                }
            }
        }
        rule
    };
    file.lines.into_iter().map(rule).collect()
}

/// What follows the head of a section of GitLab's: `[Name]`, `^[Name]`, `[Name][2]`. A name that looks like a folder of a pattern
/// (`[slug]/page.tsx`) is none.
fn section(line: &str) -> Option<&str> {
    let head = line.strip_prefix('^').unwrap_or(line).strip_prefix('[')?;
    let (_, rest) = head.split_once(']')?;
    let approvals = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let rest = match approvals {
        Some((count, rest)) if count.chars().all(|c| c.is_ascii_digit()) => rest,
        _ => rest,
    };
    (rest.is_empty() || rest.starts_with(char::is_whitespace)).then_some(rest)
}

/// The pattern that a line begins with, and what follows. A space after a backslash is part of it.
fn pattern(line: &str) -> (&str, &str) {
    let mut escaped = false;
    let end = line.char_indices().find(|(_, c)| {
        let ends = c.is_whitespace() && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    });
    line.split_at(end.map_or(line.len(), |(at, _)| at))
}

fn owners(text: &str, problem: &mut impl FnMut(String)) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let names = text.split_whitespace().take_while(|name| !name.starts_with('#'));
    for name in names {
        if name.len() > MAX_OWNER {
            problem(format!("the name of an owner is over {MAX_OWNER} bytes"));
        } else if found.len() >= MAX_OWNERS {
            problem(format!("`{name}` and what follows are past the first {MAX_OWNERS} owners"));
            break;
        } else {
            found.push(name.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use bugle_model::UserId;

    fn read(text: &str) -> Vec<(u32, String, String)> {
        let lines = parse(text).lines;
        lines.into_iter().map(|line| (line.number, line.pattern, line.owners.join(" "))).collect()
    }

    fn line(number: u32, pattern: &str, owners: &str) -> (u32, String, String) {
        (number, pattern.to_owned(), owners.to_owned())
    }

    #[test]
    fn comments_escapes_and_owners() {
        let text =
            "\u{feff}# all\n*  @octo/all\n\n/docs/\\ a/\tann@example.com @ben # both\r\n\\#x @ben\nvendor/\n";
        assert_eq!(
            read(text),
            [
                line(2, "*", "@octo/all"),
                line(4, "/docs/\\ a/", "ann@example.com @ben"),
                line(5, "\\#x", "@ben"),
                line(6, "vendor/", ""),
            ]
        );
        assert_eq!(parse(text).problems, []);
    }

    #[test]
    fn sections_give_owners_by_default() {
        let text = "[Docs] @writers\n*.md\n*.txt @ben\n^[Database][2]\nschema/\n[slug]/page.tsx @ann\n";
        assert_eq!(
            read(text),
            [
                line(2, "*.md", "@writers"),
                line(3, "*.txt", "@ben"),
                line(5, "schema/", ""),
                line(6, "[slug]/page.tsx", "@ann"),
            ]
        );
    }

    #[test]
    fn what_cannot_be_used_is_told() {
        let many: Vec<String> = (0..22).map(|number| format!("@p{number}")).collect();
        let text = format!("!a @ben\n{} @ben\nb {}\n", "x".repeat(513), many.join(" "));
        let file = parse(&text);
        let told: Vec<_> = file.problems.iter().map(|one| format!("{}: {}", one.line, one.message)).collect();
        assert_eq!(
            told,
            [
                "1: a pattern cannot be negated",
                "2: the pattern is over 512 characters",
                "3: `@p20` and what follows are past the first 20 owners",
            ]
        );
        assert_eq!(file.lines.len(), 1);
        assert_eq!(file.lines[0].owners.len(), 20);
        let file = parse(&"a @b\n".repeat(Codeowners::MAX_RULES + 1));
        assert_eq!(file.problems.len(), 1, "{:?}", file.problems.first());
    }

    #[test]
    fn names_that_are_too_long_are_nobody() {
        let (long, longest) = ("x".repeat(129), "y".repeat(128));
        let file = parse(&format!("[Docs] {long} {longest}\na\nb {long} @ben\n"));
        let owners: Vec<_> = file.lines.iter().map(|line| line.owners.join(" ")).collect();
        assert_eq!(owners, [longest, "@ben".to_owned()]);
        let told: Vec<_> = file.problems.iter().map(|one| format!("{}: {}", one.line, one.message)).collect();
        assert_eq!(told, [1, 3].map(|line| format!("{line}: the name of an owner is over 128 bytes")));
    }

    #[test]
    fn of_many_problems_the_rest_is_counted() {
        let problems = parse(&"!a\n".repeat(150)).problems;
        assert_eq!(problems.len(), 101);
        let last = problems.last().map(|one| (one.line, one.message.as_str()));
        assert_eq!(last, Some((101, "and 50 more from here on")));
        assert_eq!(parse(&"!a\n".repeat(100)).problems.len(), 100);
    }

    #[test]
    fn unknown_owners_stay_with_their_line() {
        let ben = Owner::Person { user: UserId(2) };
        let rules = resolve(parse("a @ben @eve @Ben\nb @eve"), |name| (name != "@eve").then_some(ben));
        let unknown = BTreeSet::from(["@eve".to_owned()]);
        let a =
            CodeownersRule { line: 1, pattern: "a".to_owned(), owners: vec![ben], unknown: unknown.clone() };
        let b = CodeownersRule { line: 2, pattern: "b".to_owned(), owners: Vec::new(), unknown };
        assert_eq!(rules, [a, b]);
    }
}
