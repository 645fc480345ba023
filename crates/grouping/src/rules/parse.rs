//! The parser of grouping rules: one line, one rule.

use super::{Field, FingerprintRule, Glob, Matcher, Piece, RuleError, Rules, StackRule, Variable};

/// The rules of a project, in bytes.
const MAX_BYTES: usize = 64 * 1024;
/// Rules of both kinds together.
const MAX_RULES: usize = 500;
/// Matchers of a rule, or parts of a fingerprint.
const MAX_PARTS: usize = 32;
/// Characters of one glob, part or title.
const MAX_WORD: usize = 512;

const FIELDS: &str = "type, value, message, module, function, path, package, level, logger, release, environment, \
     transaction, platform, sdk, tags.NAME, app";

pub(super) fn rules(text: &str) -> Result<Rules, RuleError> {
    if text.len() > MAX_BYTES {
        let message = format!("the rules have {} bytes, expected at most {MAX_BYTES}", text.len());
        return Err(RuleError { line: 1, column: 1, message });
    }
    let mut rules = Rules::default();
    for (index, line) in text.lines().enumerate() {
        let mut parser = Parser { line: index + 1, text: line, at: 0 };
        parser.rule(&mut rules)?;
        if rules.fingerprints.len() + rules.stacks.len() > MAX_RULES {
            return Err(parser.error_at(0, format!("expected at most {MAX_RULES} rules")));
        }
    }
    Ok(rules)
}

struct Parser<'t> {
    line: usize,
    text: &'t str,
    /// The byte where reading goes on.
    at: usize,
}

fn is_space(character: char) -> bool {
    character.is_whitespace()
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn error_at(&self, at: usize, message: String) -> RuleError {
        let column = self.text.get(..at).unwrap_or(self.text).chars().count() + 1;
        RuleError { line: self.line, column, message }
    }

    fn error(&self, message: String) -> RuleError {
        self.error_at(self.at, message)
    }

    fn skip_space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start_matches(is_space).len();
    }

    /// Only white space or a comment is left.
    fn at_end(&self) -> bool {
        self.rest().is_empty() || self.rest().starts_with('#')
    }

    fn take(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        if found {
            self.at += expected.len();
        }
        found
    }

    /// Reads as long as `test` holds.
    fn take_while(&mut self, test: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|character| !test(character)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    fn rule(&mut self, rules: &mut Rules) -> Result<(), RuleError> {
        self.skip_space();
        if self.at_end() {
            return Ok(());
        }
        let mut matchers = Vec::new();
        loop {
            self.skip_space();
            if self.take("->") {
                let rule = self.fingerprint(matchers)?;
                rules.fingerprints.push(rule);
                return Ok(());
            }
            if matches!(self.peek(), Some('+' | '-')) {
                let rule = self.stack(matchers)?;
                rules.stacks.push(rule);
                return Ok(());
            }
            if self.at_end() {
                return Err(self.error("expected `-> fingerprint`, `+app`, `-app`, `+group` or `-group`, found the end of the rule".to_owned()));
            }
            if matchers.len() == MAX_PARTS {
                return Err(self.error(format!("expected at most {MAX_PARTS} matchers")));
            }
            matchers.push(self.matcher()?);
        }
    }

    fn matcher(&mut self) -> Result<Matcher, RuleError> {
        let negated = self.take("!");
        let start = self.at;
        let name = self.take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-'));
        let Some(field) = field(name) else {
            let found = if name.is_empty() { self.found() } else { format!("`{}`", shorten(name)) };
            return Err(self.error_at(start, format!("expected a matcher ({FIELDS}), found {found}")));
        };
        if !self.take(":") {
            let message =
                format!("expected `:` and a pattern after `{}`, found {}", shorten(name), self.found());
            return Err(self.error(message));
        }
        let start = self.at;
        let pattern = self.word(is_space)?;
        if pattern.is_empty() {
            return Err(self.error_at(start, format!("expected a pattern, found {}", self.found())));
        }
        let pattern = if field == Field::App {
            yes_or_no(&pattern)
                .ok_or_else(|| {
                    self.error_at(start, format!("expected `yes` or `no`, found `{}`", shorten(&pattern)))
                })?
                .to_owned()
        } else {
            pattern
        };
        let is_path = matches!(field, Field::Path | Field::Package);
        Ok(Matcher { glob: Glob::new(&pattern, is_path), field, negated })
    }

    /// A word up to `ends`, or one in double quotes with `\"` and `\\`.
    fn word(&mut self, ends: impl Fn(char) -> bool) -> Result<String, RuleError> {
        let start = self.at;
        let word = if self.take("\"") { self.quoted(start)? } else { self.bare(ends)? };
        if word.chars().count() > MAX_WORD {
            return Err(self.error_at(start, format!("expected at most {MAX_WORD} characters")));
        }
        Ok(word)
    }

    /// Up to white space; `{{ … }}` may hold some.
    fn bare(&mut self, ends: impl Fn(char) -> bool) -> Result<String, RuleError> {
        let start = self.at;
        while let Some(character) = self.peek() {
            if self.rest().starts_with("{{") {
                let Some(length) = self.rest().find("}}") else {
                    return Err(
                        self.error("expected `}}` that closes `{{`, found the end of the line".to_owned())
                    );
                };
                self.at += length + 2;
            } else if ends(character) {
                break;
            } else {
                self.at += character.len_utf8();
            }
        }
        Ok(self.text.get(start..self.at).unwrap_or_default().to_owned())
    }

    fn quoted(&mut self, start: usize) -> Result<String, RuleError> {
        let mut word = String::new();
        let mut escaped = false;
        for (offset, character) in self.rest().char_indices() {
            match character {
                _ if escaped => {
                    if !matches!(character, '"' | '\\') {
                        word.push('\\');
                    }
                    word.push(character);
                    escaped = false;
                }
                '\\' => escaped = true,
                '"' => {
                    self.at += offset + 1;
                    return Ok(word);
                }
                _ => word.push(character),
            }
        }
        Err(self.error_at(start, "expected a closing `\"`, found the end of the line".to_owned()))
    }

    fn fingerprint(&mut self, matchers: Vec<Matcher>) -> Result<FingerprintRule, RuleError> {
        if matchers.is_empty() {
            return Err(self.error_at(0, format!("expected a matcher before `->` ({FIELDS})")));
        }
        let mut parts = Vec::new();
        let mut title = None;
        loop {
            self.take_while(|c| is_space(c) || c == ',');
            if self.at_end() {
                break;
            }
            let start = self.at;
            if self.take("title=") {
                if title.is_some() {
                    return Err(self.error_at(start, "expected only one `title=`".to_owned()));
                }
                let text = self.at;
                let word = self.word(is_space)?;
                title = Some(self.pieces(&word, text, false)?);
                continue;
            }
            if parts.len() == MAX_PARTS {
                return Err(self.error(format!("expected at most {MAX_PARTS} parts of a fingerprint")));
            }
            let word = self.word(|c| is_space(c) || c == ',')?;
            parts.push(self.pieces(&word, start, true)?);
        }
        if parts.is_empty() {
            return Err(
                self.error(format!("expected a part of the fingerprint after `->`, found {}", self.found()))
            );
        }
        Ok(FingerprintRule { line: self.line, source: self.text.trim().to_owned(), matchers, parts, title })
    }

    /// Splits a word into text and variables. `start` is where it stands, for errors.
    fn pieces(&self, word: &str, start: usize, is_part: bool) -> Result<Vec<Piece>, RuleError> {
        let mut pieces = Vec::new();
        let mut rest = word;
        while let Some((text, tail)) = rest.split_once("{{") {
            let Some((name, tail)) = tail.split_once("}}") else { break };
            let Some(variable) = Variable::named(name) else {
                let message =
                    format!("expected a variable ({}), found `{}`", Variable::NAMES, shorten(name.trim()));
                return Err(self.error_at(start, message));
            };
            let alone = text.is_empty() && tail.is_empty() && pieces.is_empty();
            if variable == Variable::Default && !(is_part && alone) {
                return Err(self.error_at(
                    start,
                    "expected `{{ default }}` to be a whole part of the fingerprint".to_owned(),
                ));
            }
            if !text.is_empty() {
                pieces.push(Piece::Text(text.to_owned()));
            }
            pieces.push(Piece::Variable(variable));
            rest = tail;
        }
        if !rest.is_empty() || pieces.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(pieces)
    }

    fn stack(&mut self, matchers: Vec<Matcher>) -> Result<StackRule, RuleError> {
        if matchers.is_empty() {
            return Err(self.error_at(0, format!("expected a matcher before the action ({FIELDS})")));
        }
        let mut rule = StackRule { line: self.line, matchers, app: None, group: None };
        loop {
            self.skip_space();
            if self.at_end() {
                return Ok(rule);
            }
            let start = self.at;
            let action = self.take_while(|c| !is_space(c));
            match action {
                "+app" => rule.app = Some(true),
                "-app" => rule.app = Some(false),
                "+group" => rule.group = Some(true),
                "-group" => rule.group = Some(false),
                other => {
                    let message =
                        format!("expected `+app`, `-app`, `+group` or `-group`, found `{}`", shorten(other));
                    return Err(self.error_at(start, message));
                }
            }
        }
    }

    /// What stands where something else was expected.
    fn found(&self) -> String {
        match self.peek() {
            None => "the end of the line".to_owned(),
            Some(character) if is_space(character) => "a space".to_owned(),
            Some(character) => format!("`{character}`"),
        }
    }
}

fn shorten(text: &str) -> String {
    text.chars().take(40).collect()
}

fn yes_or_no(text: &str) -> Option<&'static str> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" | "1" => Some("yes"),
        "no" | "false" | "0" => Some("no"),
        _ => None,
    }
}

fn field(name: &str) -> Option<Field> {
    if let Some(tag) = name.strip_prefix("tags.") {
        return (!tag.is_empty()).then(|| Field::Tag(tag.to_owned()));
    }
    Some(match name {
        "type" => Field::Type,
        "value" => Field::Value,
        "message" => Field::Message,
        "module" => Field::Module,
        "function" => Field::Function,
        "path" => Field::Path,
        "package" => Field::Package,
        "app" => Field::App,
        "level" => Field::Level,
        "logger" => Field::Logger,
        "release" => Field::Release,
        "environment" => Field::Environment,
        "transaction" => Field::Transaction,
        "platform" => Field::Platform,
        "sdk" => Field::Sdk,
        _ => return None,
    })
}
