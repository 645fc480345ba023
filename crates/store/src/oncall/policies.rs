//! Escalation policies. A change makes a new version; incidents keep the one that they began with.

use crate::row::{self, JsonRow};
use crate::{Connection, Scope, StoreError, statement};
use bugle_model::{DestinationId, EscalationPolicyId, ScheduleId, TeamId, UserId};
use bugle_schedule::{EscalationPolicy, EscalationTarget};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Int4, Jsonb, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A policy in its newest version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "StoredEscalationPolicy")]
pub struct Policy {
    /// Its id.
    pub id: EscalationPolicyId,
    /// Whose.
    pub team: TeamId,
    /// Its name, unique in the team.
    pub name: String,
    /// Counts its changes, from 1.
    pub version: i32,
    /// Who is paged in which order.
    pub content: EscalationPolicy,
    /// Who made this version.
    pub updated_by: String,
    /// When this version was made.
    pub updated_at: DateTime<Utc>,
    /// When the first one was.
    pub created_at: DateTime<Utc>,
}

/// Makes a policy and its first version. A name that is taken gives [`StoreError::unique_violation`]. Composes with the caller's
/// transaction.
///
/// # Errors
/// When the database fails.
pub async fn create_policy(
    conn: &mut Connection,
    team: TeamId,
    name: &str,
    content: &EscalationPolicy,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<EscalationPolicyId, StoreError> {
    let row: JsonRow = statement(
        "INSERT INTO escalation_policies (team_id, name, created_at) VALUES ($1, $2, $3) RETURNING to_jsonb(id) AS row",
    )
    .bind::<Int4, _>(team.0)
    .bind::<Text, _>(name)
    .bind::<Timestamptz, _>(now)
    .get_result(conn)
    .await?;
    let id = row.read()?;
    add_version(conn, id, content, actor, now).await?;
    Ok(id)
}

/// Gives a policy another name, and another version when its content differs. Whether it is there. Composes with the caller's
/// transaction.
///
/// # Errors
/// When the database fails.
pub async fn update_policy(
    conn: &mut Connection,
    id: EscalationPolicyId,
    name: &str,
    content: &EscalationPolicy,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    // Locks it: versions are counted one after the other.
    let changed = statement("UPDATE escalation_policies SET name = $2 WHERE id = $1")
        .bind::<Int4, _>(id.0)
        .bind::<Text, _>(name)
        .execute(conn)
        .await?;
    if changed == 1 {
        add_version(conn, id, content, actor, now).await?;
    }
    Ok(changed == 1)
}

async fn add_version(
    conn: &mut Connection,
    id: EscalationPolicyId,
    content: &EscalationPolicy,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let content = serde_json::to_value(content).map_err(|error| StoreError::Damaged(error.to_string()))?;
    statement(
        "INSERT INTO escalation_policy_versions (policy_id, version, content, created_by, created_at)
         SELECT $1, COALESCE(l.version, 0) + 1, $2, $3, $4
         FROM (SELECT 1) one LEFT JOIN LATERAL (
            SELECT version, content FROM escalation_policy_versions WHERE policy_id = $1 ORDER BY version DESC LIMIT 1) l ON true
         WHERE l.content IS DISTINCT FROM $2",
    )
    .bind::<Int4, _>(id.0)
    .bind::<Jsonb, _>(content)
    .bind::<Text, _>(actor.chars().take(128).collect::<String>())
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// The policies of a scope, by team and name.
///
/// # Errors
/// When the database fails.
pub async fn list_policies(conn: &mut Connection, scope: &Scope) -> Result<Vec<Policy>, StoreError> {
    read(conn, scope, None).await
}

/// One policy of a scope.
///
/// # Errors
/// When the database fails.
pub async fn get_policy(
    conn: &mut Connection,
    scope: &Scope,
    id: EscalationPolicyId,
) -> Result<Option<Policy>, StoreError> {
    Ok(read(conn, scope, Some(id)).await?.into_iter().next())
}

async fn read(
    conn: &mut Connection,
    scope: &Scope,
    id: Option<EscalationPolicyId>,
) -> Result<Vec<Policy>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT jsonb_build_object('id', p.id, 'team', p.team_id, 'name', p.name, 'version', v.version, 'content', v.content,
            'updated_by', v.created_by, 'updated_at', v.created_at, 'created_at', p.created_at) AS row
         FROM escalation_policies p CROSS JOIN LATERAL (
            SELECT * FROM escalation_policy_versions v WHERE v.policy_id = p.id ORDER BY v.version DESC LIMIT 1) v
         WHERE ($1 IS NULL OR p.team_id = ANY ($1)) AND ($2 IS NULL OR p.id = $2) ORDER BY p.team_id, p.name",
    )
    .bind::<Nullable<Array<Int4>>, _>(scope.bind())
    .bind::<Nullable<Int4>, _>(id.map(|id| id.0))
    .load(conn)
    .await?;
    row::all(rows)
}

/// Removes a policy; incidents that it runs for keep their version of it. While a routing rule or an alert source leads to it the database
/// refuses:
/// [`StoreError::is_missing_reference`].
///
/// # Errors
/// When the database fails or refuses.
pub async fn delete_policy(conn: &mut Connection, id: EscalationPolicyId) -> Result<bool, StoreError> {
    let gone = statement("DELETE FROM escalation_policies WHERE id = $1")
        .bind::<Int4, _>(id.0)
        .execute(conn)
        .await?;
    Ok(gone == 1)
}

/// Those of some targets that are not there for a team: people who are shut out or in none of its roles, schedules, destinations and
/// teams of others.
///
/// # Errors
/// When the database fails.
pub async fn unknown_targets(
    conn: &mut Connection,
    team: TeamId,
    targets: &[EscalationTarget],
) -> Result<Vec<EscalationTarget>, StoreError> {
    let mut users = Vec::new();
    let mut schedules = Vec::new();
    let mut destinations = Vec::new();
    for target in targets {
        match target {
            EscalationTarget::Person { user } => users.push(user.0),
            EscalationTarget::Schedule { schedule } => schedules.push(schedule.0),
            EscalationTarget::Destination { destination } => destinations.push(destination.0),
            EscalationTarget::Team { .. } => {}
        }
    }
    let rows: Vec<JsonRow> = statement(
        "SELECT jsonb_build_object('user', u.id) AS row FROM users u
         WHERE u.id = ANY($1) AND NOT u.disabled
            AND EXISTS (SELECT 1 FROM memberships m WHERE m.user_id = u.id AND m.team_id = $3)
         UNION ALL
         SELECT jsonb_build_object('schedule', s.id) FROM schedules s WHERE s.id = ANY($2) AND s.team_id = $3
         UNION ALL
         SELECT jsonb_build_object('destination', d.id) FROM destinations d JOIN projects p ON p.id = d.project_id
         WHERE d.id = ANY($4) AND p.team_id = $3",
    )
    .bind::<Array<Int4>, _>(users)
    .bind::<Array<Int4>, _>(schedules)
    .bind::<Int4, _>(team.0)
    .bind::<Array<Int4>, _>(destinations)
    .load(conn)
    .await?;
    #[derive(Deserialize, PartialEq)]
    struct Known {
        user: Option<UserId>,
        schedule: Option<ScheduleId>,
        destination: Option<DestinationId>,
    }
    let known: Vec<Known> = row::all(rows)?;
    let is_known = |target: &EscalationTarget| match target {
        EscalationTarget::Person { user } => known.iter().any(|one| one.user == Some(*user)),
        EscalationTarget::Schedule { schedule } => known.iter().any(|one| one.schedule == Some(*schedule)),
        EscalationTarget::Team { team: of } => *of == team,
        EscalationTarget::Destination { destination } => {
            known.iter().any(|one| one.destination == Some(*destination))
        }
    };
    Ok(targets.iter().filter(|target| !is_known(target)).copied().collect())
}
