//! `/api/v1/projects/{project}/keys`: what clients send.

use super::issue_change::given;
use super::named;
use crate::access::Principal;
use crate::openapi::{Created, NoContent};
use crate::projects::{dsn, new_public_key};
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_model::{KeyId, Quota};
use bugle_store::audit::{self, Target};
use bugle_store::keys::{self, KeyChange, ProjectKey};
use bugle_store::projects::{self, Project};
use bugle_store::{Connection, Transactions};
use bugle_web::{Code, FieldError, JsonBody, Page, Problem};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

const MAX_LABEL: usize = 64;
/// More keys than this has no project.
const MAX_KEYS: usize = 100;

/// A key as shown.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Key")]
pub(super) struct KeyView {
    id: KeyId,
    label: String,
    /// The public key: 32 hex digits.
    key: String,
    /// What SDKs are given.
    dsn: String,
    enabled: bool,
    /// How many items are accepted; null is no limit.
    per_minute: Option<u32>,
    per_hour: Option<u32>,
    created_at: DateTime<Utc>,
}

impl KeyView {
    fn new(state: &State, key: &ProjectKey) -> Self {
        Self {
            id: key.id,
            label: key.label.clone(),
            key: key.public_key.clone(),
            dsn: dsn(&state.config.public_url, &key.public_key, key.project),
            enabled: key.enabled,
            per_minute: key.quota.per_minute,
            per_hour: key.quota.per_hour,
            created_at: key.created_at,
        }
    }
}

fn target(project: &Project, key: &ProjectKey) -> Target {
    Target::new("key", key.id, &format!("{}: {}", project.name, key.label))
}

async fn find(
    connection: &mut Connection,
    principal: &Principal,
    project: &str,
    id: &str,
) -> Result<(Project, ProjectKey), ApiError> {
    let project = named::project(connection, principal, project).await?;
    let all = keys::list(connection, project.id).await?;
    let key = all.into_iter().find(|key| id.parse() == Ok(key.id));
    Ok((project, key.ok_or_else(|| named::missing("key", id))?))
}

fn check(label: Option<&str>, limits: [Option<u32>; 2]) -> Result<(), ApiError> {
    let mut mistakes = Vec::new();
    if label.is_some_and(|label| label.trim().is_empty() || label.chars().count() > MAX_LABEL) {
        mistakes.push(FieldError::new("label", format!("expected 1 to {MAX_LABEL} characters")));
    }
    for (field, limit) in ["per_minute", "per_hour"].into_iter().zip(limits) {
        if limit.is_some_and(|limit| !(1..=i32::MAX.unsigned_abs()).contains(&limit)) {
            mistakes
                .push(FieldError::new(field, format!("expected 1 to {}, or null for no limit", i32::MAX)));
        }
    }
    named::refuse(mistakes)
}

/// `GET …/keys`
pub(super) async fn list(
    principal: Principal,
    state: Data<State>,
    project: Path<String>,
) -> Result<Json<Page<KeyView>>, ApiError> {
    let mut connection = state.store.conn().await?;
    let project = named::project(&mut connection, &principal, &project).await?;
    let found = keys::list(&mut connection, project.id).await?;
    Ok(Json(Page::whole(found.iter().map(|key| KeyView::new(&state, key)).collect())))
}

/// `GET …/keys/{key_id}`
pub(super) async fn get(
    principal: Principal,
    state: Data<State>,
    path: Path<(String, String)>,
) -> Result<Json<KeyView>, ApiError> {
    let (project, id) = path.into_inner();
    let mut connection = state.store.conn().await?;
    let (_, key) = find(&mut connection, &principal, &project, &id).await?;
    Ok(Json(KeyView::new(&state, &key)))
}

/// Whether the project may have another; until the end of the transaction nobody else makes one.
async fn room(connection: &mut Connection, project: &Project) -> Result<(), ApiError> {
    projects::hold(connection, project.id).await?;
    if keys::list(connection, project.id).await?.len() < MAX_KEYS {
        return Ok(());
    }
    let detail = format!("a project has {MAX_KEYS} keys at most, those that are disabled too; remove one");
    Err(Problem::with_detail(Code::Conflict, detail).into())
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct New {
    label: String,
    per_minute: Option<u32>,
    per_hour: Option<u32>,
}

/// `POST …/keys`
pub(super) async fn create(
    principal: Principal,
    state: Data<State>,
    project: Path<String>,
    JsonBody(body): JsonBody<New>,
) -> Result<Created<KeyView>, ApiError> {
    check(Some(&body.label), [body.per_minute, body.per_hour])?;
    let quota = Quota { per_minute: body.per_minute, per_hour: body.per_hour };
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let project = named::project(&mut connection, &principal, &project).await?;
    let made = connection
        .transaction(async |connection| {
            room(connection, &project).await?;
            let made = keys::create(connection, project.id, &new_public_key(), body.label.trim(), quota, now)
                .await?;
            let target = target(&project, &made);
            let entry = principal.changed("key.created", target, project.team, None, Some(made.audited()));
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(made)
        })
        .await?;
    Ok(Created::of(KeyView::new(&state, &made)))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    label: Option<String>,
    enabled: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    per_minute: Option<Option<u32>>,
    #[serde(default, deserialize_with = "given")]
    per_hour: Option<Option<u32>>,
}

/// `PATCH …/keys/{key_id}`
pub(super) async fn change(
    principal: Principal,
    state: Data<State>,
    path: Path<(String, String)>,
    JsonBody(body): JsonBody<Change>,
) -> Result<Json<KeyView>, ApiError> {
    let Change { label, enabled, per_minute, per_hour } = body;
    check(label.as_deref(), [per_minute.flatten(), per_hour.flatten()])?;
    let change =
        KeyChange { label: label.map(|label| label.trim().to_owned()), enabled, per_minute, per_hour };
    let (project, id) = path.into_inner();
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let (project, before) = find(&mut connection, &principal, &project, &id).await?;
    let changed = connection
        .transaction(async |connection| {
            let changed = keys::change(connection, before.id, &change).await?;
            let changed = changed.ok_or_else(|| named::missing("key", &id))?;
            let (target, old, new) = (target(&project, &changed), before.audited(), changed.audited());
            let entry = principal.changed("key.updated", target, project.team, Some(old), Some(new));
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(changed)
        })
        .await?;
    Ok(Json(KeyView::new(&state, &changed)))
}

/// `DELETE …/keys/{key_id}`
pub(super) async fn remove(
    principal: Principal,
    state: Data<State>,
    path: Path<(String, String)>,
) -> Result<NoContent, ApiError> {
    let (project, id) = path.into_inner();
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let (project, key) = find(&mut connection, &principal, &project, &id).await?;
    connection
        .transaction(async |connection| {
            keys::delete(connection, key.id).await?;
            let target = target(&project, &key);
            let entry = principal.changed("key.deleted", target, project.team, Some(key.audited()), None);
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(())
        })
        .await?;
    Ok(NoContent::new())
}

/// `POST …/keys/{key_id}/rotate`: a new key like it; the old one is disabled.
pub(super) async fn rotate(
    principal: Principal,
    state: Data<State>,
    path: Path<(String, String)>,
) -> Result<Created<KeyView>, ApiError> {
    let (project, id) = path.into_inner();
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let (project, old) = find(&mut connection, &principal, &project, &id).await?;
    let made = connection
        .transaction(async |connection| {
            room(connection, &project).await?;
            let made = keys::rotate(connection, &old, &new_public_key(), now).await?;
            let after = json!({ "new_key": made.id });
            let target = target(&project, &old);
            let entry =
                principal.changed("key.rotated", target, project.team, Some(old.audited()), Some(after));
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(made)
        })
        .await?;
    Ok(Created::of(KeyView::new(&state, &made)))
}
