//! The timeline, which is only added to.

use crate::{Connection, StoreError, statement};
use bugle_model::{Channel, IncidentEvent, IncidentId};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Int4, Int8, Jsonb, Nullable, SmallInt, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde_json::Value;

/// Something that happened to an incident.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub incident: IncidentId,
    pub generation: i32,
    pub event: IncidentEvent,
    pub data: Value,
}

/// Who does something with an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct By<'a> {
    /// Their name, of which 128 characters are kept.
    pub name: &'a str,
    /// The channel that they answered a page by; `None` is the API or the dashboard.
    pub channel: Option<Channel>,
}

impl<'a> From<&'a str> for By<'a> {
    fn from(name: &'a str) -> Self {
        Self { name, channel: None }
    }
}

/// Writes it down, in order. `actor` is who did it; `None` is the engine.
pub(super) async fn write(
    conn: &mut Connection,
    entries: &[Entry],
    actor: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    if entries.is_empty() {
        return Ok(());
    }
    statement(
        "INSERT INTO incident_log (incident_id, at, generation, kind, actor, data)
         SELECT s.incident_id, $6, s.generation, s.kind, $5, s.data
         FROM UNNEST($1::bigint[], $2::int[], $3::smallint[], $4::jsonb[])
            WITH ORDINALITY AS s (incident_id, generation, kind, data, place)
         ORDER BY s.place",
    )
    .bind::<Array<Int8>, _>(entries.iter().map(|entry| entry.incident.0).collect::<Vec<_>>())
    .bind::<Array<Int4>, _>(entries.iter().map(|entry| entry.generation).collect::<Vec<_>>())
    .bind::<Array<SmallInt>, _>(entries.iter().map(|entry| entry.event.code()).collect::<Vec<_>>())
    .bind::<Array<Jsonb>, _>(entries.iter().map(|entry| entry.data.clone()).collect::<Vec<_>>())
    .bind::<Nullable<Text>, _>(actor.map(|name| name.chars().take(128).collect::<String>()))
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    Ok(())
}
