//! Project keys: what clients prove themselves with. The door follows this table.

use crate::{Connection, StoreError, statement};
use bugle_model::{KeyId, ProjectId, Quota};
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Bool, Integer, Nullable, Text, Timestamptz};
use diesel_async::{AsyncConnection, RunQueryDsl};
use serde_json::{Value, json};

/// A key as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectKey {
    /// Its id.
    pub id: KeyId,
    /// Its project.
    pub project: ProjectId,
    /// What clients send: 32 lower-case hex digits.
    pub public_key: String,
    /// What people call it.
    pub label: String,
    /// A disabled key is answered 403.
    pub enabled: bool,
    /// Its own quota.
    pub quota: Quota,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl ProjectKey {
    /// What the audit log keeps: not the key itself.
    #[must_use]
    pub fn audited(&self) -> Value {
        json!({
            "label": self.label, "enabled": self.enabled,
            "per_minute": self.quota.per_minute, "per_hour": self.quota.per_hour,
        })
    }
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Integer)]
    id: i32,
    #[diesel(sql_type = Integer)]
    project_id: i32,
    #[diesel(sql_type = Text)]
    public_key: String,
    #[diesel(sql_type = Text)]
    label: String,
    #[diesel(sql_type = Bool)]
    enabled: bool,
    #[diesel(sql_type = Nullable<Integer>)]
    per_minute: Option<i32>,
    #[diesel(sql_type = Nullable<Integer>)]
    per_hour: Option<i32>,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
}

impl From<Row> for ProjectKey {
    fn from(row: Row) -> Self {
        let number = |value: Option<i32>| value.and_then(|value| u32::try_from(value).ok());
        Self {
            id: KeyId(row.id),
            project: ProjectId(row.project_id),
            public_key: row.public_key,
            label: row.label,
            enabled: row.enabled,
            quota: Quota { per_minute: number(row.per_minute), per_hour: number(row.per_hour) },
            created_at: row.created_at,
        }
    }
}

/// The schema counts in i32; a larger quota is as good as none.
fn limit(value: Option<u32>) -> Option<i32> {
    value.and_then(|value| i32::try_from(value).ok()).filter(|value| *value > 0)
}

/// Makes a key. `public_key` is 32 random lower-case hex digits, `label` has at most 64 characters.
///
/// # Errors
/// When the database fails or refuses the values.
pub async fn create(
    connection: &mut Connection,
    project: ProjectId,
    public_key: &str,
    label: &str,
    quota: Quota,
    now: DateTime<Utc>,
) -> Result<ProjectKey, StoreError> {
    let row: Row = statement(
        "INSERT INTO project_keys (project_id, public_key, label, per_minute, per_hour, created_at)
         VALUES ($1, $2, $3, $4, $5, $6) RETURNING *",
    )
    .bind::<Integer, _>(project.0)
    .bind::<Text, _>(public_key)
    .bind::<Text, _>(label)
    .bind::<Nullable<Integer>, _>(limit(quota.per_minute))
    .bind::<Nullable<Integer>, _>(limit(quota.per_hour))
    .bind::<Timestamptz, _>(now)
    .get_result(connection)
    .await?;
    Ok(row.into())
}

/// A project's keys, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn list(connection: &mut Connection, project: ProjectId) -> Result<Vec<ProjectKey>, StoreError> {
    let rows: Vec<Row> = statement("SELECT * FROM project_keys WHERE project_id = $1 ORDER BY id")
        .bind::<Integer, _>(project.0)
        .load(connection)
        .await?;
    Ok(rows.into_iter().map(ProjectKey::from).collect())
}

/// The key that a text names: its id, or the 32 digits that clients send.
///
/// # Errors
/// When the database fails.
pub async fn find(connection: &mut Connection, id_or_public: &str) -> Result<Option<ProjectKey>, StoreError> {
    let rows: Vec<Row> = statement("SELECT * FROM project_keys WHERE public_key = $1 OR id = $2")
        .bind::<Text, _>(id_or_public)
        .bind::<Nullable<Integer>, _>(id_or_public.parse::<i32>().ok())
        .load(connection)
        .await?;
    Ok(rows.into_iter().next().map(ProjectKey::from))
}

/// Switches a key on or off; the doors follow within seconds. Whether it is there.
///
/// # Errors
/// When the database fails.
pub async fn set_enabled(connection: &mut Connection, id: KeyId, on: bool) -> Result<bool, StoreError> {
    let changed = statement("UPDATE project_keys SET enabled = $2 WHERE id = $1")
        .bind::<Integer, _>(id.0)
        .bind::<Bool, _>(on)
        .execute(connection)
        .await?;
    Ok(changed == 1)
}

/// What of a key is to be different; what is none stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyChange {
    /// At most 64 characters.
    pub label: Option<String>,
    /// Whether it works.
    pub enabled: Option<bool>,
    /// Another quota; `Some(None)` is none.
    pub per_minute: Option<Option<u32>>,
    /// Another quota; `Some(None)` is none.
    pub per_hour: Option<Option<u32>>,
}

/// Changes a key; the doors follow within seconds. The key afterwards, when it is there.
///
/// # Errors
/// When the database fails or refuses the values.
pub async fn change(
    connection: &mut Connection,
    id: KeyId,
    change: &KeyChange,
) -> Result<Option<ProjectKey>, StoreError> {
    let rows: Vec<Row> = statement(
        "UPDATE project_keys SET label = coalesce($2, label), enabled = coalesce($3, enabled),
             per_minute = CASE WHEN $4 THEN $5 ELSE per_minute END,
             per_hour = CASE WHEN $6 THEN $7 ELSE per_hour END
         WHERE id = $1 RETURNING *",
    )
    .bind::<Integer, _>(id.0)
    .bind::<Nullable<Text>, _>(change.label.as_deref())
    .bind::<Nullable<Bool>, _>(change.enabled)
    .bind::<Bool, _>(change.per_minute.is_some())
    .bind::<Nullable<Integer>, _>(change.per_minute.and_then(limit))
    .bind::<Bool, _>(change.per_hour.is_some())
    .bind::<Nullable<Integer>, _>(change.per_hour.and_then(limit))
    .load(connection)
    .await?;
    Ok(rows.into_iter().next().map(ProjectKey::from))
}

/// Removes a key: clients that send it are refused from then on. Whether it was there.
///
/// # Errors
/// When the database fails.
pub async fn delete(connection: &mut Connection, id: KeyId) -> Result<bool, StoreError> {
    let gone = statement("DELETE FROM project_keys WHERE id = $1")
        .bind::<Integer, _>(id.0)
        .execute(connection)
        .await?;
    Ok(gone == 1)
}

/// Makes a key with the label and quota of an old one and disables the old one, both or none.
///
/// # Errors
/// When the database fails.
pub async fn rotate(
    connection: &mut Connection,
    old: &ProjectKey,
    public_key: &str,
    now: DateTime<Utc>,
) -> Result<ProjectKey, StoreError> {
    connection
        .transaction(async |connection| {
            set_enabled(connection, old.id, false).await?;
            create(connection, old.project, public_key, &old.label, old.quota, now).await
        })
        .await
}
