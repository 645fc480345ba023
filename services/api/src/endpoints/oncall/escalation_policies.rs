//! `/api/v1/escalation-policies`: who is paged in which order. A change makes a new version; open incidents keep theirs.

use super::super::named;
use super::{name, nobody_in_team, room, team};
use crate::access::Principal;
use crate::openapi::{Created, NoContent};
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_model::TeamId;
use bugle_schedule::{EscalationPolicy, EscalationTarget};
use bugle_store::audit::{self, Target};
use bugle_store::oncall::{self, OfTeam, Policy};
use bugle_store::{Connection, StoreError, Transactions};
use bugle_web::{Code, FieldError, JsonBody, Page, Problem, object};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

/// What a policy is to be.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewEscalationPolicy")]
pub(in super::super) struct Body {
    /// Whose; may be left out by whoever manages one team. Cannot be changed.
    team: Option<TeamId>,
    /// 1 to 64 characters, unique in the team.
    name: String,
    /// Who is paged in which order.
    #[serde(deserialize_with = "object")]
    content: EscalationPolicy,
}

impl Body {
    /// The name, when all is well. Everybody must be of the team: others would be paged without being asked.
    async fn checked(&self, connection: &mut Connection, team: TeamId) -> Result<String, ApiError> {
        let content = &self.content;
        let mut mistakes: Vec<FieldError> = content
            .mistakes()
            .into_iter()
            .map(|(field, message)| FieldError::new(format!("content.{field}"), message))
            .collect();
        let name = name(&self.name).unwrap_or_else(|error| {
            mistakes.push(error);
            String::new()
        });
        named::refuse(mistakes)?;
        let targets: Vec<EscalationTarget> = content.targets().into_iter().collect();
        let unknown = oncall::unknown_targets(connection, team, &targets).await?;
        named::refuse(self.places(&unknown))?;
        Ok(name)
    }

    /// Where unknown targets are.
    fn places(&self, unknown: &[EscalationTarget]) -> Vec<FieldError> {
        let steps = self.content.steps.iter().enumerate();
        let steps = steps.map(|(index, step)| (format!("content.steps[{index}].targets"), &step.targets));
        let lists = steps.chain([("content.fallback".to_owned(), &self.content.fallback)]);
        let mistakes = lists.flat_map(|(list, targets)| {
            let places = targets.iter().enumerate().filter(|(_, target)| unknown.contains(target));
            places
                .map(|(place, target)| {
                    let message = match target {
                        EscalationTarget::Person { user } => nobody_in_team(*user),
                        EscalationTarget::Schedule { schedule } => {
                            format!("the team has no schedule {schedule}")
                        }
                        EscalationTarget::Team { .. } => "only the policy's own team".to_owned(),
                        EscalationTarget::Destination { destination } => {
                            format!("no project of the team has a destination {destination}")
                        }
                    };
                    FieldError::new(format!("{list}[{place}]"), message)
                })
                .collect::<Vec<_>>()
        });
        mistakes.collect()
    }
}

/// `GET /api/v1/escalation-policies`
pub(in super::super) async fn list(
    principal: Principal,
    state: Data<State>,
) -> Result<Json<Page<Policy>>, ApiError> {
    let mut connection = state.store.conn().await?;
    Ok(Json(Page::whole(oncall::list_policies(&mut connection, &principal.scope()).await?)))
}

/// `POST /api/v1/escalation-policies`
pub(in super::super) async fn create(
    principal: Principal,
    state: Data<State>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Created<Policy>, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let team = team(&mut connection, &principal, body.team).await?;
    let name = body.checked(&mut connection, team).await?;
    let made = connection
        .transaction(async |connection| {
            room(connection, team, OfTeam::Policies).await?;
            let actor = &principal.actor.name;
            let id = oncall::create_policy(connection, team, &name, &body.content, actor, now).await?;
            let target = Target::new("escalation_policy", id, &name);
            let after = Some(json!(body.content));
            let entry = principal.changed("escalation_policy.created", target, Some(team), None, after);
            audit::add(connection, &entry, now).await?;
            of(connection, &principal, &id.to_string()).await
        })
        .await?;
    Ok(Created::of(made))
}

/// `GET /api/v1/escalation-policies/{id}`
pub(in super::super) async fn get(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<Json<Policy>, ApiError> {
    let mut connection = state.store.conn().await?;
    Ok(Json(of(&mut connection, &principal, &id).await?))
}

/// `PUT /api/v1/escalation-policies/{id}`: all of it anew.
pub(in super::super) async fn set(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Json<Policy>, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let before = of(&mut connection, &principal, &id).await?;
    if body.team.is_some_and(|team| team != before.team) {
        named::refuse(vec![FieldError::new("team", "cannot be changed")])?;
    }
    let name = body.checked(&mut connection, before.team).await?;
    let changed = connection
        .transaction(async |connection| {
            let actor = &principal.actor.name;
            oncall::update_policy(connection, before.id, &name, &body.content, actor, now).await?;
            let target = Target::new("escalation_policy", before.id, &name);
            let (old, new) = (Some(json!(before.content)), Some(json!(body.content)));
            let entry = principal.changed("escalation_policy.updated", target, Some(before.team), old, new);
            audit::add(connection, &entry, now).await?;
            of(connection, &principal, &id).await
        })
        .await?;
    Ok(Json(changed))
}

/// `DELETE /api/v1/escalation-policies/{id}`: 409 while a routing rule leads to it.
pub(in super::super) async fn remove(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<NoContent, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let policy = of(&mut connection, &principal, &id).await?;
    connection
        .transaction(async |connection| {
            oncall::delete_policy(connection, policy.id).await.map_err(in_use)?;
            let target = Target::new("escalation_policy", policy.id, &policy.name);
            let before = Some(json!(policy.content));
            let entry =
                principal.changed("escalation_policy.deleted", target, Some(policy.team), before, None);
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(())
        })
        .await?;
    Ok(NoContent::new())
}

fn in_use(error: StoreError) -> ApiError {
    if error.is_missing_reference() {
        let detail =
            "a routing rule leads to the policy, or an alert source does; change or delete that first";
        return Problem::with_detail(Code::Conflict, detail).into();
    }
    error.into()
}

/// The policy in a path, when the caller sees it and may do with it what the route does.
async fn of(connection: &mut Connection, principal: &Principal, id: &str) -> Result<Policy, ApiError> {
    let found = match id.parse() {
        Ok(number) => oncall::get_policy(connection, &principal.visible(), number).await?,
        Err(_) => None,
    };
    let found = found.ok_or_else(|| named::missing("escalation policy", id))?;
    principal.allowed(Some(found.team))?;
    Ok(found)
}
