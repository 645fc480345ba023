//! `GET /api/error-logging/developers/` and `…/developers/workload/`, the older contract's people.

use crate::access::Principal;
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use bugle_model::{Priority, UserId};
use bugle_store::{issues, users};
use bugle_web::{Page, Params};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// A person.
#[derive(Serialize, JsonSchema)]
pub(super) struct Developer {
    id: UserId,
    name: String,
    /// The contact.
    email: String,
    /// The first of `teams`.
    team: Option<String>,
    teams: Vec<String>,
    /// The account is open: they can sign in and be assigned to.
    available: bool,
}

pub(super) async fn list(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Json<Page<Developer>>, ApiError> {
    let mut params = Params::of(&request);
    let (limit, after) = (params.limit(), params.cursor::<UserId>());
    params.ignore_others();
    params.finish()?;
    let mut connection = state.store.conn().await?;
    let found = users::list(&mut connection, &principal.scope(), after, limit + 1).await?;
    Ok(Json(Page::cut(found, limit, |user| user.id).map(|user| {
        let teams: Vec<String> = user.teams.into_iter().map(|team| team.name).collect();
        Developer {
            id: user.id,
            name: user.name,
            email: user.email,
            team: teams.first().cloned(),
            teams,
            available: !user.disabled,
        }
    })))
}

/// Somebody's open errors.
#[derive(Serialize, JsonSchema)]
pub(super) struct Workload {
    /// Whom they are assigned to.
    developer: String,
    /// How many unresolved errors.
    open: i64,
    by_severity: BTreeMap<String, i64>,
}

pub(super) async fn workload(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Json<Page<Workload>>, ApiError> {
    let mut params = Params::of(&request);
    params.ignore_others();
    params.finish()?;
    let mut connection = state.store.conn().await?;
    let mut people: BTreeMap<String, Workload> = BTreeMap::new();
    for load in issues::workload(&mut connection, &principal.scope()).await? {
        let Some(priority) = Priority::from_code(load.priority) else { continue };
        let nothing = || Workload {
            developer: load.assigned_to.clone(),
            open: 0,
            by_severity: Priority::ALL.iter().map(|priority| (priority.to_string(), 0)).collect(),
        };
        let person = people.entry(load.assigned_to.clone()).or_insert_with(nothing);
        person.open += load.issues;
        person.by_severity.insert(priority.to_string(), load.issues);
    }
    let mut all: Vec<Workload> = people.into_values().collect();
    all.sort_by(|one, other| other.open.cmp(&one.open).then_with(|| one.developer.cmp(&other.developer)));
    Ok(Json(Page::whole(all)))
}
