//! The tags alone of the latest events of an issue.

use super::search::{EventFilter, latest_rows};
use super::{Anchors, Row};
use crate::{Connection, StoreError};
use bugle_model::IssueId;
use serde::Deserialize;
use std::collections::BTreeMap;

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
