//! `/api/v1/routing-rules`: which signals open an incident. Without any, none does.

use super::super::named;
use super::{not_the_teams, room, team};
use crate::access::Principal;
use crate::openapi::{Created, NoContent};
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_model::{EscalationPolicyId, Priority, ProjectId, SignalKind, TeamId};
use bugle_store::audit::{self, Target};
use bugle_store::oncall::{self, NewRoutingRule, OfTeam, RoutingRule, TagMatcher};
use bugle_store::{Connection, Transactions};
use bugle_web::{FieldError, JsonBody, Page};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

/// Environments of a rule, and the longest name of one, in bytes.
const MAX_ENVIRONMENTS: usize = 50;
const MAX_ENVIRONMENT: usize = 64;
/// Kinds of a rule.
const MAX_KINDS: usize = 20;
/// Tags of a rule, and characters of a name and of a value: events have no longer ones.
const MAX_TAGS: usize = 10;
const MAX_TAG: usize = 200;

/// What a rule is to be.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewRoutingRule")]
pub(in super::super) struct Body {
    /// Whose; may be left out by whoever manages one team. Cannot be changed.
    team: Option<TeamId>,
    /// Of several that match, the one with the lowest place counts, then the oldest.
    #[serde(default)]
    place: i32,
    /// Only signals of this project; of every project of the team, when absent.
    project: Option<ProjectId>,
    /// Only these environments, 50 at most; empty means all.
    #[serde(default)]
    environments: Vec<String>,
    /// Only these kinds, 20 at most; empty means all.
    #[serde(default)]
    kinds: Vec<SignalKind>,
    /// Only events with all of these tags, 10 at most; empty means whatever they are.
    #[serde(default)]
    tags: Vec<TagMatcher>,
    /// The lowest priority that opens an incident; `high` when absent.
    #[serde(default = "high")]
    min_priority: Priority,
    /// The team's policy by which it escalates.
    policy: EscalationPolicyId,
    /// Off: not looked at.
    #[serde(default = "yes")]
    enabled: bool,
}

const fn high() -> Priority {
    Priority::High
}

const fn yes() -> bool {
    true
}

impl Body {
    fn checked(self) -> Result<NewRoutingRule, ApiError> {
        let Self { place, project, environments, kinds, tags, min_priority, policy, enabled, .. } = self;
        let mut mistakes = Vec::new();
        let fits = |name: &String| (1..=MAX_ENVIRONMENT).contains(&name.len());
        if environments.len() > MAX_ENVIRONMENTS || !environments.iter().all(fits) {
            let message = format!("at most {MAX_ENVIRONMENTS} names of 1 to {MAX_ENVIRONMENT} bytes");
            mistakes.push(FieldError::new("environments", message));
        }
        let ours = [SignalKind::Test, SignalKind::Digest, SignalKind::Page, SignalKind::Verification];
        if kinds.len() > MAX_KINDS {
            mistakes.push(FieldError::new("kinds", format!("at most {MAX_KINDS}")));
        }
        if let Some(kind) = kinds.iter().find(|kind| ours.contains(kind)) {
            mistakes.push(FieldError::new("kinds", format!("`{kind}` is about no issue")));
        }
        mistakes.extend(of_tags(&tags));
        named::refuse(mistakes)?;
        Ok(NewRoutingRule { place, project, environments, kinds, tags, min_priority, policy, enabled })
    }
}

fn of_tags(tags: &[TagMatcher]) -> Vec<FieldError> {
    let mut mistakes = Vec::new();
    if tags.len() > MAX_TAGS {
        mistakes.push(FieldError::new("tags", format!("at most {MAX_TAGS}")));
    }
    for (index, one) in tags.iter().enumerate().take(MAX_TAGS) {
        for (part, text) in [("key", &one.key), ("value", &one.value)] {
            if !(1..=MAX_TAG).contains(&text.chars().count()) || text.chars().any(char::is_control) {
                let message = format!("1 to {MAX_TAG} visible characters");
                mistakes.push(FieldError::new(format!("tags[{index}].{part}"), message));
            }
        }
    }
    mistakes
}

/// `GET /api/v1/routing-rules`
pub(in super::super) async fn list(
    principal: Principal,
    state: Data<State>,
) -> Result<Json<Page<RoutingRule>>, ApiError> {
    let mut connection = state.store.conn().await?;
    Ok(Json(Page::whole(oncall::list_routing_rules(&mut connection, &principal.scope()).await?)))
}

/// `POST /api/v1/routing-rules`
pub(in super::super) async fn create(
    principal: Principal,
    state: Data<State>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Created<RoutingRule>, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let team = team(&mut connection, &principal, body.team).await?;
    let new = body.checked()?;
    let made = connection
        .transaction(async |connection| {
            room(connection, team, OfTeam::RoutingRules).await?;
            let made = oncall::create_routing_rule(connection, team, &new, now).await?;
            let made = made.ok_or_else(not_the_teams)?;
            let target = Target::new("routing_rule", made.id, "");
            let after = Some(json!(new));
            let entry = principal.changed("routing_rule.created", target, Some(team), None, after);
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(made)
        })
        .await?;
    Ok(Created::of(made))
}

/// `PUT /api/v1/routing-rules/{id}`: all of it anew.
pub(in super::super) async fn set(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Json<RoutingRule>, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let before = of(&mut connection, &principal, &id).await?;
    if body.team.is_some_and(|team| team != before.team) {
        named::refuse(vec![FieldError::new("team", "cannot be changed")])?;
    }
    let new = body.checked()?;
    let changed = connection
        .transaction(async |connection| {
            let changed = oncall::set_routing_rule(connection, before.team, before.id, &new).await?;
            let changed = changed.ok_or_else(not_the_teams)?;
            let target = Target::new("routing_rule", before.id, "");
            let (old, new) = (Some(json!(before.rule)), Some(json!(new)));
            let entry = principal.changed("routing_rule.updated", target, Some(before.team), old, new);
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(changed)
        })
        .await?;
    Ok(Json(changed))
}

/// `DELETE /api/v1/routing-rules/{id}`: incidents that it opened go on.
pub(in super::super) async fn remove(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<NoContent, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let rule = of(&mut connection, &principal, &id).await?;
    connection
        .transaction(async |connection| {
            oncall::delete_routing_rule(connection, &principal.scope(), rule.id).await?;
            let target = Target::new("routing_rule", rule.id, "");
            let before = Some(json!(rule.rule));
            let entry = principal.changed("routing_rule.deleted", target, Some(rule.team), before, None);
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(())
        })
        .await?;
    Ok(NoContent::new())
}

/// The rule in a path, when the caller sees it and may do with it what the route does.
async fn of(connection: &mut Connection, principal: &Principal, id: &str) -> Result<RoutingRule, ApiError> {
    let all = oncall::list_routing_rules(connection, &principal.visible()).await?;
    let found = all.into_iter().find(|rule| id.parse() == Ok(rule.id));
    let found = found.ok_or_else(|| named::missing("routing rule", id))?;
    principal.allowed(Some(found.team))?;
    Ok(found)
}
