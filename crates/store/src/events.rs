//! Events read back, whole.

mod matching;
mod search;
pub(crate) mod tag_bits;
mod tags;
mod trace;

pub use matching::EventFilter;
pub use search::{EventsFound, MOST_SEARCHED, search};
pub use tags::{tags, tags_by_event};
pub(crate) use trace::issues_of_trace;
pub use trace::{Traced, of_trace};

use crate::payload::{self, Decoder, Document};
use crate::{Connection, Scope, StoreError, statement};
use bugle_model::{Event, IssueId, ProjectId};
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Binary, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use uuid::Uuid;

/// An event with what its row knows beyond the payload.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    /// Its issue.
    pub issue: IssueId,
    /// Its project.
    pub project: ProjectId,
    /// When ingest accepted it.
    pub received_at: DateTime<Utc>,
    /// Its own title.
    pub title: String,
    /// Where it happened.
    pub culprit: Option<String>,
    /// The hashes that it was grouped by, as hex; the primary first.
    pub hashes: Vec<String>,
    /// The event, normalised and scrubbed.
    pub event: Event,
}

/// Where in an issue's list an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// When it was received.
    pub received_at: DateTime<Utc>,
    /// Its id.
    pub event_id: Uuid,
}

impl Position {
    /// The position of an event.
    #[must_use]
    pub const fn of(stored: &StoredEvent) -> Self {
        Self { received_at: stored.received_at, event_id: stored.event.event_id }
    }
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Timestamptz)]
    received_at: DateTime<Utc>,
    #[diesel(sql_type = BigInt)]
    issue_id: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    anchor_id: Option<i64>,
    #[diesel(sql_type = Integer)]
    project_id: i32,
    #[diesel(sql_type = SqlUuid)]
    event_id: Uuid,
    #[diesel(sql_type = Nullable<Text>)]
    release: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    environment: Option<String>,
    #[diesel(sql_type = Binary)]
    payload: Vec<u8>,
}

impl Row {
    const fn position(&self) -> Position {
        Position { received_at: self.received_at, event_id: self.event_id }
    }
}

#[derive(QueryableByName)]
struct AnchorRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Binary)]
    payload: Vec<u8>,
}

/// Up to `limit` events of an issue after a position, the newest first.
///
/// # Errors
/// When the database fails or a payload cannot be read.
pub async fn list(
    connection: &mut Connection,
    issue: IssueId,
    after: Option<Position>,
    limit: usize,
) -> Result<Vec<StoredEvent>, StoreError> {
    let all = EventFilter::default();
    Ok(search(connection, issue, &all, after, false, limit, limit + 1).await?.events)
}

/// The latest event of each of some issues, as far as there are any.
///
/// # Errors
/// When the database fails or a payload cannot be read.
pub async fn latest(
    connection: &mut Connection,
    issues: &[IssueId],
) -> Result<HashMap<IssueId, StoredEvent>, StoreError> {
    let rows: Vec<Row> = statement(
        "SELECT e.received_at, e.issue_id, e.anchor_id, e.project_id, e.event_id, r.version AS release,
                n.name AS environment, e.payload
         FROM UNNEST($1) AS wanted (issue_id)
         CROSS JOIN LATERAL (
             SELECT * FROM events e WHERE e.issue_id = wanted.issue_id ORDER BY e.received_at DESC LIMIT 1
         ) e
         LEFT JOIN releases r ON r.id = e.release_id
         LEFT JOIN environments n ON n.id = e.environment_id",
    )
    .bind::<Array<BigInt>, _>(issues.iter().map(|issue| issue.0).collect::<Vec<_>>())
    .load(connection)
    .await?;
    let events = read(connection, rows).await?;
    Ok(events.into_iter().map(|stored| (stored.issue, stored)).collect())
}

/// The events of a scope with this id: one at most within a project, one per project when none is given (two at most are
/// read, to tell whether it is unique). Those of a project or an issue that was removed are out of reach at once, though they
/// are there for a while.
///
/// # Errors
/// When the database fails or the payload cannot be read.
pub async fn find(
    connection: &mut Connection,
    scope: &Scope,
    event_id: Uuid,
    project: Option<ProjectId>,
) -> Result<Vec<StoredEvent>, StoreError> {
    let rows: Vec<Row> = statement(
        "SELECT e.received_at, e.issue_id, e.anchor_id, e.project_id, e.event_id, r.version AS release,
                n.name AS environment, e.payload
         FROM events e JOIN projects p ON p.id = e.project_id
         LEFT JOIN releases r ON r.id = e.release_id
         LEFT JOIN environments n ON n.id = e.environment_id
         WHERE e.event_id = $1 AND ($2 IS NULL OR e.project_id = $2) AND ($3 IS NULL OR p.team_id = ANY ($3))
            AND NOT EXISTS (SELECT FROM issue_moves m WHERE m.from_issue = e.issue_id AND m.to_issue IS NULL)
         LIMIT 2",
    )
    .bind::<SqlUuid, _>(event_id)
    .bind::<Nullable<Integer>, _>(project.map(|project| project.0))
    .bind::<Nullable<Array<Integer>>, _>(scope.bind())
    .load(connection)
    .await?;
    read(connection, rows).await
}

/// Decodes the rows, with one more query for all their anchors.
async fn read(connection: &mut Connection, rows: Vec<Row>) -> Result<Vec<StoredEvent>, StoreError> {
    let mut anchors = Anchors::default();
    anchors.inflate_for(connection, &rows).await?;
    anchors.read(rows, |row, document| stored(row, document).map(Some))
}

/// The documents that events were compressed against, inflated once for many events.
#[derive(Default)]
struct Anchors(HashMap<i64, Vec<u8>>);

/// With more of them the ones before are forgotten: each is as large as an event.
const MOST_INFLATED: usize = 64;

impl Anchors {
    async fn inflate_for(&mut self, connection: &mut Connection, rows: &[Row]) -> Result<(), StoreError> {
        let needed = |id: &i64| !self.0.contains_key(id);
        let mut ids: Vec<i64> = rows.iter().filter_map(|row| row.anchor_id).filter(needed).collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Ok(());
        }
        if self.0.len() + ids.len() > MOST_INFLATED {
            self.0.clear();
            ids = rows.iter().filter_map(|row| row.anchor_id).collect();
        }
        let found: Vec<AnchorRow> = statement("SELECT id, payload FROM anchors WHERE id = ANY ($1)")
            .bind::<Array<BigInt>, _>(ids)
            .load(connection)
            .await?;
        let mut inflated = Ok(());
        for anchor in found {
            // The others are there nevertheless, for whoever can do without the events of this one.
            match payload::decode(&anchor.payload, None) {
                Ok(document) => {
                    self.0.insert(anchor.id, document);
                }
                Err(error) => inflated = Err(error),
            }
        }
        inflated
    }

    /// What `read` makes of each row and its document. The anchors have been [inflated](Self::inflate_for).
    fn read<T>(
        &self,
        rows: Vec<Row>,
        mut read: impl FnMut(Row, &[u8]) -> Result<Option<T>, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        self.read_each(rows, |row, document| read(row, document?))
    }

    /// The same, with what `read` makes of a row whose document cannot be inflated.
    fn read_each<T>(
        &self,
        rows: Vec<Row>,
        mut read: impl FnMut(Row, Result<&[u8], StoreError>) -> Result<Option<T>, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut decoder = Decoder::new()?;
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            let document = match row.anchor_id.map(|id| self.0.get(&id)) {
                None => decoder.decode(&row.payload, None),
                Some(Some(anchor)) => decoder.decode(&row.payload, Some(anchor.as_slice())),
                Some(None) => Err(StoreError::Damaged(format!("event {}: its anchor is gone", row.event_id))),
            };
            found.extend(read(row, document)?);
        }
        Ok(found)
    }
}

/// The columns win where a document leaves out what its row has.
fn stored(row: Row, document: &[u8]) -> Result<StoredEvent, StoreError> {
    let document = Document::from_bytes(document)?;
    let mut event = document.event;
    event.event_id = row.event_id;
    event.release = event.release.or(row.release);
    event.environment = event.environment.or(row.environment);
    Ok(StoredEvent {
        issue: IssueId(row.issue_id),
        project: ProjectId(row.project_id),
        received_at: row.received_at,
        title: document.title,
        culprit: document.culprit,
        hashes: document.hashes,
        event,
    })
}
