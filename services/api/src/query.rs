//! The grammar of `query=`: what the search of issues understands.
//!
//! A term is `key:value`, a word, or `"several words"`; `!` in front of a key turns it round. Several values of one key mean
//! any of them, but for those that are turned round; everything else means both. In which order they stand makes no
//! difference. A `*` in a value stands for anything. Every mistake is told with its place.

mod choice;
mod events;
mod filters;
mod terms;

#[cfg(test)]
mod tests;

pub(crate) use events::of_events;

use self::choice::Choice;
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
    pub(crate) statuses: Choice<IssueStatus>,
    pub(crate) levels: Choice<Level>,
    pub(crate) priorities: Choice<Priority>,
    pub(crate) texts: Vec<String>,
    /// Assigned to somebody, or to nobody.
    pub(crate) is_assigned: Choice<bool>,
    /// Assigned to any of these.
    pub(crate) assigned_to: Assignees,
    /// Assigned to none of these.
    pub(crate) not_assigned_to: Assignees,
    /// Bookmarked by whoever asks, or not.
    pub(crate) bookmarked: Choice<bool>,
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

/// Whom issues are assigned to.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Assignees {
    pub(crate) names: Vec<String>,
    /// Whoever asks.
    pub(crate) me: bool,
    pub(crate) nobody: bool,
}

impl Query {
    /// The filter that it is, but for what depends on who asks; `None` when nothing can be what it asks for.
    pub(crate) fn into_filter(self) -> Option<Filter> {
        if self.is_contradiction() {
            return None;
        }
        let people = self.people.into_iter().map(|(key, values, negated)| PersonFilter {
            keys: values.iter().map(|value| key.hash(value)).collect(),
            negated,
        });
        Some(Filter {
            scope: Scope::default(),
            project: None,
            statuses: self.statuses.left(IssueStatus::ALL),
            levels: self.levels.left(Level::ALL),
            priorities: self.priorities.left(Priority::ALL),
            texts: self.texts,
            is_assigned: self.is_assigned.one(),
            assignees: Vec::new(),
            bookmarked: None,
            tags: self.tags,
            people: people.collect(),
            trace: self.trace,
            events: self.events,
            users: self.users,
            first_seen: self.first_seen,
            last_seen: self.last_seen,
        })
    }

    fn is_contradiction(&self) -> bool {
        self.statuses.is_contradiction(IssueStatus::ALL)
            || self.levels.is_contradiction(Level::ALL)
            || self.priorities.is_contradiction(Priority::ALL)
            || self.is_assigned.is_contradiction(Choice::<bool>::ALL)
            || self.bookmarked.is_contradiction(Choice::<bool>::ALL)
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
