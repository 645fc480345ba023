//! The tags alone of events.

use super::matching::EventFilter;
use super::search::latest_rows;
use super::{Anchors, MOST_INFLATED, Row};
use crate::issues::Range;
use crate::{Connection, StoreError, statement};
use bugle_model::{IssueId, ProjectId};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Integer, Nullable, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// Of a [`Document`](crate::payload::Document) what is needed here: to read all of it takes several times as long.
#[derive(Deserialize)]
struct Slim {
    event: SlimEvent,
}

#[derive(Deserialize)]
struct SlimEvent {
    #[serde(default)]
    release: Option<String>,
    #[serde(default)]
    environment: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

/// The tags of each of the latest `limit` events of an issue, with its `release` and `environment`; a tag of the client's
/// that is called like one of these counts in its place.
///
/// # Errors
/// When the database fails or a payload cannot be read.
pub async fn tags(
    connection: &mut Connection,
    issue: IssueId,
    limit: usize,
) -> Result<Vec<BTreeMap<String, String>>, StoreError> {
    let rows = latest_rows(connection, issue, &EventFilter::default(), limit).await?;
    let mut anchors = Anchors::default();
    anchors.inflate_for(connection, &rows).await?;
    anchors.read(rows, |row, document| tags_of(row, document).map(Some))
}

/// The tags of some events by project and id, as [`tags`] has them. Left out is what is not there, and what cannot be read. `received` is
/// the time within which all of them came: open at both ends, every partition is looked at.
///
/// # Errors
/// When the database fails.
pub async fn tags_by_event(
    connection: &mut Connection,
    events: &[(ProjectId, Uuid)],
    received: Range<DateTime<Utc>>,
) -> Result<HashMap<(ProjectId, Uuid), BTreeMap<String, String>>, StoreError> {
    let mut found = HashMap::new();
    if events.is_empty() {
        return Ok(found);
    }
    let mut rows = rows_of(connection, events, received).await?.into_iter();
    let mut anchors = Anchors::default();
    loop {
        let portion: Vec<Row> = rows.by_ref().take(MOST_INFLATED).collect();
        if portion.is_empty() {
            return Ok(found);
        }
        match anchors.inflate_for(connection, &portion).await {
            // Which events that are is told below.
            Ok(()) | Err(StoreError::Damaged(_)) => {}
            Err(error) => return Err(error),
        }
        found.extend(anchors.read_each(portion, |row, document| {
            let key = (ProjectId(row.project_id), row.event_id);
            match document.and_then(|document| tags_of(row, document)) {
                Ok(tags) => Ok(Some((key, tags))),
                Err(StoreError::Damaged(error)) => {
                    tracing::error!(event = %key.1, error, "an event cannot be read: its tags are not known");
                    Ok(None)
                }
                Err(error) => Err(error),
            }
        })?);
    }
}

async fn rows_of(
    connection: &mut Connection,
    events: &[(ProjectId, Uuid)],
    received: Range<DateTime<Utc>>,
) -> Result<Vec<Row>, StoreError> {
    Ok(statement(
        "SELECT e.received_at, e.issue_id, e.anchor_id, e.project_id, e.event_id, r.version AS release,
                n.name AS environment, e.payload
         FROM UNNEST($1, $2) AS w (project_id, event_id)
         JOIN events e ON e.event_id = w.event_id AND e.project_id = w.project_id
         LEFT JOIN releases r ON r.id = e.release_id
         LEFT JOIN environments n ON n.id = e.environment_id
         WHERE e.received_at >= coalesce($3, '-infinity'::timestamptz)
            AND e.received_at <= coalesce($4, 'infinity'::timestamptz)",
    )
    .bind::<Array<Integer>, _>(events.iter().map(|(project, _)| project.0).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(events.iter().map(|(_, event_id)| *event_id).collect::<Vec<_>>())
    .bind::<Nullable<Timestamptz>, _>(received.from)
    .bind::<Nullable<Timestamptz>, _>(received.to)
    .load(connection)
    .await?)
}

fn tags_of(row: Row, document: &[u8]) -> Result<BTreeMap<String, String>, StoreError> {
    let damaged = |error| StoreError::Damaged(format!("document: {error}"));
    let Slim { event } = serde_json::from_slice(document).map_err(damaged)?;
    let mut tags = event.tags;
    for (key, value) in
        [("release", event.release.or(row.release)), ("environment", event.environment.or(row.environment))]
    {
        if let Some(value) = value {
            tags.entry(key.to_owned()).or_insert(value);
        }
    }
    Ok(tags)
}
