//! What the door of ingest needs to know: projects, keys, how many processes share the quotas.

use crate::{Connection, Store, StoreError, statement};
use bugle_model::{DoorKey, DoorProject, DoorSnapshot, KeyId, ProjectId, Quota};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Integer, Jsonb, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use futures_util::StreamExt;
use ipnet::IpNet;
use serde::Deserialize;
use std::pin::pin;

/// An ingest process that has not shown itself for this long no longer shares the quotas.
const ALIVE_SECONDS: i64 = 15;

#[derive(QueryableByName)]
struct ProjectRow {
    #[diesel(sql_type = Integer)]
    id: i32,
    #[diesel(sql_type = Jsonb)]
    settings: serde_json::Value,
}

#[derive(QueryableByName)]
struct KeyRow {
    #[diesel(sql_type = Integer)]
    id: i32,
    #[diesel(sql_type = Integer)]
    project_id: i32,
    #[diesel(sql_type = Text)]
    public_key: String,
    #[diesel(sql_type = Bool)]
    enabled: bool,
    #[diesel(sql_type = Nullable<Integer>)]
    per_minute: Option<i32>,
    #[diesel(sql_type = Nullable<Integer>)]
    per_hour: Option<i32>,
}

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// The part of a project's settings that counts at the door. Lenient: what else is wrong with the settings
/// must not close the door.
#[derive(Default, Deserialize)]
#[serde(default)]
struct DoorSettings {
    quota: Quota,
    filters: DoorFilters,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DoorFilters {
    addresses: Vec<IpNet>,
    crawlers: bool,
}

impl From<ProjectRow> for DoorProject {
    fn from(row: ProjectRow) -> Self {
        let settings: DoorSettings = serde_json::from_value(row.settings).unwrap_or_else(|error| {
            tracing::warn!(project = row.id, %error, "settings cannot be read, the door goes without them");
            DoorSettings::default()
        });
        Self {
            id: ProjectId(row.id),
            quota: settings.quota,
            blocked_addresses: settings.filters.addresses,
            filter_crawlers: settings.filters.crawlers,
        }
    }
}

impl From<KeyRow> for DoorKey {
    fn from(row: KeyRow) -> Self {
        let limit = |value: Option<i32>| value.and_then(|value| u32::try_from(value).ok());
        Self {
            id: KeyId(row.id),
            project: ProjectId(row.project_id),
            public_key: row.public_key,
            enabled: row.enabled,
            quota: Quota { per_minute: limit(row.per_minute), per_hour: limit(row.per_hour) },
        }
    }
}

/// Reads everything that the door needs, complete, in three statements.
///
/// # Errors
/// When the database is away or a statement fails.
pub async fn snapshot(connection: &mut Connection, now: DateTime<Utc>) -> Result<DoorSnapshot, StoreError> {
    let projects: Vec<ProjectRow> =
        statement("SELECT id, settings FROM projects ORDER BY id").load(connection).await?;
    let keys: Vec<KeyRow> = statement(
        "SELECT id, project_id, public_key, enabled, per_minute, per_hour FROM project_keys ORDER BY id",
    )
    .load(connection)
    .await?;
    let alive: CountRow = statement(
        "SELECT count(*) AS count FROM service_heartbeats WHERE service = 'ingest' AND seen_at > $1",
    )
    .bind::<Timestamptz, _>(now - TimeDelta::seconds(ALIVE_SECONDS))
    .get_result(connection)
    .await?;
    Ok(DoorSnapshot {
        taken_at: now,
        projects: projects.into_iter().map(DoorProject::from).collect(),
        keys: keys.into_iter().map(DoorKey::from).collect(),
        ingest_processes: u32::try_from(alive.count).unwrap_or(1).max(1),
    })
}

/// A connection that hears of changes to projects and keys.
pub struct Changes(Connection);

impl Changes {
    /// Starts to listen, on a connection of its own.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn listen(store: &Store) -> Result<Self, StoreError> {
        let mut connection = store.dedicated().await?;
        statement("LISTEN bugle_door").execute(&mut connection).await?;
        Ok(Self(connection))
    }

    /// Waits for the next change. A connection that breaks is not always noticed: poll as well. Safe to cancel.
    ///
    /// # Errors
    /// When the connection broke.
    pub async fn next(&mut self) -> Result<(), StoreError> {
        match pin!(self.0.notifications_stream()).next().await {
            Some(Ok(_)) => Ok(()),
            Some(Err(error)) => Err(error.into()),
            None => Err(StoreError::Away("the connection that listens was closed".to_owned())),
        }
    }
}
