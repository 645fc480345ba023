//! `/api/v1/searches`: searches that people come back to. One's own nobody else sees; those of a team are for everybody in it, and
//! are saved, changed and removed by its members.

use super::issue_change::given;
use super::named::{self, refuse};
use crate::access::Principal;
use crate::accounts::fields;
use crate::openapi::{Created, NoContent};
use crate::{ApiError, State, query};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path};
use bugle_model::{ProjectId, TeamId, UserId};
use bugle_store::audit::{self, Target};
use bugle_store::issues::Sort;
use bugle_store::projects::Project;
use bugle_store::saved_searches::{self, MOST, NewSearch, Owner, SavedSearch, SearchChange};
use bugle_store::{Connection, Transactions};
use bugle_web::{Code, FieldError, JsonBody, Page, Params, Problem};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

/// `GET …`
pub(super) async fn list(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Json<Page<SavedSearch>>, ApiError> {
    let mut params = Params::of(&request);
    let limit = params.limit();
    let after: Option<i32> = params.cursor();
    params.finish()?;
    let mut connection = state.store.conn().await?;
    let (user, scope) = (person(&principal)?, principal.visible());
    let found = saved_searches::list(&mut connection, user, &scope, after, limit + 1).await?;
    Ok(Json(Page::cut(found, limit, |last| last.id)))
}

/// A search to be saved.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    /// 1 to 60 characters; no two searches of a person, or of a team, have the same.
    name: String,
    /// What is searched for, as lists of issues take it.
    query: String,
    /// The order; `last_seen` unless said otherwise.
    #[serde(default)]
    sort: Sort,
    /// Only issues of this project: its id or name.
    project: Option<String>,
    /// The team to share it with: whoever saves it is a member there. Without one it is one's own.
    team: Option<TeamId>,
}

/// `POST …`
pub(super) async fn create(
    principal: Principal,
    state: Data<State>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Created<SavedSearch>, ApiError> {
    let now = state.clock.now();
    let name = checked(Some(&body.name), Some(&body.query), now)?.unwrap_or_default();
    let mut connection = state.store.conn().await?;
    let owner = match named::shared_team(&mut connection, &principal, body.team).await? {
        Some(team) => Owner::Team(team),
        None => Owner::User(person(&principal)?),
    };
    let project = project(&mut connection, &principal, body.project.as_deref(), body.team).await?;
    let made = connection
        .transaction(async |connection| {
            let new = NewSearch { owner, name: &name, query: &body.query, sort: body.sort, project };
            let made = saved_searches::create(connection, &new, &principal.actor.name, now).await?;
            let id = made.ok_or_else(too_many)?;
            let made = found(connection, &principal, &id.to_string()).await?;
            note(connection, &principal, "search.created", &made, None, Some(kept(&made)), now).await?;
            Ok::<_, ApiError>(made)
        })
        .await?;
    Ok(Created::of(made))
}

/// `GET …/{id}`
pub(super) async fn get(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<Json<SavedSearch>, ApiError> {
    let mut connection = state.store.conn().await?;
    Ok(Json(found(&mut connection, &principal, &id).await?))
}

/// What is to be different; what is left out stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    name: Option<String>,
    query: Option<String>,
    sort: Option<Sort>,
    /// Only issues of this project; `null` is of all.
    #[serde(default, deserialize_with = "given")]
    project: Option<Option<String>>,
}

/// `PATCH …/{id}`
pub(super) async fn change(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
    JsonBody(body): JsonBody<Change>,
) -> Result<Json<SavedSearch>, ApiError> {
    let now = state.clock.now();
    let name = checked(body.name.as_deref(), body.query.as_deref(), now)?;
    let mut connection = state.store.conn().await?;
    let before = to_change(&mut connection, &principal, &id).await?;
    let project = match &body.project {
        Some(given) => Some(project(&mut connection, &principal, given.as_deref(), before.team).await?),
        None => None,
    };
    let changed = connection
        .transaction(async |connection| {
            let change = SearchChange {
                name: name.as_deref(),
                query: body.query.as_deref(),
                sort: body.sort,
                project,
            };
            saved_searches::change(connection, before.id, &change).await?;
            let after = found(connection, &principal, &id).await?;
            let (was, is) = (Some(kept(&before)), Some(kept(&after)));
            note(connection, &principal, "search.updated", &after, was, is, now).await?;
            Ok::<_, ApiError>(after)
        })
        .await?;
    Ok(Json(changed))
}

/// `DELETE …/{id}`
pub(super) async fn remove(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<NoContent, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let gone = to_change(&mut connection, &principal, &id).await?;
    connection
        .transaction(async |connection| {
            saved_searches::remove(connection, gone.id).await?;
            note(connection, &principal, "search.deleted", &gone, Some(kept(&gone)), None, now).await
        })
        .await?;
    Ok(NoContent::new())
}

fn person(principal: &Principal) -> Result<UserId, Problem> {
    Ok(principal.session()?.active.user.id)
}

fn too_many() -> ApiError {
    Problem::with_detail(Code::Conflict, format!("there are {MOST} searches already; remove one first"))
        .into()
}

/// The name, trimmed; everything that is wrong with it and with the query, the latter with its place.
fn checked(name: Option<&str>, query: Option<&str>, now: DateTime<Utc>) -> Result<Option<String>, ApiError> {
    let mut mistakes = Vec::new();
    let name = name.map(fields::search_name).transpose().unwrap_or_else(|mistake| {
        mistakes.push(mistake);
        None
    });
    if let Some(Err(errors)) = query.map(|text| query::parse(text, now)) {
        mistakes.extend(errors.into_iter().map(|error| FieldError {
            position: Some(error.position),
            ..FieldError::new("query", error.message)
        }));
    }
    refuse(mistakes)?;
    Ok(name)
}

/// The project of a search; of one that a team shares, the team's own, so that everybody in it finds something.
async fn project(
    connection: &mut Connection,
    principal: &Principal,
    named: Option<&str>,
    team: Option<TeamId>,
) -> Result<Option<ProjectId>, ApiError> {
    let Some(named) = named else { return Ok(None) };
    let Project { id, team: owner, .. } = named::project_parameter(connection, principal, named).await?;
    if team.is_some() && owner != team {
        return Err(Problem::invalid_field("project", "belongs to another team").into());
    }
    Ok(Some(id))
}

/// The search in the path, when the caller sees it.
async fn found(
    connection: &mut Connection,
    principal: &Principal,
    text: &str,
) -> Result<SavedSearch, ApiError> {
    let (user, scope) = (person(principal)?, principal.visible());
    let found = match text.parse() {
        Ok(id) => saved_searches::get(connection, user, &scope, id).await?,
        Err(_) => None,
    };
    found.ok_or_else(|| named::missing("search", text).into())
}

/// The same, when they may change it.
async fn to_change(
    connection: &mut Connection,
    principal: &Principal,
    text: &str,
) -> Result<SavedSearch, ApiError> {
    let search = found(connection, principal, text).await?;
    if let Some(team) = search.team {
        principal.may_triage(team)?;
    }
    Ok(search)
}

/// What a team shares is everybody's concern; one's own is nobody else's.
async fn note(
    connection: &mut Connection,
    principal: &Principal,
    action: &'static str,
    search: &SavedSearch,
    before: Option<Value>,
    after: Option<Value>,
    now: DateTime<Utc>,
) -> Result<(), ApiError> {
    if search.team.is_none() || before == after {
        return Ok(());
    }
    let target = Target::new("search", search.id, &search.name);
    let entry = principal.changed(action, target, search.team, before, after);
    Ok(audit::add(connection, &entry, now).await?)
}

fn kept(search: &SavedSearch) -> Value {
    json!({ "name": search.name, "query": search.query, "sort": search.sort, "project": search.project })
}
