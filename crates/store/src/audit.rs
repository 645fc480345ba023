//! The audit log: who changed what, from where, before and after. The database refuses to change or delete it.

use crate::row::{self, JsonRow};
use crate::{Connection, Scope, StoreError, statement};
use bugle_model::{ActorKind, TeamId};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Integer, Jsonb, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Actor {
    /// What kind of somebody.
    pub kind: ActorKind,
    /// The id of the user or token; none for the system.
    pub id: Option<i32>,
    /// The name at that time.
    pub name: String,
}

/// What it was done to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Target {
    /// Such as `project`.
    pub kind: String,
    /// Its id, as text.
    pub id: String,
    /// Its name at that time.
    pub name: String,
}

impl Target {
    /// A target; a longer name is cut.
    #[must_use]
    pub fn new(kind: &str, id: impl ToString + Copy, name: &str) -> Self {
        Self { kind: kind.to_owned(), id: id.to_string(), name: name.chars().take(256).collect() }
    }
}

/// A change.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Who.
    pub actor: Actor,
    /// From where; empty for the command line.
    pub address: String,
    /// A noun and a verb in the past: `project.updated`.
    pub action: &'static str,
    /// What.
    pub target: Target,
    /// The team that it belongs to; its managers may read it.
    pub team: Option<TeamId>,
    /// What was there before, without secrets.
    pub before: Option<Value>,
    /// What is there now, without secrets.
    pub after: Option<Value>,
}

/// A change as recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "AuditEntry")]
pub struct Recorded {
    /// Its number; rises.
    pub id: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub actor: Actor,
    /// What happened.
    pub action: String,
    /// To what.
    pub target: Target,
    /// The team that it belongs to.
    pub team: Option<TeamId>,
    /// From where.
    pub address: String,
    /// Before.
    pub before: Option<Value>,
    /// After.
    pub after: Option<Value>,
}

/// Records a change. Belongs into the transaction that makes it.
///
/// # Errors
/// When the database fails or refuses the values.
pub async fn add(connection: &mut Connection, entry: &Entry, now: DateTime<Utc>) -> Result<(), StoreError> {
    let name: String = entry.actor.name.chars().take(128).collect();
    statement(
        "INSERT INTO audit_log (at, actor_kind, actor_id, actor_name, action, target_kind, target_id, target_name,
                                team_id, address, before, after)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(entry.actor.kind.as_str())
    .bind::<Nullable<Integer>, _>(entry.actor.id)
    .bind::<Text, _>(name)
    .bind::<Text, _>(entry.action)
    .bind::<Text, _>(&entry.target.kind)
    .bind::<Text, _>(&entry.target.id)
    .bind::<Text, _>(&entry.target.name)
    .bind::<Nullable<Integer>, _>(entry.team.map(|team| team.0))
    .bind::<Text, _>(&entry.address)
    .bind::<Nullable<Jsonb>, _>(entry.before.as_ref())
    .bind::<Nullable<Jsonb>, _>(entry.after.as_ref())
    .execute(connection)
    .await?;
    Ok(())
}

/// Which changes. The default is none, by its scope.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only of these teams.
    pub scope: Scope,
    /// Only of somebody: a kind, and an id or a name.
    pub actor_kind: Option<ActorKind>,
    /// With this id.
    pub actor_id: Option<i32>,
    /// With this name.
    pub actor_name: Option<String>,
    /// Only this action, or all of a noun (`project.`).
    pub action: Option<String>,
    /// Only of this team.
    pub team: Option<TeamId>,
    /// Not before.
    pub since: Option<DateTime<Utc>>,
    /// Before.
    pub until: Option<DateTime<Utc>>,
    /// Only with a smaller number.
    pub before: Option<i64>,
}

/// A page of the log, the newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(
    connection: &mut Connection,
    filter: &Filter,
    limit: usize,
) -> Result<Vec<Recorded>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT to_jsonb(x) AS row FROM (
            SELECT id, at, jsonb_build_object('kind', actor_kind, 'id', actor_id, 'name', actor_name) AS actor, action,
                jsonb_build_object('kind', target_kind, 'id', target_id, 'name', target_name) AS target,
                team_id AS team, address, before, after
            FROM audit_log
            WHERE ($1 IS NULL OR team_id = ANY ($1)) AND ($2 IS NULL OR actor_kind = $2)
               AND ($3 IS NULL OR actor_id = $3) AND ($4 IS NULL OR actor_name = $4)
               AND ($5 IS NULL OR action = $5 OR (right($5, 1) = '.' AND starts_with(action, $5)))
               AND ($6 IS NULL OR team_id = $6) AND ($7 IS NULL OR at >= $7) AND ($8 IS NULL OR at < $8)
               AND ($9 IS NULL OR id < $9)
            ORDER BY id DESC LIMIT $10) x",
    )
    .bind::<Nullable<Array<Integer>>, _>(filter.scope.bind())
    .bind::<Nullable<Text>, _>(filter.actor_kind.map(ActorKind::as_str))
    .bind::<Nullable<Integer>, _>(filter.actor_id)
    .bind::<Nullable<Text>, _>(filter.actor_name.as_deref())
    .bind::<Nullable<Text>, _>(filter.action.as_deref())
    .bind::<Nullable<Integer>, _>(filter.team.map(|team| team.0))
    .bind::<Nullable<Timestamptz>, _>(filter.since)
    .bind::<Nullable<Timestamptz>, _>(filter.until)
    .bind::<Nullable<BigInt>, _>(filter.before)
    .bind::<BigInt, _>(i64::try_from(limit).unwrap_or(i64::MAX))
    .load(connection)
    .await?;
    row::all(rows)
}
