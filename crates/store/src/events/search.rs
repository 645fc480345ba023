//! Events of one issue that something holds for, from one event on, in either direction.
//!
//! An issue may have millions of events, and most of what is asked for is in payloads only: so many rows are looked at,
//! and the answer says how far it got.

use super::matching::EventFilter;
use super::{Anchors, Position, Row, StoredEvent, stored, tag_bits};
use crate::issues::Range;
use crate::{Connection, StoreError, statement};
use bugle_model::{IssueId, Level};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{Array, BigInt, Bool, Nullable, SmallInt, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::{AsyncConnection, RunQueryDsl, SimpleAsyncConnection};
use uuid::Uuid;

/// Rows that one statement looks at.
const WINDOW: usize = 500;
/// Rows that a search looks at.
pub const MOST_SEARCHED: usize = 1_000;
const NEAR: TimeDelta = TimeDelta::days(1);

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
/// `budget` events at most, which is [`MOST_SEARCHED`] unless several searches share it.
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
    budget: usize,
) -> Result<EventsFound, StoreError> {
    // Nothing can match: to look for it would go through all events, a page at a time.
    if filter.levels.as_ref().is_some_and(Vec::is_empty) {
        return Ok(EventsFound { events: Vec::new(), next: None, searched: 0 });
    }
    let search = Search { issue, filter, newer, limit, budget };
    connection
        .transaction(async |connection| {
            connection.batch_execute(PLANNED_ONCE).await?;
            search.run(connection, after).await
        })
        .await
}

/// The rows of the latest `limit` events of an issue, without undoing their payloads.
pub(super) async fn latest_rows(
    connection: &mut Connection,
    issue: IssueId,
    filter: &EventFilter,
    limit: usize,
) -> Result<Vec<Row>, StoreError> {
    let search = Search { issue, filter, newer: false, limit, budget: limit };
    connection
        .transaction(async |connection| {
            connection.batch_execute(PLANNED_ONCE).await?;
            let rows = match search.near(connection, None, limit).await? {
                Some(near) => search.look(connection, None, &near, limit).await?,
                None => Vec::new(),
            };
            if rows.len() == limit {
                return Ok(rows);
            }
            search.look(connection, None, &filter.received, limit).await
        })
        .await
        .map(|rows| rows.into_iter().filter(|looked| looked.kept).map(|looked| looked.event).collect())
}

/// A plan for certain values looks at every partition, and there are over a hundred. One that is kept leaves out those that
/// cannot hold anything when it starts; it is to read indexes in their order, whatever the values are.
const PLANNED_ONCE: &str = "SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_sort = off; \
                            SET LOCAL enable_bitmapscan = off";

struct Search<'a> {
    issue: IssueId,
    filter: &'a EventFilter,
    newer: bool,
    limit: usize,
    budget: usize,
}

impl Search<'_> {
    async fn run(
        &self,
        connection: &mut Connection,
        after: Option<Position>,
    ) -> Result<EventsFound, StoreError> {
        let mut found = EventsFound { events: Vec::new(), next: after, searched: 0 };
        let mut anchors = Anchors::default();
        let window = self.window();
        let mut near = self.near(connection, after, window).await?;
        while found.searched < self.budget {
            let window = window.min(self.budget - found.searched);
            let mut rows = Vec::new();
            if let Some(range) = &near {
                rows = self.look(connection, found.next, range, window).await?;
            }
            if rows.len() < window {
                near = None;
                rows = self.look(connection, found.next, &self.filter.received, window).await?;
            }
            let ended = rows.len() < window;
            if self.take(connection, rows, ended, &mut anchors, &mut found).await? || ended {
                break;
            }
        }
        Ok(found)
    }

    /// Rows that one statement looks at.
    fn window(&self) -> usize {
        let filter = self.filter;
        if filter.needs_payload() || filter.levels.is_some() || filter.trace.is_some() {
            WINDOW
        } else {
            // One more tells whether there are more.
            self.limit + 1
        }
    }

    /// Adds what matches among the rows; whether that fills the page.
    async fn take(
        &self,
        connection: &mut Connection,
        rows: Vec<Looked>,
        ended: bool,
        anchors: &mut Anchors,
        found: &mut EventsFound,
    ) -> Result<bool, StoreError> {
        let positions = rows.iter().map(|looked| looked.event.position());
        let last = if self.newer { positions.max_by_key(order) } else { positions.min_by_key(order) };
        found.searched += rows.len();
        // Payloads are undone in portions: a page is most often full long before the window's end.
        let mut kept = rows.into_iter().filter(|looked| looked.kept).map(|looked| looked.event);
        loop {
            let portion: Vec<Row> = kept.by_ref().take(self.limit.max(25)).collect();
            if portion.is_empty() {
                break;
            }
            anchors.inflate_for(connection, &portion).await?;
            let matching = |row: Row, document: &[u8]| {
                // To inflate a document costs far less than to read it.
                let event = if self.filter.may_match(document) { Some(stored(row, document)?) } else { None };
                Ok(event.filter(|event| self.filter.matches(event)))
            };
            for event in anchors.read(portion, matching)? {
                let position = Position::of(&event);
                found.events.push(event);
                if found.events.len() == self.limit {
                    let more = !ended || last.is_some_and(|last| last != position);
                    found.next = more.then_some(position);
                    return Ok(true);
                }
            }
        }
        found.next = if ended { None } else { last };
        Ok(false)
    }

    /// The day in which to look first, where it most likely holds a window's events: two or three days' partitions are
    /// opened then, and not all.
    async fn near(
        &self,
        connection: &mut Connection,
        after: Option<Position>,
        window: usize,
    ) -> Result<Option<Range<DateTime<Utc>>>, StoreError> {
        let row: Option<LifeRow> = statement(
            "SELECT i.first_seen, c.last_seen, c.events FROM issues i JOIN issue_counts c ON c.issue_id = i.id
             WHERE i.id = $1",
        )
        .bind::<BigInt, _>(self.issue.0)
        .get_result(connection)
        .await
        .optional()?;
        let Some(life) = row else { return Ok(None) };
        let days = (life.last_seen - life.first_seen).num_days().max(0) + 1;
        if life.events / days < i64::try_from(window).unwrap_or(i64::MAX) {
            return Ok(None);
        }
        let own = self.filter.received;
        let range = if self.newer {
            let from = after
                .map_or(life.first_seen, |after| after.received_at)
                .max(own.from.unwrap_or(life.first_seen));
            Range { from: own.from, to: Some(own.to.map_or(from + NEAR, |to| to.min(from + NEAR))) }
        } else {
            let to =
                after.map_or(life.last_seen, |after| after.received_at).min(own.to.unwrap_or(life.last_seen));
            // What has come since the issue was read is within a day of it.
            let latest = if after.is_some() || own.to.is_some() { own.to } else { Some(to + NEAR) };
            Range { from: Some(own.from.map_or(to - NEAR, |from| from.max(to - NEAR))), to: latest }
        };
        Ok(Some(range))
    }
}

#[derive(QueryableByName)]
struct LifeRow {
    #[diesel(sql_type = Timestamptz)]
    first_seen: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    last_seen: DateTime<Utc>,
    #[diesel(sql_type = BigInt)]
    events: i64,
}

fn order(position: &Position) -> (DateTime<Utc>, Uuid) {
    (position.received_at, position.event_id)
}

macro_rules! window {
    ($sign:literal, $end:literal, $order:literal) => {
        concat!(
            "SELECT e.received_at, e.issue_id, e.anchor_id, e.project_id, e.event_id, r.version AS release,
                    n.name AS environment, CASE WHEN e.kept THEN e.payload ELSE ''::bytea END AS payload, e.kept
             FROM (SELECT *, (($4 IS NULL OR level = ANY ($4)) AND ($5 IS NULL OR trace_id IS NOT DISTINCT FROM $5)
                     AND ($9 = 0 OR tag_bits IS NULL OR tag_bits & $9 = $9)) AS kept
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

impl Search<'_> {
    async fn look(
        &self,
        connection: &mut Connection,
        after: Option<Position>,
        received: &Range<DateTime<Utc>>,
        window: usize,
    ) -> Result<Vec<Looked>, StoreError> {
        let text = if self.newer { window!(">", "-", "ASC") } else { window!("<", "", "DESC") };
        let edge = if self.newer { Uuid::nil() } else { Uuid::max() };
        let filter = self.filter;
        let codes = |levels: &Vec<Level>| levels.iter().map(|level| level.code()).collect::<Vec<_>>();
        Ok(statement(text)
            .bind::<BigInt, _>(self.issue.0)
            .bind::<Nullable<Timestamptz>, _>(after.map(|position| position.received_at))
            .bind::<SqlUuid, _>(after.map_or(edge, |position| position.event_id))
            .bind::<Nullable<Array<SmallInt>>, _>(filter.levels.as_ref().map(codes))
            .bind::<Nullable<SqlUuid>, _>(filter.trace)
            .bind::<Nullable<Timestamptz>, _>(received.from)
            .bind::<Nullable<Timestamptz>, _>(received.to)
            .bind::<BigInt, _>(i64::try_from(window).unwrap_or(i64::MAX))
            .bind::<BigInt, _>(tag_bits::wanted(&filter.tags))
            .load(connection)
            .await?)
    }
}
