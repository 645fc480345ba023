//! `/api/v1/projects/{project}`: one project; its name, team and settings; its end.

use super::named::{self, refuse};
use super::projects::View;
use crate::access::Principal;
use crate::openapi::NoContent;
use crate::{ApiError, State, projects as checks};
use actix_web::web::{Data, Json, Path};
use bugle_model::{ProjectSettings, TeamId};
use bugle_store::audit::{self, Target};
use bugle_store::projects::{self, Project};
use bugle_store::{Scope, Transactions};
use bugle_web::{Code, FieldError, JsonBody, Problem};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

/// `GET …`
pub(super) async fn get(
    principal: Principal,
    state: Data<State>,
    project: Path<String>,
) -> Result<Json<View>, ApiError> {
    let mut connection = state.store.conn().await?;
    Ok(Json(View::from(named::project(&mut connection, &principal, &project).await?)))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    name: Option<String>,
    team: Option<TeamId>,
    /// Only what is given changes; lists are replaced.
    #[schemars(with = "Option<ProjectSettings>")]
    settings: Option<Value>,
}

/// `PATCH …`: of `settings` only what is given changes; lists are replaced.
pub(super) async fn change(
    principal: Principal,
    state: Data<State>,
    path: Path<String>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Json<View>, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let seen = named::project(&mut connection, &principal, &path).await?;
    let team = match body.team {
        // Whoever gives it away must be a manager there as well.
        Some(team) => named::team_for_new(&mut connection, &principal, Some(team)).await?,
        None => None,
    };
    let changed = connection
        .transaction(async |connection| {
            // As it is now: what somebody else has just changed must not be undone.
            let before = projects::hold(connection, seen.id).await?;
            let before = before.filter(|project| principal.visible().holds(project.team));
            let before = before.ok_or_else(|| named::missing("project", &path))?;
            principal.allowed(before.team)?;
            let settings = body.settings.as_ref().map(|given| merged(&before, given)).transpose()?;
            projects::change(connection, before.id, body.name.as_deref(), team)
                .await
                .map_err(named::project_refused)?;
            if let Some(settings) = &settings {
                projects::set_settings(connection, before.id, settings).await?;
            }
            let changed = projects::find(connection, &Scope::All, &before.id.to_string()).await?;
            let changed = changed.ok_or_else(|| named::missing("project", &path))?;
            let target = Target::new("project", changed.id, &changed.name);
            let (old, new) = (Some(kept(&before)), Some(kept(&changed)));
            let mut entry = principal.changed("project.updated", target, changed.team, old, new);
            audit::add(connection, &entry, now).await?;
            if before.team != changed.team {
                // For the managers of the team that it was of as well.
                entry.team = before.team;
                audit::add(connection, &entry, now).await?;
            }
            Ok::<_, ApiError>(changed)
        })
        .await?;
    Ok(Json(View::from(changed)))
}

fn kept(project: &Project) -> Value {
    json!({ "name": project.name, "team": project.team, "settings": project.settings })
}

fn merged(project: &Project, given: &Value) -> Result<ProjectSettings, ApiError> {
    let mut value = serde_json::to_value(&project.settings).map_err(|error| Problem::internal(&error))?;
    if let Some(error) = &project.settings_error
        && !has_all(&value, given)
    {
        let detail = format!("the settings of this project cannot be read ({error}); give all of them");
        return Err(Problem::with_detail(Code::Conflict, detail).into());
    }
    merge(&mut value, given, "settings").map_err(|error| Problem::invalid(vec![error]))?;
    let settings: ProjectSettings = serde_json::from_value(value)
        .map_err(|error| Problem::invalid_field("settings", error.to_string()))?;
    let mut mistakes = checks::check_settings(&settings);
    for mistake in &mut mistakes {
        mistake.field.insert_str(0, "settings.");
    }
    refuse(mistakes)?;
    Ok(settings)
}

/// Whether every field is given: of what cannot be read nothing can be kept.
fn has_all(fields: &Value, given: &Value) -> bool {
    match (fields, given) {
        (Value::Object(fields), Value::Object(given)) => {
            fields.iter().all(|(key, field)| given.get(key).is_some_and(|given| has_all(field, given)))
        }
        _ => true,
    }
}

/// Objects field by field, everything else as a whole; null stays a value (RFC 7396 would remove the field).
fn merge(value: &mut Value, given: &Value, path: &str) -> Result<(), FieldError> {
    match (value, given) {
        (Value::Object(value), Value::Object(given)) => {
            for (key, given) in given {
                let place = value.entry(key.as_str()).or_insert(Value::Null);
                merge(place, given, &format!("{path}.{key}"))?;
            }
        }
        (Value::Object(_), _) => return Err(FieldError::new(path, "expected an object")),
        (value, given) => *value = given.clone(),
    }
    Ok(())
}

/// `DELETE …`: with its issues, keys and destinations.
pub(super) async fn remove(
    principal: Principal,
    state: Data<State>,
    path: Path<String>,
) -> Result<NoContent, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let project = named::project(&mut connection, &principal, &path).await?;
    connection
        .transaction(async |connection| {
            projects::delete(connection, project.id).await?;
            let target = Target::new("project", project.id, &project.name);
            let entry =
                principal.changed("project.deleted", target, project.team, Some(kept(&project)), None);
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(())
        })
        .await?;
    Ok(NoContent::new())
}
