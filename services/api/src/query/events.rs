//! The same grammar where it is about the events of an issue.

use super::{QueryError, parse_terms};
use bugle_model::Level;
use bugle_store::events::EventFilter;
use chrono::{DateTime, Utc};

/// What says something of issues, and nothing of one of their events.
const OF_ISSUES: [&str; 6] = ["is", "priority", "assigned", "times_seen", "users", "last_seen"];

/// Reads a query about events; `age:` is about when they were received.
pub(crate) fn of_events(text: &str, now: DateTime<Utc>) -> Result<EventFilter, Vec<QueryError>> {
    let query = parse_terms(text, now, |key| {
        OF_ISSUES.contains(&key).then(|| format!("`{key}:` is about issues, not about one of their events"))
    })?;
    Ok(EventFilter {
        levels: query.levels.left(Level::ALL),
        trace: query.trace,
        received: query.first_seen,
        texts: query.texts,
        tags: query.tags,
        people: query.people,
    })
}
