//! Routing rules: which signals open an incident, and by which policy it escalates.

use crate::row::{self, JsonRow};
use crate::{Connection, Scope, StoreError, statement};
use bugle_model::{EscalationPolicyId, Priority, ProjectId, RoutingRuleId, SignalKind, TeamId};
use bugle_ownership::tag_matches;
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Bool, Int4, Jsonb, Nullable, SmallInt, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

/// A rule of a team. Of several that match, the first by `place` counts, then the oldest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RoutingRule {
    /// Its id.
    pub id: RoutingRuleId,
    /// Whose.
    pub team: TeamId,
    /// What is in it.
    #[serde(flatten)]
    pub rule: NewRoutingRule,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// What a tag of an event must be. `release` and `environment` count as tags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TagMatcher {
    /// The tag's name, 1 to 200 characters.
    pub key: String,
    /// The whole value without regard to case, in which `*` is any characters and `?` is one; 1 to 200 characters. `*` alone: the event has
    /// such a tag.
    pub value: String,
}

/// What a rule says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NewRoutingRule {
    /// Lower ones are looked at first.
    pub place: i32,
    /// Only signals of this project; of every project of the team, when absent.
    pub project: Option<ProjectId>,
    /// Only these environments; empty means all.
    pub environments: Vec<String>,
    /// Only these kinds; empty means all.
    pub kinds: Vec<SignalKind>,
    /// Only events with all of these tags; empty means whatever they are.
    pub tags: Vec<TagMatcher>,
    /// The lowest priority that opens an incident.
    pub min_priority: Priority,
    /// How it escalates.
    pub policy: EscalationPolicyId,
    /// Off: not looked at.
    pub enabled: bool,
}

impl NewRoutingRule {
    /// Whether a signal opens an incident by it. An event that is not there (any more) has no tags.
    #[must_use]
    pub fn matches(
        &self,
        project: ProjectId,
        kind: SignalKind,
        priority: Priority,
        environment: Option<&str>,
        tags: &BTreeMap<String, String>,
    ) -> bool {
        self.may_match(project, kind, priority, environment) && self.has_tags(tags)
    }

    /// Whether all but its tags fits: what can be told without reading the event.
    #[must_use]
    pub fn may_match(
        &self,
        project: ProjectId,
        kind: SignalKind,
        priority: Priority,
        environment: Option<&str>,
    ) -> bool {
        let environment_fits = self.environments.is_empty()
            || environment.is_some_and(|name| self.environments.iter().any(|wanted| wanted == name));
        self.enabled
            && self.project.is_none_or(|only| only == project)
            && priority >= self.min_priority
            && (self.kinds.is_empty() || self.kinds.contains(&kind))
            && environment_fits
    }

    /// Whether these tags have all that it wants of them.
    #[must_use]
    pub fn has_tags(&self, tags: &BTreeMap<String, String>) -> bool {
        let has = |one: &TagMatcher| tags.get(&one.key).is_some_and(|value| tag_matches(&one.value, value));
        self.tags.iter().all(has)
    }
}

#[derive(Deserialize)]
struct Row {
    id: RoutingRuleId,
    team_id: TeamId,
    place: i32,
    project_id: Option<ProjectId>,
    environments: Vec<String>,
    kinds: Vec<i16>,
    tags: Vec<TagMatcher>,
    min_priority: i16,
    policy_id: EscalationPolicyId,
    enabled: bool,
    created_at: DateTime<Utc>,
}

impl Row {
    fn read(self) -> Result<RoutingRule, StoreError> {
        let damaged = |field: &str| StoreError::Damaged(format!("routing rule {}: {field}", self.id));
        let kinds = self.kinds.iter().map(|code| SignalKind::from_code(*code)).collect::<Option<_>>();
        let rule = NewRoutingRule {
            place: self.place,
            project: self.project_id,
            kinds: kinds.ok_or_else(|| damaged("kinds"))?,
            min_priority: Priority::from_code(self.min_priority).ok_or_else(|| damaged("min_priority"))?,
            environments: self.environments,
            tags: self.tags,
            policy: self.policy_id,
            enabled: self.enabled,
        };
        Ok(RoutingRule { id: self.id, team: self.team_id, rule, created_at: self.created_at })
    }
}

fn read(rows: Vec<JsonRow>) -> Result<Vec<RoutingRule>, StoreError> {
    row::all::<Row>(rows)?.into_iter().map(Row::read).collect()
}

/// The rules that signals of some projects are held against, with each project, in the order in which they are looked at.
///
/// # Errors
/// When the database fails.
pub async fn rules_of_projects(
    conn: &mut Connection,
    projects: &[i32],
) -> Result<Vec<(ProjectId, RoutingRule)>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT jsonb_build_array(p.id, to_jsonb(r)) AS row FROM projects p JOIN routing_rules r ON r.team_id = p.team_id
         WHERE p.id = ANY($1) AND r.enabled AND (r.project_id IS NULL OR r.project_id = p.id)
         ORDER BY r.place, r.id",
    )
    .bind::<Array<Int4>, _>(projects)
    .load(conn)
    .await?;
    let rows = row::all::<(ProjectId, Row)>(rows)?;
    rows.into_iter().map(|(project, row)| Ok((project, row.read()?))).collect()
}

/// The rules of a scope, by team, in the order in which they are looked at.
///
/// # Errors
/// When the database fails.
pub async fn list_routing_rules(
    conn: &mut Connection,
    scope: &Scope,
) -> Result<Vec<RoutingRule>, StoreError> {
    let rows = statement(
        "SELECT to_jsonb(r) AS row FROM routing_rules r WHERE ($1 IS NULL OR r.team_id = ANY ($1))
         ORDER BY r.team_id, r.place, r.id",
    )
    .bind::<Nullable<Array<Int4>>, _>(scope.bind())
    .load(conn)
    .await?;
    read(rows)
}

/// Makes a rule. `None` when the policy, or the project, is not the team's.
///
/// # Errors
/// When the database fails.
pub async fn create_routing_rule(
    conn: &mut Connection,
    team: TeamId,
    new: &NewRoutingRule,
    now: DateTime<Utc>,
) -> Result<Option<RoutingRule>, StoreError> {
    let rows = statement(
        "INSERT INTO routing_rules AS r (team_id, place, project_id, environments, kinds, min_priority, policy_id, enabled,
            created_at, tags)
         SELECT $1, $2, $3, $4, $5, $6, p.id, $8, $9, $10 FROM escalation_policies p
         WHERE p.id = $7 AND p.team_id = $1
            AND ($3 IS NULL OR EXISTS (SELECT 1 FROM projects o WHERE o.id = $3 AND o.team_id = $1))
         RETURNING to_jsonb(r) AS row",
    )
    .bind::<Int4, _>(team.0)
    .bind::<Int4, _>(new.place)
    .bind::<Nullable<Int4>, _>(new.project.map(|project| project.0))
    .bind::<Array<Text>, _>(&new.environments)
    .bind::<Array<SmallInt>, _>(new.kinds.iter().map(|kind| kind.code()).collect::<Vec<_>>())
    .bind::<SmallInt, _>(new.min_priority.code())
    .bind::<Int4, _>(new.policy.0)
    .bind::<Bool, _>(new.enabled)
    .bind::<Timestamptz, _>(now)
    .bind::<Jsonb, _>(json!(new.tags))
    .load(conn)
    .await?;
    Ok(read(rows)?.into_iter().next())
}

/// Makes a rule of a team another one. `None` when it is not there, or the policy or project is not the team's.
///
/// # Errors
/// When the database fails.
pub async fn set_routing_rule(
    conn: &mut Connection,
    team: TeamId,
    id: RoutingRuleId,
    new: &NewRoutingRule,
) -> Result<Option<RoutingRule>, StoreError> {
    let rows = statement(
        "UPDATE routing_rules r SET place = $2, project_id = $3, environments = $4, kinds = $5, min_priority = $6,
            policy_id = p.id, enabled = $8, tags = $10
         FROM escalation_policies p
         WHERE r.id = $9 AND r.team_id = $1 AND p.id = $7 AND p.team_id = $1
            AND ($3 IS NULL OR EXISTS (SELECT 1 FROM projects o WHERE o.id = $3 AND o.team_id = $1))
         RETURNING to_jsonb(r) AS row",
    )
    .bind::<Int4, _>(team.0)
    .bind::<Int4, _>(new.place)
    .bind::<Nullable<Int4>, _>(new.project.map(|project| project.0))
    .bind::<Array<Text>, _>(&new.environments)
    .bind::<Array<SmallInt>, _>(new.kinds.iter().map(|kind| kind.code()).collect::<Vec<_>>())
    .bind::<SmallInt, _>(new.min_priority.code())
    .bind::<Int4, _>(new.policy.0)
    .bind::<Bool, _>(new.enabled)
    .bind::<Int4, _>(id.0)
    .bind::<Jsonb, _>(json!(new.tags))
    .load(conn)
    .await?;
    Ok(read(rows)?.into_iter().next())
}

/// Removes a rule of a scope; incidents that it opened go on. Whether it was there.
///
/// # Errors
/// When the database fails.
pub async fn delete_routing_rule(
    conn: &mut Connection,
    scope: &Scope,
    id: RoutingRuleId,
) -> Result<bool, StoreError> {
    let gone = statement("DELETE FROM routing_rules WHERE id = $1 AND ($2 IS NULL OR team_id = ANY ($2))")
        .bind::<Int4, _>(id.0)
        .bind::<Nullable<Array<Int4>>, _>(scope.bind())
        .execute(conn)
        .await?;
    Ok(gone == 1)
}
