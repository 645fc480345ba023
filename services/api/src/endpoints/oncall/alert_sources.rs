//! `/api/v1/alert-sources`: other tools, whose alerts open incidents.

use super::super::issue_change::given;
use super::super::named;
use super::{name, name_taken, not_the_teams, room, team};
use crate::access::Principal;
use crate::accounts::links;
use crate::openapi::{Created, NoContent};
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_model::{AlertSourceKind, EscalationPolicyId, Priority, ProjectId, TeamId};
use bugle_store::audit::{self, Target};
use bugle_store::oncall::{self, AlertSource, AlertSourceChange, NewAlertSource, OfTeam};
use bugle_store::{Connection, StoreError, Transactions};
use bugle_web::{JsonBody, Page, Problem, auth};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

/// A source as shown.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AlertSource")]
pub(in super::super) struct View {
    #[serde(flatten)]
    source: AlertSource,
    /// What lets the tool in; only in the answer that made it. 32 hex digits, as PagerDuty's routing keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// Where the tool sends to, with the key; only in that answer. PagerDuty's clients may send to `/v2/enqueue` instead, with the key as
    /// `routing_key`.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

impl View {
    fn with_key(state: &State, source: AlertSource, key: String) -> Self {
        let rest = match source.source.kind {
            AlertSourceKind::Alertmanager => "/alertmanager",
            AlertSourceKind::Pagerduty => "/v2/enqueue",
            AlertSourceKind::Generic => "",
        };
        let url = links::page(&state.config.public_url, &format!("api/v1/alerts/{key}{rest}"));
        Self { source, key: Some(key), url: Some(url) }
    }
}

/// 122 random bits. What lets whoever has it page people, and nothing else.
fn new_key() -> String {
    Uuid::new_v4().simple().to_string()
}

/// What a source is to be.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewAlertSource")]
pub(in super::super) struct Body {
    /// Whose; may be left out by whoever manages one team.
    team: Option<TeamId>,
    /// 1 to 64 characters, unique in the team.
    name: String,
    /// The form in which it tells.
    kind: AlertSourceKind,
    /// The team's project that its alerts are about; the team as such, when absent.
    project: Option<ProjectId>,
    /// The team's policy by which its incidents escalate.
    policy: EscalationPolicyId,
    /// The priority of alerts that do not say; `high` when absent.
    #[serde(default = "high")]
    default_priority: Priority,
}

const fn high() -> Priority {
    Priority::High
}

/// `GET /api/v1/alert-sources`
pub(in super::super) async fn list(
    principal: Principal,
    state: Data<State>,
) -> Result<Json<Page<View>>, ApiError> {
    let mut connection = state.store.conn().await?;
    let found = oncall::list_alert_sources(&mut connection, &principal.scope()).await?;
    let view = |source| View { source, key: None, url: None };
    Ok(Json(Page::whole(found.into_iter().map(view).collect())))
}

/// `POST /api/v1/alert-sources`
pub(in super::super) async fn create(
    principal: Principal,
    state: Data<State>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Created<View>, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let team = team(&mut connection, &principal, body.team).await?;
    let Body { name: given, kind, project, policy, default_priority, .. } = body;
    let name = name(&given).map_err(|error| Problem::invalid(vec![error]))?;
    let new = NewAlertSource { name, kind, project, policy, default_priority };
    let key = new_key();
    let made = connection
        .transaction(async |connection| {
            room(connection, team, OfTeam::AlertSources).await?;
            let author = &principal.actor.name;
            let made =
                oncall::create_alert_source(connection, team, &new, &auth::hash(&key), author, now).await;
            let made = made.map_err(named_so)?.ok_or_else(not_the_teams)?;
            let after = Some(json!(new));
            let entry = principal.changed("alert_source.created", target(&made), Some(team), None, after);
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(made)
        })
        .await?;
    Ok(Created::of(View::with_key(&state, made, key)).uncached())
}

/// What is to be different of a source; what is left out stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AlertSourceChange")]
pub(in super::super) struct Change {
    /// 1 to 64 characters, unique in the team.
    name: Option<String>,
    /// The team's project that its alerts are about; `null` is the team as such.
    #[serde(default, deserialize_with = "given")]
    project: Option<Option<ProjectId>>,
    /// The team's policy by which incidents that it opens from now on escalate.
    policy: Option<EscalationPolicyId>,
    /// The priority of alerts that do not say.
    default_priority: Option<Priority>,
}

/// `PATCH /api/v1/alert-sources/{id}`
pub(in super::super) async fn change(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
    JsonBody(body): JsonBody<Change>,
) -> Result<Json<View>, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let before = of(&mut connection, &principal, &id).await?;
    let Change { name: wanted, project, policy, default_priority } = body;
    let name = wanted.as_deref().map(name).transpose().map_err(|error| Problem::invalid(vec![error]))?;
    let change = AlertSourceChange { name, project, policy, default_priority };
    let changed = connection
        .transaction(async |connection| {
            let changed = oncall::change_alert_source(connection, before.id, &change).await;
            let changed = changed.map_err(named_so)?.ok_or_else(not_the_teams)?;
            let (old, new) = (Some(json!(before.source)), Some(json!(changed.source)));
            let entry =
                principal.changed("alert_source.updated", target(&changed), Some(before.team), old, new);
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(changed)
        })
        .await?;
    Ok(Json(View { source: changed, key: None, url: None }))
}

/// `POST /api/v1/alert-sources/{id}/rotate`
pub(in super::super) async fn rotate(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<Created<View>, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let source = of(&mut connection, &principal, &id).await?;
    let key = new_key();
    connection
        .transaction(async |connection| {
            if !oncall::set_alert_source_key(connection, source.id, &auth::hash(&key)).await? {
                return Err(named::missing("alert source", &id).into());
            }
            let entry = principal.did("alert_source.rotated", target(&source), Some(source.team));
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(())
        })
        .await?;
    Ok(Created::of(View::with_key(&state, source, key)).uncached())
}

/// `DELETE /api/v1/alert-sources/{id}`
pub(in super::super) async fn remove(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<NoContent, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let source = of(&mut connection, &principal, &id).await?;
    connection
        .transaction(async |connection| {
            oncall::delete_alert_source(connection, source.id).await?;
            let before = Some(json!(source.source));
            let team = Some(source.team);
            let entry = principal.changed("alert_source.deleted", target(&source), team, before, None);
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(())
        })
        .await?;
    Ok(NoContent::new())
}

fn target(source: &AlertSource) -> Target {
    Target::new("alert_source", source.id, &source.source.name)
}

fn named_so(error: StoreError) -> ApiError {
    name_taken(error, "an alert source")
}

/// The source in a path, when the caller sees it and may do with it what the route does.
async fn of(connection: &mut Connection, principal: &Principal, id: &str) -> Result<AlertSource, ApiError> {
    let all = oncall::list_alert_sources(connection, &principal.visible()).await?;
    let found = all.into_iter().find(|source| id.parse() == Ok(source.id));
    let found = found.ok_or_else(|| named::missing("alert source", id))?;
    principal.allowed(Some(found.team))?;
    Ok(found)
}
