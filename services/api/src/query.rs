//! The grammar of `query=`: `is:resolved`, `level:error`, words, and "several words". Two filters of the same name
//! mean either, everything else means both. Whatever has another meaning elsewhere is refused with its place, so that
//! it can get one here later.

use bugle_model::{IssueStatus, Level};
use std::str::FromStr;

const MAX_LENGTH: usize = 500;
const MAX_TERMS: usize = 20;

/// A query understood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Query {
    pub(crate) statuses: Vec<IssueStatus>,
    pub(crate) levels: Vec<Level>,
    pub(crate) texts: Vec<String>,
}

/// What is not understood, and where: characters from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QueryError {
    pub(crate) position: usize,
    pub(crate) message: String,
}

impl QueryError {
    fn new(position: usize, message: impl Into<String>) -> Self {
        Self { position, message: message.into() }
    }
}

/// Reads a query; every mistake is told.
pub(crate) fn parse(text: &str) -> Result<Query, Vec<QueryError>> {
    let characters: Vec<char> = text.chars().collect();
    if characters.len() > MAX_LENGTH {
        return Err(vec![QueryError::new(
            MAX_LENGTH,
            format!("a query has at most {MAX_LENGTH} characters"),
        )]);
    }
    let mut query = Query::default();
    let mut errors = Vec::new();
    let terms = split(&characters).map_err(|error| vec![error])?;
    if let Some(surplus) = terms.get(MAX_TERMS) {
        return Err(vec![QueryError::new(
            surplus.position,
            format!("a query has at most {MAX_TERMS} terms"),
        )]);
    }
    for term in terms {
        if let Err(error) = query.add(&term) {
            errors.push(error);
        }
    }
    if errors.is_empty() { Ok(query) } else { Err(errors) }
}

struct Term {
    position: usize,
    text: String,
    quoted: bool,
}

/// Splits at white space; quotes keep words together, `\"` is a quote within them.
fn split(characters: &[char]) -> Result<Vec<Term>, QueryError> {
    let mut terms = Vec::new();
    let mut rest = characters.iter().copied().enumerate().peekable();
    while let Some((position, first)) = rest.next() {
        if first.is_whitespace() {
            continue;
        }
        let mut text = String::new();
        if first == '"' {
            let mut closed = false;
            while let Some((_, c)) = rest.next() {
                match c {
                    '"' => {
                        closed = true;
                        break;
                    }
                    '\\' => text.extend(rest.next().map(|(_, c)| c)),
                    c => text.push(c),
                }
            }
            if !closed {
                return Err(QueryError::new(position, "this quote is not closed"));
            }
            terms.push(Term { position, text, quoted: true });
            continue;
        }
        text.push(first);
        while let Some((_, c)) = rest.next_if(|(_, c)| !c.is_whitespace()) {
            text.push(c);
        }
        terms.push(Term { position, text, quoted: false });
    }
    Ok(terms)
}

impl Query {
    fn add(&mut self, term: &Term) -> Result<(), QueryError> {
        let filter = term.text.split_once(':').filter(|_| !term.quoted);
        let Some((name, value)) = filter else {
            if !term.quoted && ["OR", "AND", "NOT"].contains(&term.text.as_str()) {
                let message =
                    format!("`{}` is not understood yet; quote it to search for the word", term.text);
                return Err(QueryError::new(term.position, message));
            }
            if !term.text.is_empty() {
                self.texts.push(term.text.clone());
            }
            return Ok(());
        };
        let value_position = term.position + name.chars().count() + 1;
        match name {
            "is" => self.statuses.push(word(value, value_position)?),
            "level" => self.levels.push(word(value, value_position)?),
            _ => {
                let message = format!(
                    "there is no filter `{name}`; there are is: and level:, and quotes search for text"
                );
                return Err(QueryError::new(term.position, message));
            }
        }
        Ok(())
    }
}

fn word<T: FromStr<Err = bugle_model::UnknownName>>(value: &str, position: usize) -> Result<T, QueryError> {
    value.parse().map_err(|error: bugle_model::UnknownName| {
        QueryError::new(position, format!("`{}` is not one of {}", error.value, error.allowed))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_words_and_phrases() {
        let query =
            parse(r#"is:unresolved  timeout level:error level:fatal "in a:b \"x\"" is:ignored"#).unwrap();
        let expected = Query {
            statuses: vec![IssueStatus::Unresolved, IssueStatus::Ignored],
            levels: vec![Level::Error, Level::Fatal],
            texts: vec!["timeout".to_owned(), r#"in a:b "x""#.to_owned()],
        };
        assert_eq!(query, expected);
        assert_eq!(parse("  ").unwrap(), Query::default());
    }

    #[test]
    fn anything_else_is_refused_with_its_place() {
        let places = |text: &str| {
            let errors = parse(text).unwrap_err();
            errors.into_iter().map(|error| error.position).collect::<Vec<_>>()
        };
        assert_eq!(places("is:open"), [3]);
        assert_eq!(places("ü release:1.0 level:loud"), [2, 20]);
        assert_eq!(places("!is:resolved"), [0]);
        assert_eq!(places("a OR b"), [2]);
        assert_eq!(places("a \"b"), [2]);
        assert_eq!(places("TypeError: x"), [0]);
        assert_eq!(places(&"x".repeat(501)), [500]);
        assert_eq!(places(&"x ".repeat(21)), [40]);
    }
}
