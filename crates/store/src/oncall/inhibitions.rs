//! Inhibition rules, after Alertmanager's: while an incident is open that a rule's source matches, one that its target matches pages nobody.

use super::matchers::{self, Facts, facts};
use super::silencing::{Silencing, SilentBy};
use crate::row::{self, JsonRow};
use crate::{Connection, Scope, StoreError, statement};
use bugle_model::{IncidentId, InhibitionRuleId, SilenceMatchers, TeamId};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{Array, Int4, Int8, Jsonb, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// When an incident that another one keeps silent is looked at again although that is open still: its rule may be gone.
const LOOK_AGAIN: TimeDelta = TimeDelta::hours(1);
/// How many open incidents of a team are looked at as sources, the weightiest and oldest first.
const MAX_SOURCES: i64 = 1000;
/// Names that are no labels: what the incident itself has.
const PROJECT: &str = "project";
const ENVIRONMENT: &str = "environment";
/// How many names a rule may want to be alike, and characters of one.
const MAX_EQUAL: usize = 20;
const MAX_NAME: usize = 128;

/// A rule of a team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InhibitionRule {
    /// Its id.
    pub id: InhibitionRuleId,
    /// Whose.
    pub team: TeamId,
    /// What is in it.
    #[serde(flatten)]
    pub rule: NewInhibitionRule,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// What a rule says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewInhibitionRule {
    /// Its name, unique in the team.
    pub name: String,
    /// Open incidents that keep others silent.
    pub source: SilenceMatchers,
    /// What they keep silent.
    pub target: SilenceMatchers,
    /// Labels that both must have alike; `project` and `environment` are the incident's own. One that neither has is alike.
    pub equal: Vec<String>,
}

impl NewInhibitionRule {
    /// Every field but the name that breaks a limit, and what it must be.
    #[must_use]
    pub fn mistakes(&self) -> Vec<(String, String)> {
        let mut found = matchers::matcher_mistakes("source", &self.source);
        found.extend(matchers::matcher_mistakes("target", &self.target));
        let fits = self.equal.iter().all(|name| (1..=MAX_NAME).contains(&name.chars().count()));
        if self.equal.len() > MAX_EQUAL || !fits {
            let message = format!("at most {MAX_EQUAL} names of 1 to {MAX_NAME} characters");
            found.push(("equal".to_owned(), message));
        }
        found
    }

    /// Whether `source`, while it is open, keeps `target` silent. Not what both matchers match of both: as in Alertmanager, what is alike does
    /// not keep its like silent.
    fn inhibits(&self, source: &Facts, target: &Facts) -> bool {
        let (Some(of_source), Some(of_target)) = (source.subject(), target.subject()) else { return false };
        let is_both =
            |subject| matchers::matches(&self.source, subject) && matchers::matches(&self.target, subject);
        matchers::matches(&self.source, &of_source)
            && matchers::matches(&self.target, &of_target)
            && !(is_both(&of_source) && is_both(&of_target))
            && self.equal.iter().all(|name| value(source, name) == value(target, name))
    }
}

/// What an incident has under a name; the empty text for nothing.
fn value(facts: &Facts, name: &str) -> String {
    match name {
        PROJECT => facts.project.map(|project| project.to_string()).unwrap_or_default(),
        ENVIRONMENT => facts.environment.clone().unwrap_or_default(),
        label => facts.labels.get(label).cloned().unwrap_or_default(),
    }
}

/// The rules of a scope, by name; with `id` only that one.
///
/// # Errors
/// When the database fails.
pub async fn list_inhibition_rules(
    conn: &mut Connection,
    scope: &Scope,
    id: Option<InhibitionRuleId>,
) -> Result<Vec<InhibitionRule>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT to_jsonb(r) || jsonb_build_object('team', r.team_id) AS row FROM inhibition_rules r
         WHERE ($1 IS NULL OR r.team_id = ANY ($1)) AND ($2 IS NULL OR r.id = $2) ORDER BY r.team_id, r.name",
    )
    .bind::<Nullable<Array<Int4>>, _>(scope.bind())
    .bind::<Nullable<Int4>, _>(id.map(|id| id.0))
    .load(conn)
    .await?;
    row::all(rows)
}

/// Makes a rule. `None` when a project in it is not the team's.
///
/// # Errors
/// When the database fails, or the team has one of that name.
pub async fn create_inhibition_rule(
    conn: &mut Connection,
    team: TeamId,
    new: &NewInhibitionRule,
    author: &str,
    now: DateTime<Utc>,
) -> Result<Option<InhibitionRule>, StoreError> {
    let projects = [new.source.project, new.target.project];
    let rows: Vec<JsonRow> = statement(
        "INSERT INTO inhibition_rules AS r (team_id, name, source, target, equal, created_by, created_at)
         SELECT $1, $2, $3, $4, $5, $6, $7
         WHERE NOT EXISTS (SELECT 1 FROM UNNEST($8::int[]) AS wanted (id)
            WHERE NOT EXISTS (SELECT 1 FROM projects o WHERE o.id = wanted.id AND o.team_id = $1))
         RETURNING to_jsonb(r) || jsonb_build_object('team', r.team_id) AS row",
    )
    .bind::<Int4, _>(team.0)
    .bind::<Text, _>(&new.name)
    .bind::<Jsonb, _>(json!(new.source))
    .bind::<Jsonb, _>(json!(new.target))
    .bind::<Array<Text>, _>(&new.equal)
    .bind::<Text, _>(author.chars().take(128).collect::<String>())
    .bind::<Timestamptz, _>(now)
    .bind::<Array<Int4>, _>(projects.into_iter().flatten().map(|project| project.0).collect::<Vec<_>>())
    .load(conn)
    .await?;
    row::first(rows)
}

/// Removes a rule: what other incidents of the team keep silent is looked at again at once. Whether it was there. Composes with the caller's
/// transaction.
///
/// # Errors
/// When the database fails.
pub async fn delete_inhibition_rule(
    conn: &mut Connection,
    rule: &InhibitionRule,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let gone = statement("DELETE FROM inhibition_rules WHERE id = $1")
        .bind::<Int4, _>(rule.id.0)
        .execute(conn)
        .await?;
    statement(
        "UPDATE incidents n SET next_at = $2
         WHERE n.inhibited_by IS NOT NULL AND n.silenced_until IS NOT NULL AND n.state = 1
            AND COALESCE(n.team_id, (SELECT p.team_id FROM projects p WHERE p.id = n.project_id)) = $1",
    )
    .bind::<Int4, _>(rule.team.0)
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    Ok(gone == 1)
}

#[derive(Deserialize)]
struct Pair {
    #[serde(flatten)]
    facts: Facts,
    rule: InhibitionRule,
}

#[derive(Deserialize)]
struct Source {
    #[serde(flatten)]
    facts: Facts,
    team: TeamId,
}

/// The open incident that keeps each of some incidents silent.
pub(super) async fn matching(
    conn: &mut Connection,
    incidents: &[IncidentId],
    now: DateTime<Utc>,
) -> Result<BTreeMap<IncidentId, Silencing>, StoreError> {
    let pairs = targets(conn, incidents).await?;
    if pairs.is_empty() {
        return Ok(BTreeMap::new());
    }
    let sources = sources(conn, &pairs).await?;
    let mut found = BTreeMap::new();
    for Pair { facts: target, rule } in pairs {
        let keeps_silent = |source: &&Source| {
            source.team == rule.team
                && source.facts.incident != target.incident
                // Two of them must not keep each other silent.
                && !found.contains_key(&source.facts.incident)
                && rule.rule.inhibits(&source.facts, &target)
        };
        if let Some(source) = sources.iter().find(keeps_silent).map(|source| &source.facts) {
            let told = json!({ "incident": source.incident, "title": source.title, "rule": rule.id, "name": rule.rule.name });
            let by = SilentBy::Incident(source.incident);
            found.entry(target.incident).or_insert(Silencing { by, until: now + LOOK_AGAIN, told });
        }
    }
    Ok(found)
}

/// Some incidents, each with every rule whose target it is.
async fn targets(conn: &mut Connection, incidents: &[IncidentId]) -> Result<Vec<Pair>, StoreError> {
    let rows: Vec<JsonRow> = statement(concat!(
        "SELECT jsonb_build_object(",
        facts!(),
        ", 'rule', to_jsonb(r) || jsonb_build_object('team', r.team_id)) AS row
         FROM incidents n LEFT JOIN projects p ON p.id = n.project_id
         JOIN inhibition_rules r ON r.team_id = COALESCE(n.team_id, p.team_id)
         WHERE n.id = ANY($1) ORDER BY n.id, r.id",
    ))
    .bind::<Array<Int8>, _>(incidents.iter().map(|id| id.0).collect::<Vec<_>>())
    .load(conn)
    .await?;
    let readable = |row: JsonRow| match row.read::<Pair>() {
        Ok(pair) => Some(pair),
        Err(error) => {
            // Made by a newer version, or by hand: whoever is on call is paged rather than not.
            tracing::error!(%error, "an inhibition rule cannot be read: it keeps nothing silent");
            None
        }
    };
    let is_target = |pair: &Pair| {
        pair.facts.subject().is_some_and(|subject| matchers::matches(&pair.rule.rule.target, &subject))
    };
    Ok(rows.into_iter().filter_map(readable).filter(is_target).collect())
}

/// What is open of the teams of some rules, [`MAX_SOURCES`] of each. Not what another incident keeps silent: two would keep each other silent
/// for ever.
async fn sources(conn: &mut Connection, pairs: &[Pair]) -> Result<Vec<Source>, StoreError> {
    let teams: BTreeSet<i32> = pairs.iter().map(|pair| pair.rule.team.0).collect();
    let rows: Vec<JsonRow> = statement(concat!(
        // Team by team, and what is the team's own apart from what is of its projects: for both in one condition PostgreSQL reads what is
        // open of all teams.
        "SELECT jsonb_build_object(",
        facts!(),
        ", 'team', t.id) AS row
         FROM UNNEST($1) AS t (id) CROSS JOIN LATERAL (
            SELECT u.* FROM (
                SELECT o.* FROM incidents o WHERE o.team_id = t.id AND o.state < 3
                    AND (o.inhibited_by IS NULL OR o.silenced_until IS NULL)
                UNION ALL
                SELECT o.* FROM projects p JOIN incidents o ON o.project_id = p.id
                WHERE p.team_id = t.id AND o.team_id IS NULL AND o.state < 3
                    AND (o.inhibited_by IS NULL OR o.silenced_until IS NULL)) u
            ORDER BY u.priority DESC, u.id LIMIT $2) n
         ORDER BY t.id, n.priority DESC, n.id",
    ))
    .bind::<Array<Int4>, _>(teams.into_iter().collect::<Vec<_>>())
    .bind::<Int8, _>(MAX_SOURCES)
    .load(conn)
    .await?;
    row::all(rows)
}

/// Has incidents be looked at again whose keeper has ended; `limit` at most.
pub(super) async fn release(conn: &mut Connection, now: DateTime<Utc>, limit: i64) -> Result<(), StoreError> {
    statement(
        // What the first three conditions say is what the index has: what was kept silent once, and is over, is not in it.
        "UPDATE incidents SET next_at = $1 WHERE id IN (
            SELECT n.id FROM incidents n JOIN incidents s ON s.id = n.inhibited_by
            WHERE n.inhibited_by IS NOT NULL AND n.silenced_until IS NOT NULL AND n.state = 1 AND n.next_at > $1 AND s.state = 3
            ORDER BY n.id LIMIT $2 FOR NO KEY UPDATE OF n SKIP LOCKED)",
    )
    .bind::<Timestamptz, _>(now)
    .bind::<Int8, _>(limit)
    .execute(conn)
    .await?;
    Ok(())
}
