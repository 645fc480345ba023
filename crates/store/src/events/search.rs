//! Events of one issue that something holds for, from one event on, in either direction.
//!
//! An issue may have millions of events, and most of what is asked for is in payloads only: so many rows are looked at,
//! and the answer says how far it got.

use super::{Position, Row, StoredEvent, read};
use crate::{Connection, StoreError, statement};
use bugle_model::{IssueId, Level, UserKey};
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, SmallInt, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

/// Rows that one statement looks at, and how many statements there are.
const WINDOW: usize = 500;
const WINDOWS: usize = 4;

/// Which events. The default is all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EventFilter {
    /// Only with one of these; empty means any.
    pub levels: Vec<Level>,
    /// Only of this trace.
    pub trace: Option<Uuid>,
    /// Received within this time.
    pub received: crate::issues::Range<DateTime<Utc>>,
    /// Only with each of these, in title, culprit or message, without regard to case.
    pub texts: Vec<String>,
    /// Only with (or without) each of these tags; release, environment, user and trace are among them.
    pub tags: Vec<crate::issues::TagFilter>,
    /// Only of (or of none of) these users; any of a key's values.
    pub people: Vec<(UserKey, Vec<String>, bool)>,
}

impl EventFilter {
    fn needs_payload(&self) -> bool {
        !(self.texts.is_empty() && self.tags.is_empty() && self.people.is_empty())
    }

    /// Whether what only the payload tells holds.
    fn matches(&self, stored: &StoredEvent) -> bool {
        let texts = self.texts.iter().all(|text| says(stored, &text.to_lowercase()));
        let tags = self.tags.iter().all(|tag| {
            let value = value(stored, &tag.key);
            let has = value.is_some_and(|value| {
                tag.values.is_empty() || tag.values.iter().any(|wanted| is_like(value, wanted))
            });
            has != tag.negated
        });
        let person = |(key, values, negated): &(UserKey, Vec<String>, bool)| {
            let own = stored.event.user.as_ref().and_then(|user| user.value(*key));
            let is = own.is_some_and(|own| values.iter().any(|value| key.hash(own) == key.hash(value)));
            is != *negated
        };
        texts && tags && self.people.iter().all(person)
    }
}

fn says(stored: &StoredEvent, lowercase: &str) -> bool {
    let event = &stored.event;
    let raised = event.exceptions.iter().filter_map(|one| one.value.as_deref());
    let logged = event.message.iter().map(|message| message.text());
    let own = [Some(stored.title.as_str()), stored.culprit.as_deref()].into_iter().flatten();
    own.chain(raised).chain(logged).any(|text| text.to_lowercase().contains(lowercase))
}

fn value<'e>(stored: &'e StoredEvent, key: &str) -> Option<&'e str> {
    let event = &stored.event;
    let own = event.tags.get(key).map(String::as_str);
    match key {
        "release" => event.release.as_deref(),
        "environment" => event.environment.as_deref(),
        "transaction" => event.transaction.as_deref().or(own),
        "trace" => own.or(event.trace_id.as_deref()),
        "user" => own.or_else(|| event.user.as_ref().and_then(|user| user.identity()).map(|_| "")),
        _ => own,
    }
}

/// Whether a value is what is wanted, in which `*` stands for anything.
fn is_like(value: &str, wanted: &str) -> bool {
    let mut parts = wanted.split('*');
    let Some(mut rest) = parts.next().and_then(|first| value.strip_prefix(first)) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Events that were found, and where to go on.
#[derive(Debug, Clone, PartialEq)]
pub struct EventsFound {
    /// The events, in the direction's order.
    pub events: Vec<StoredEvent>,
    /// The last event that was looked at; `None` when there are no more.
    pub next: Option<Position>,
    /// How many events were looked at.
    pub searched: usize,
}

#[derive(QueryableByName)]
struct Looked {
    #[diesel(embed)]
    event: Row,
    #[diesel(sql_type = Bool)]
    kept: bool,
}

/// Up to `limit` events of an issue after a position: older ones, the newest first, or `newer` ones, the oldest first. Looks at
/// 2,000 events at most.
///
/// # Errors
/// When the database fails or a payload cannot be read.
pub async fn search(
    connection: &mut Connection,
    issue: IssueId,
    filter: &EventFilter,
    after: Option<Position>,
    newer: bool,
    limit: usize,
) -> Result<EventsFound, StoreError> {
    let mut found = EventsFound { events: Vec::new(), next: after, searched: 0 };
    let window = if filter.needs_payload() || filter.levels.len() + usize::from(filter.trace.is_some()) > 0 {
        WINDOW
    } else {
        // One more tells whether there are more.
        limit + 1
    };
    for _ in 0..WINDOWS {
        let rows = look(connection, issue, filter, found.next, newer, window).await?;
        let ended = rows.len() < window;
        let (kept, passed): (Vec<Looked>, Vec<Looked>) = rows.into_iter().partition(|looked| looked.kept);
        let last = kept.iter().chain(&passed).map(|looked| looked.event.position());
        let last = if newer { last.max_by_key(order) } else { last.min_by_key(order) };
        let count = kept.len() + passed.len();
        // Payloads are undone in portions: a page is most often full long before the window's end.
        let mut kept = kept.into_iter().map(|looked| looked.event);
        loop {
            let portion: Vec<Row> = kept.by_ref().take(limit.max(25)).collect();
            if portion.is_empty() {
                break;
            }
            for event in read(connection, portion).await? {
                if !filter.matches(&event) {
                    continue;
                }
                let position = Position::of(&event);
                found.events.push(event);
                if found.events.len() == limit {
                    let more = !ended || last.is_some_and(|last| last != position);
                    found.searched += count;
                    found.next = more.then_some(position);
                    return Ok(found);
                }
            }
        }
        found.searched += count;
        found.next = last;
        if ended {
            found.next = None;
            break;
        }
    }
    Ok(found)
}

fn order(position: &Position) -> (DateTime<Utc>, Uuid) {
    (position.received_at, position.event_id)
}

macro_rules! window {
    ($sign:literal, $end:literal, $order:literal) => {
        concat!(
            "SELECT e.received_at, e.issue_id, e.anchor_id, e.project_id, e.event_id, r.version AS release,
                    n.name AS environment, CASE WHEN e.kept THEN e.payload ELSE ''::bytea END AS payload, e.kept
             FROM (SELECT *, (($4 = '{}' OR level = ANY ($4)) AND ($5 IS NULL OR trace_id IS NOT DISTINCT FROM $5)) AS kept
                 FROM events e WHERE e.issue_id = $1
                   AND e.received_at ", $sign, "= coalesce($2, '", $end, "infinity'::timestamptz)
                   AND ($2 IS NULL OR (e.received_at, e.event_id) ", $sign, " ($2, $3))
                   AND e.received_at >= coalesce($6, '-infinity'::timestamptz) AND e.received_at <= coalesce($7, 'infinity'::timestamptz)
                 ORDER BY e.received_at ", $order, ", e.event_id ", $order, " LIMIT $8) e
             LEFT JOIN releases r ON r.id = e.release_id
             LEFT JOIN environments n ON n.id = e.environment_id
             ORDER BY e.received_at ", $order, ", e.event_id ", $order
        )
    };
}

async fn look(
    connection: &mut Connection,
    issue: IssueId,
    filter: &EventFilter,
    after: Option<Position>,
    newer: bool,
    window: usize,
) -> Result<Vec<Looked>, StoreError> {
    let text = if newer { window!(">", "-", "ASC") } else { window!("<", "", "DESC") };
    let edge = if newer { Uuid::nil() } else { Uuid::max() };
    Ok(statement(text)
        .bind::<BigInt, _>(issue.0)
        .bind::<Nullable<Timestamptz>, _>(after.map(|position| position.received_at))
        .bind::<SqlUuid, _>(after.map_or(edge, |position| position.event_id))
        .bind::<Array<SmallInt>, _>(filter.levels.iter().map(|level| level.code()).collect::<Vec<_>>())
        .bind::<Nullable<SqlUuid>, _>(filter.trace)
        .bind::<Nullable<Timestamptz>, _>(filter.received.from)
        .bind::<Nullable<Timestamptz>, _>(filter.received.to)
        .bind::<BigInt, _>(i64::try_from(window).unwrap_or(i64::MAX))
        .load(connection)
        .await?)
}

#[cfg(test)]
mod tests {
    use super::is_like;

    #[test]
    fn a_star_stands_for_anything() {
        for (value, wanted) in
            [("1.4.2", "1.4.*"), ("1.4.2", "*"), ("1.4.2", "1*.2"), ("1.4.2", "*4*"), ("a", "a"), ("", "*")]
        {
            assert!(is_like(value, wanted), "{value} {wanted}");
        }
        for (value, wanted) in [("1.4.2", "1.5.*"), ("aa", "a"), ("ab", "a*a"), ("a", "a*a"), ("", "a*")] {
            assert!(!is_like(value, wanted), "{value} {wanted}");
        }
    }
}
