//! The grammar of `query=`: what the search of issues understands.
//!
//! A term is `key:value`, a word, or `"several words"`; `!` in front of a key turns it round. Several values of one key mean
//! any of them, everything else means both. A `*` in a value stands for anything. Every mistake is told with its place.

mod events;
mod filters;
mod terms;

#[cfg(test)]
mod tests;

pub(crate) use events::of_events;

use bugle_model::{IssueStatus, Level, Priority, UserKey};
use bugle_store::Scope;
use bugle_store::issues::{Filter, PersonFilter, Range, TagFilter};
use chrono::{DateTime, Utc};
use uuid::Uuid;

const MAX_LENGTH: usize = 500;
const MAX_TERMS: usize = 20;

/// A query understood.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Query {
    pub(crate) statuses: Vec<IssueStatus>,
    pub(crate) levels: Vec<Level>,
    pub(crate) priorities: Vec<Priority>,
    pub(crate) texts: Vec<String>,
    /// Assigned to somebody, or to nobody.
    pub(crate) is_assigned: Option<bool>,
    /// Assigned to one of these names.
    pub(crate) assigned_to: Vec<String>,
    /// Assigned to whoever asks.
    pub(crate) mine: bool,
    /// Bookmarked by whoever asks, or not.
    pub(crate) bookmarked: Option<bool>,
    pub(crate) tags: Vec<TagFilter>,
    /// Where each of `tags` stands in the query, for what only the database can tell.
    pub(crate) tag_places: Vec<usize>,
    /// Users: by what, any of these values, turned round.
    pub(crate) people: Vec<(UserKey, Vec<String>, bool)>,
    pub(crate) trace: Option<Uuid>,
    pub(crate) events: Range<i64>,
    pub(crate) users: Range<i64>,
    pub(crate) first_seen: Range<DateTime<Utc>>,
    pub(crate) last_seen: Range<DateTime<Utc>>,
}

impl From<Query> for Filter {
    fn from(query: Query) -> Self {
        let people = query.people.into_iter().map(|(key, values, negated)| PersonFilter {
            keys: values.iter().map(|value| key.hash(value)).collect(),
            negated,
        });
        Self {
            scope: Scope::default(),
            project: None,
            statuses: query.statuses,
            levels: query.levels,
            priorities: query.priorities,
            texts: query.texts,
            is_assigned: query.is_assigned,
            assigned_to: query.assigned_to,
            mine: None,
            bookmarked: None,
            tags: query.tags,
            people: people.collect(),
            trace: query.trace,
            events: query.events,
            users: query.users,
            first_seen: query.first_seen,
            last_seen: query.last_seen,
        }
    }
}

/// What is not understood, and where: characters from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QueryError {
    pub(crate) position: usize,
    pub(crate) message: String,
}

impl QueryError {
    pub(crate) fn new(position: usize, message: impl Into<String>) -> Self {
        Self { position, message: message.into() }
    }
}

/// Reads a query, at a time that `age:` counts from; every mistake is told.
pub(crate) fn parse(text: &str, now: DateTime<Utc>) -> Result<Query, Vec<QueryError>> {
    parse_terms(text, now, |_| None)
}

/// The same, where some keys have no meaning: `refuse` says why.
fn parse_terms(
    text: &str,
    now: DateTime<Utc>,
    refuse: impl Fn(&str) -> Option<String>,
) -> Result<Query, Vec<QueryError>> {
    let characters: Vec<char> = text.chars().collect();
    if characters.len() > MAX_LENGTH {
        return Err(vec![QueryError::new(
            MAX_LENGTH,
            format!("a query has at most {MAX_LENGTH} characters"),
        )]);
    }
    let terms = terms::split(&characters).map_err(|error| vec![error])?;
    if let Some(surplus) = terms.get(MAX_TERMS) {
        return Err(vec![QueryError::new(
            surplus.position,
            format!("a query has at most {MAX_TERMS} terms"),
        )]);
    }
    let mut query = Query::default();
    let mut errors = Vec::new();
    for term in &terms {
        let key = term.key.as_deref().map(|key| key.strip_prefix('!').unwrap_or(key));
        match key.and_then(&refuse) {
            Some(message) => errors.push(QueryError::new(term.position, message)),
            None => errors.extend(query.add(term, now).err()),
        }
    }
    if errors.is_empty() { Ok(query) } else { Err(errors) }
}
