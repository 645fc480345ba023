//! Alert sources: tools that tell of alerts, each by a key of its own. Only the key's SHA-256 is kept.

use crate::row::{self, JsonRow};
use crate::{Connection, Scope, StoreError, statement};
use bugle_model::{AlertSourceId, AlertSourceKind, EscalationPolicyId, Priority, ProjectId, TeamId};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{Array, Binary, Bool, Int4, Nullable, SmallInt, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How exactly the time of the last alert is known: a source that tells a thousand a minute writes one row a minute.
const SEEN: TimeDelta = TimeDelta::minutes(1);
/// Longest error that is kept, in characters.
const MAX_ERROR: usize = 1000;

/// A tool that tells of alerts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AlertSource {
    /// Its id.
    pub id: AlertSourceId,
    /// Whose.
    pub team: TeamId,
    /// What is in it.
    #[serde(flatten)]
    pub source: NewAlertSource,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last told something, to the minute.
    pub last_alert_at: Option<DateTime<Utc>>,
    /// When something that it told was last refused.
    pub last_error_at: Option<DateTime<Utc>>,
    /// Why.
    pub last_error: Option<String>,
}

/// What a source is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NewAlertSource {
    /// Its name, unique in the team.
    pub name: String,
    /// The form in which it tells.
    pub kind: AlertSourceKind,
    /// The project that its alerts are about; none: the team as such. Counts as long as the project is the team's.
    pub project: Option<ProjectId>,
    /// How its incidents escalate.
    pub policy: EscalationPolicyId,
    /// The priority of alerts that do not say.
    pub default_priority: Priority,
}

/// What is to be different of a source; what is none stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlertSourceChange {
    /// Its name.
    pub name: Option<String>,
    /// The project that its alerts are about; `Some(None)` is the team as such.
    pub project: Option<Option<ProjectId>>,
    /// How incidents that it opens from now on escalate.
    pub policy: Option<EscalationPolicyId>,
    /// The priority of alerts that do not say.
    pub default_priority: Option<Priority>,
}

#[derive(Deserialize)]
struct Row {
    id: AlertSourceId,
    team_id: TeamId,
    name: String,
    kind: i16,
    project_id: Option<ProjectId>,
    policy_id: EscalationPolicyId,
    default_priority: i16,
    created_by: String,
    created_at: DateTime<Utc>,
    last_alert_at: Option<DateTime<Utc>>,
    last_error_at: Option<DateTime<Utc>>,
    last_error: Option<String>,
}

impl Row {
    fn read(self) -> Result<AlertSource, StoreError> {
        let damaged = |field: &str| StoreError::Damaged(format!("alert source {}: {field}", self.id));
        let source = NewAlertSource {
            kind: AlertSourceKind::from_code(self.kind).ok_or_else(|| damaged("kind"))?,
            default_priority: Priority::from_code(self.default_priority)
                .ok_or_else(|| damaged("default_priority"))?,
            name: self.name,
            project: self.project_id,
            policy: self.policy_id,
        };
        Ok(AlertSource {
            id: self.id,
            team: self.team_id,
            source,
            created_by: self.created_by,
            created_at: self.created_at,
            last_alert_at: self.last_alert_at,
            last_error_at: self.last_error_at,
            last_error: self.last_error,
        })
    }
}

fn read(rows: Vec<JsonRow>) -> Result<Vec<AlertSource>, StoreError> {
    row::all::<Row>(rows)?.into_iter().map(Row::read).collect()
}

/// The sources of a scope, by name.
///
/// # Errors
/// When the database fails.
pub async fn list_alert_sources(
    conn: &mut Connection,
    scope: &Scope,
) -> Result<Vec<AlertSource>, StoreError> {
    let rows = statement(
        "SELECT to_jsonb(s) - 'key_hash' AS row FROM alert_sources s WHERE ($1 IS NULL OR s.team_id = ANY ($1))
         ORDER BY s.team_id, s.name",
    )
    .bind::<Nullable<Array<Int4>>, _>(scope.bind())
    .load(conn)
    .await?;
    read(rows)
}

/// The source whose key has this hash.
///
/// # Errors
/// When the database fails.
pub async fn find_alert_source(
    conn: &mut Connection,
    key_hash: &[u8; 32],
) -> Result<Option<AlertSource>, StoreError> {
    let rows = statement("SELECT to_jsonb(s) - 'key_hash' AS row FROM alert_sources s WHERE key_hash = $1")
        .bind::<Binary, _>(key_hash.as_slice())
        .load(conn)
        .await?;
    Ok(read(rows)?.into_iter().next())
}

/// Makes a source. `None` when the policy, or the project, is not the team's.
///
/// # Errors
/// When the database fails, or the team has one of that name.
pub async fn create_alert_source(
    conn: &mut Connection,
    team: TeamId,
    new: &NewAlertSource,
    key_hash: &[u8; 32],
    author: &str,
    now: DateTime<Utc>,
) -> Result<Option<AlertSource>, StoreError> {
    let rows = statement(
        "INSERT INTO alert_sources AS s (team_id, name, kind, project_id, policy_id, default_priority, key_hash, created_by, created_at)
         SELECT $1, $2, $3, $4, p.id, $6, $7, $8, $9 FROM escalation_policies p
         WHERE p.id = $5 AND p.team_id = $1
            AND ($4 IS NULL OR EXISTS (SELECT 1 FROM projects o WHERE o.id = $4 AND o.team_id = $1))
         RETURNING to_jsonb(s) - 'key_hash' AS row",
    )
    .bind::<Int4, _>(team.0)
    .bind::<Text, _>(&new.name)
    .bind::<SmallInt, _>(new.kind.code())
    .bind::<Nullable<Int4>, _>(new.project.map(|project| project.0))
    .bind::<Int4, _>(new.policy.0)
    .bind::<SmallInt, _>(new.default_priority.code())
    .bind::<Binary, _>(key_hash.as_slice())
    .bind::<Text, _>(author.chars().take(128).collect::<String>())
    .bind::<Timestamptz, _>(now)
    .load(conn)
    .await?;
    Ok(read(rows)?.into_iter().next())
}

/// Changes a source; incidents that it has opened stay as they are. `None` when it is not there, or the policy, or the project, is not the
/// team's.
///
/// # Errors
/// When the database fails, or the team has one of that name.
pub async fn change_alert_source(
    conn: &mut Connection,
    id: AlertSourceId,
    change: &AlertSourceChange,
) -> Result<Option<AlertSource>, StoreError> {
    let project = change.project.flatten();
    let rows = statement(
        "UPDATE alert_sources s SET name = COALESCE($2, name), project_id = CASE WHEN $3 THEN $4 ELSE project_id END,
            policy_id = COALESCE($5, policy_id), default_priority = COALESCE($6, default_priority)
         WHERE s.id = $1
            AND ($4 IS NULL OR EXISTS (SELECT 1 FROM projects o WHERE o.id = $4 AND o.team_id = s.team_id))
            AND ($5 IS NULL OR EXISTS (SELECT 1 FROM escalation_policies p WHERE p.id = $5 AND p.team_id = s.team_id))
         RETURNING to_jsonb(s) - 'key_hash' AS row",
    )
    .bind::<Int4, _>(id.0)
    .bind::<Nullable<Text>, _>(change.name.as_deref())
    .bind::<Bool, _>(change.project.is_some())
    .bind::<Nullable<Int4>, _>(project.map(|project| project.0))
    .bind::<Nullable<Int4>, _>(change.policy.map(|policy| policy.0))
    .bind::<Nullable<SmallInt>, _>(change.default_priority.map(Priority::code))
    .load(conn)
    .await?;
    Ok(read(rows)?.into_iter().next())
}

/// Gives a source another key; the one before is worth nothing from now on. Whether it was there.
///
/// # Errors
/// When the database fails.
pub async fn set_alert_source_key(
    conn: &mut Connection,
    id: AlertSourceId,
    key_hash: &[u8; 32],
) -> Result<bool, StoreError> {
    let changed = statement("UPDATE alert_sources SET key_hash = $2 WHERE id = $1")
        .bind::<Int4, _>(id.0)
        .bind::<Binary, _>(key_hash.as_slice())
        .execute(conn)
        .await?;
    Ok(changed == 1)
}

/// Removes a source; incidents that it opened go on, and are ended by people. Whether it was there.
///
/// # Errors
/// When the database fails.
pub async fn delete_alert_source(conn: &mut Connection, id: AlertSourceId) -> Result<bool, StoreError> {
    let gone =
        statement("DELETE FROM alert_sources WHERE id = $1").bind::<Int4, _>(id.0).execute(conn).await?;
    Ok(gone == 1)
}

/// Notes that a source has told something, and what was wrong with it.
///
/// # Errors
/// When the database fails.
pub async fn note_alert_source(
    conn: &mut Connection,
    source: &AlertSource,
    error: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let is_known = source.last_alert_at.is_some_and(|at| now - at < SEEN);
    if error.is_none() && is_known {
        return Ok(());
    }
    statement(
        "UPDATE alert_sources SET last_alert_at = $2, last_error_at = CASE WHEN $3 IS NULL THEN last_error_at ELSE $2 END,
            last_error = COALESCE($3, last_error)
         WHERE id = $1",
    )
    .bind::<Int4, _>(source.id.0)
    .bind::<Timestamptz, _>(now)
    .bind::<Nullable<Text>, _>(error.map(|text| text.chars().take(MAX_ERROR).collect::<String>()))
    .execute(conn)
    .await?;
    Ok(())
}
