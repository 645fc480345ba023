//! Signs of life of each service's processes.

use crate::{Connection, StoreError, statement};
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Jsonb, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

/// One process of one service.
#[derive(Debug, Clone, PartialEq, Serialize, QueryableByName, JsonSchema)]
pub struct Heartbeat {
    /// `ingest`, `recorder`, ….
    #[diesel(sql_type = Text)]
    pub service: String,
    /// The process, by an id that it made at its start.
    #[diesel(sql_type = SqlUuid)]
    pub instance: Uuid,
    /// When it started.
    #[diesel(sql_type = Timestamptz)]
    pub started_at: DateTime<Utc>,
    /// When it last showed itself.
    #[diesel(sql_type = Timestamptz)]
    pub seen_at: DateTime<Utc>,
    /// The version that it runs.
    #[diesel(sql_type = Text)]
    pub version: String,
    /// What it says of itself.
    #[diesel(sql_type = Jsonb)]
    pub state: serde_json::Value,
}

/// Writes a sign of life.
///
/// # Errors
/// When the database is away or the statement fails.
pub async fn beat(connection: &mut Connection, beat: &Heartbeat) -> Result<(), StoreError> {
    statement(
        "INSERT INTO service_heartbeats (service, instance, started_at, seen_at, version, state)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (service, instance) DO UPDATE SET seen_at = excluded.seen_at, state = excluded.state",
    )
    .bind::<Text, _>(beat.service.as_str())
    .bind::<SqlUuid, _>(beat.instance)
    .bind::<Timestamptz, _>(beat.started_at)
    .bind::<Timestamptz, _>(beat.seen_at)
    .bind::<Text, _>(beat.version.as_str())
    .bind::<Jsonb, _>(&beat.state)
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes a process that has stopped.
///
/// # Errors
/// When the database is away or the statement fails.
pub async fn leave(connection: &mut Connection, service: &str, instance: Uuid) -> Result<(), StoreError> {
    statement("DELETE FROM service_heartbeats WHERE service = $1 AND instance = $2")
        .bind::<Text, _>(service)
        .bind::<SqlUuid, _>(instance)
        .execute(connection)
        .await?;
    Ok(())
}

/// All that have shown themselves since `alive`, and those that were last seen since `missed` and went without saying so: no other
/// process of their service has started since.
///
/// # Errors
/// When the database is away or the statement fails.
pub async fn list(
    connection: &mut Connection,
    alive: DateTime<Utc>,
    missed: DateTime<Utc>,
) -> Result<Vec<Heartbeat>, StoreError> {
    Ok(statement(
        "SELECT service, instance, started_at, seen_at, version, state FROM service_heartbeats h
         WHERE seen_at >= $1 OR (seen_at >= $2 AND NOT EXISTS (
             SELECT 1 FROM service_heartbeats n WHERE n.service = h.service AND n.started_at > h.seen_at))
         ORDER BY service, started_at, instance",
    )
    .bind::<Timestamptz, _>(alive)
    .bind::<Timestamptz, _>(missed)
    .load(connection)
    .await?)
}
