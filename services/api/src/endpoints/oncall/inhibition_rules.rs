//! `/api/v1/inhibition-rules`: open incidents that keep others silent.

use super::super::named;
use super::{name, name_taken, room, team};
use crate::access::Principal;
use crate::openapi::{Created, NoContent};
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_model::{SilenceMatchers, TeamId};
use bugle_store::audit::{self, Target};
use bugle_store::oncall::{self, InhibitionRule, NewInhibitionRule, OfTeam};
use bugle_store::{Connection, Transactions};
use bugle_web::{FieldError, JsonBody, Page, Problem};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

/// What a rule is to be.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewInhibitionRule")]
pub(in super::super) struct Body {
    /// Whose; may be left out by whoever manages one team.
    team: Option<TeamId>,
    /// 1 to 64 characters, unique in the team.
    name: String,
    /// Open incidents that keep others silent.
    source: SilenceMatchers,
    /// What they keep silent.
    target: SilenceMatchers,
    /// Labels that both must have alike, 20 at most; `project` and `environment` are the incident's own. One that neither has is alike.
    #[serde(default)]
    equal: Vec<String>,
}

impl Body {
    fn checked(self) -> Result<NewInhibitionRule, ApiError> {
        let Self { name: given, source, target, equal, .. } = self;
        let (name, mut mistakes) = match name(&given) {
            Ok(name) => (name, Vec::new()),
            Err(mistake) => (String::new(), vec![mistake]),
        };
        let new = NewInhibitionRule { name, source, target, equal };
        mistakes.extend(new.mistakes().into_iter().map(|(field, message)| FieldError::new(field, message)));
        named::refuse(mistakes)?;
        Ok(new)
    }
}

/// `GET /api/v1/inhibition-rules`
pub(in super::super) async fn list(
    principal: Principal,
    state: Data<State>,
) -> Result<Json<Page<InhibitionRule>>, ApiError> {
    let mut connection = state.store.conn().await?;
    Ok(Json(Page::whole(oncall::list_inhibition_rules(&mut connection, &principal.scope(), None).await?)))
}

/// `POST /api/v1/inhibition-rules`
pub(in super::super) async fn create(
    principal: Principal,
    state: Data<State>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Created<InhibitionRule>, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let team = team(&mut connection, &principal, body.team).await?;
    let new = body.checked()?;
    let made = connection
        .transaction(async |connection| {
            room(connection, team, OfTeam::InhibitionRules).await?;
            let author = &principal.actor.name;
            let made = oncall::create_inhibition_rule(connection, team, &new, author, now).await;
            let made = made.map_err(|error| name_taken(error, "an inhibition rule"))?;
            let made = made.ok_or_else(not_of_team)?;
            let after = Some(json!(new));
            let entry = principal.changed("inhibition_rule.created", target(&made), Some(team), None, after);
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(made)
        })
        .await?;
    Ok(Created::of(made))
}

/// `DELETE /api/v1/inhibition-rules/{id}`: what it keeps silent pages at once.
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
            oncall::delete_inhibition_rule(connection, &rule, now).await?;
            let before = Some(json!(rule.rule));
            let entry =
                principal.changed("inhibition_rule.deleted", target(&rule), Some(rule.team), before, None);
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(())
        })
        .await?;
    Ok(NoContent::new())
}

fn target(rule: &InhibitionRule) -> Target {
    Target::new("inhibition_rule", rule.id, &rule.rule.name)
}

fn not_of_team() -> Problem {
    Problem::invalid_field("source.project", "it, or `target.project`, is none of the team's projects")
}

/// The rule in a path, when the caller sees it and may do with it what the route does.
async fn of(
    connection: &mut Connection,
    principal: &Principal,
    id: &str,
) -> Result<InhibitionRule, ApiError> {
    let found = match id.parse() {
        Ok(id) => oncall::list_inhibition_rules(connection, &principal.visible(), Some(id)).await?,
        Err(_) => Vec::new(),
    };
    let found = found.into_iter().next().ok_or_else(|| named::missing("inhibition rule", id))?;
    principal.allowed(Some(found.team))?;
    Ok(found)
}
