//! `GET /api/error-logging/developers/` and `…/developers/workload/`, the older contract's people.

use super::users::seen_by;
use crate::access::Principal;
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use bugle_model::{Priority, UserId};
use bugle_ownership::Weight;
use bugle_store::{issues, ownership, users};
use bugle_web::{Page, Params};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// More people are not looked at.
const MOST: usize = 2_000;

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
    /// They can be given issues: the account is open, and they are not away.
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
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let found = users::list(&mut connection, &principal.scope(), after, limit + 1).await?;
    let page = Page::cut(found, limit, |user| user.id);
    let ids: Vec<UserId> = page.items.iter().map(|user| user.id).collect();
    let availabilities = ownership::availabilities(&mut connection, &ids).await?;
    Ok(Json(page.map(|user| {
        let user = seen_by(&principal, user);
        let availability = availabilities.get(&user.id).copied().unwrap_or_default();
        let teams: Vec<String> = user.teams.into_iter().map(|team| team.name).collect();
        Developer {
            id: user.id,
            name: user.name,
            email: user.email,
            team: teams.first().cloned(),
            teams,
            available: !user.disabled && availability.at(now).available,
        }
    })))
}

/// Somebody's open errors, what else they have to do, and whether they are given more by themselves.
#[derive(Serialize, JsonSchema)]
pub(super) struct Workload {
    /// Whom they are assigned to.
    developer: String,
    /// How many unresolved errors.
    open: i64,
    by_severity: BTreeMap<String, i64>,
    /// The account; none for a name without one, and for a team.
    user: Option<UserId>,
    /// Incidents that are not resolved, and that they were given.
    open_incidents: i64,
    /// Hours on call within the last 14 days.
    on_call_hours: f64,
    /// How much all of it is: of those who can be given an issue, whoever has the least gets it.
    weight: Weight,
    /// Off: they are given nothing by themselves.
    available: bool,
    /// Until when they are away.
    away_until: Option<DateTime<Utc>>,
    /// With so many open errors they are given no more by themselves.
    max_open_issues: Option<i32>,
}

impl Workload {
    /// Of a name that is no account, or none that can be given anything.
    fn of_name(developer: String, user: Option<UserId>) -> Self {
        Self {
            developer,
            open: 0,
            by_severity: Priority::ALL.iter().map(|priority| (priority.to_string(), 0)).collect(),
            user,
            open_incidents: 0,
            on_call_hours: 0.0,
            weight: Weight::default(),
            available: false,
            away_until: None,
            max_open_issues: None,
        }
    }

    fn add(&mut self, priority: Priority, issues: i64) {
        self.open += issues;
        *self.by_severity.entry(priority.to_string()).or_default() += issues;
    }
}

impl From<ownership::Workload> for Workload {
    fn from(load: ownership::Workload) -> Self {
        let mut row = Self {
            open_incidents: load.incidents,
            on_call_hours: load.on_call_hours,
            weight: load.weight(),
            available: load.availability.available,
            away_until: load.availability.away_until,
            max_open_issues: load.availability.max_open_issues,
            ..Self::of_name(load.name, Some(load.user))
        };
        for (priority, issues) in load.issues {
            row.add(priority, issues);
        }
        row
    }
}

pub(super) async fn workload(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Json<Page<Workload>>, ApiError> {
    let mut params = Params::of(&request);
    params.ignore_others();
    params.finish()?;
    let (scope, now) = (principal.scope(), state.clock.now());
    let mut connection = state.store.conn().await?;
    let people = users::list(&mut connection, &scope, None, MOST).await?;
    let people: Vec<UserId> = people.into_iter().map(|user| user.id).collect();
    let mut all: Vec<Workload> = ownership::workload(&mut connection, &people, &scope, now)
        .await?
        .into_iter()
        .map(Workload::from)
        .collect();
    let listed: BTreeSet<UserId> = all.iter().filter_map(|row| row.user).collect();
    let mut others: BTreeMap<(String, Option<UserId>), Workload> = BTreeMap::new();
    for load in issues::workload(&mut connection, &scope).await? {
        let Some(priority) = Priority::from_code(load.priority) else { continue };
        let user = load.assigned_user.map(UserId);
        if user.is_none_or(|user| !listed.contains(&user)) {
            let of_name = || Workload::of_name(load.assigned_to.clone(), user);
            let row = others.entry((load.assigned_to.clone(), user)).or_insert_with(of_name);
            row.add(priority, load.issues);
        }
    }
    all.extend(others.into_values());
    all.sort_by(|one, other| other.open.cmp(&one.open).then_with(|| one.developer.cmp(&other.developer)));
    Ok(Json(Page::whole(all)))
}
