//! `/api/v1/schedules/{id}/overrides`: exceptions, which any member of the team may make.

use super::super::named;
use super::{only_of_team, schedules};
use crate::access::Principal;
use crate::openapi::{Created, NoContent};
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_model::UserId;
use bugle_schedule::{Override, OverrideKind};
use bugle_store::audit::{self, Target};
use bugle_store::oncall::{self, StoredOverride, StoredSchedule};
use bugle_store::{Connection, Transactions};
use bugle_web::{FieldError, JsonBody, Page, Problem};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

/// An override to be made. Not [`Override`] itself: what is flattened cannot refuse unknown fields.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewOverride")]
pub(in super::super) struct Body {
    /// When it begins.
    from: DateTime<Utc>,
    /// When it ends; after `from`, by 366 days at most.
    to: DateTime<Utc>,
    /// What changes.
    kind: Kind,
    /// Who comes on call, and is of the team; with `remove` who is not on call.
    who: UserId,
    /// Who would be on call; with `replace`, and only there.
    replaced: Option<UserId>,
}

/// What an override changes.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "NewOverrideKind")]
enum Kind {
    /// `who` is on call besides whoever is.
    Add,
    /// `who` is not on call.
    Remove,
    /// `who` is on call for `replaced`, while that one would be.
    Replace,
    /// `who` alone is on call for whoever is, and for nobody: the whole schedule.
    Cover,
}

impl Body {
    fn read(self) -> Result<Override, Problem> {
        let Self { from, to, kind, who, replaced } = self;
        let kind = match (kind, replaced) {
            (Kind::Add, None) => OverrideKind::Add { who },
            (Kind::Remove, None) => OverrideKind::Remove { who },
            (Kind::Replace, Some(replaced)) => OverrideKind::Replace { who, replaced },
            (Kind::Cover, None) => OverrideKind::Cover { who },
            (Kind::Add | Kind::Remove | Kind::Replace | Kind::Cover, _) => {
                return Err(Problem::invalid_field("replaced", "with the kind `replace`, and only there"));
            }
        };
        Ok(Override { from, to, kind })
    }
}

/// `GET …/overrides`: those that have not ended.
pub(in super::super) async fn list(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<Json<Page<StoredOverride>>, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let schedule = schedules::of(&mut connection, &principal, &id, now).await?;
    Ok(Json(Page::whole(oncall::list_overrides(&mut connection, schedule.id, now).await?)))
}

/// `POST …/overrides`
pub(in super::super) async fn create(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Created<StoredOverride>, ApiError> {
    let now = state.clock.now();
    let new = body.read()?;
    let mut connection = state.store.conn().await?;
    let made = connection
        .transaction(async |connection| {
            let stored = schedules::held(connection, &principal, &id, now).await?;
            put(connection, &principal, &stored, &new, now).await
        })
        .await?;
    Ok(Created::of(made))
}

/// Makes an override of a schedule that the caller holds, when it goes together with those that there are.
pub(super) async fn put(
    connection: &mut Connection,
    principal: &Principal,
    stored: &StoredSchedule,
    new: &Override,
    now: DateTime<Utc>,
) -> Result<StoredOverride, ApiError> {
    let mut schedule = stored.schedule.clone();
    let place = schedule.overrides.len();
    schedule.overrides.push(new.clone());
    named::refuse(mistakes(&schedule, place))?;
    let comes_on = new.kind.comes_on().map(|who| ("who".to_owned(), who));
    only_of_team(connection, stored.team, comes_on.into_iter().collect()).await?;
    let made = oncall::create_override(connection, stored.id, new, &principal.actor.name, now).await?;
    let target = Target::new("schedule", stored.id, &stored.name);
    let after = Some(json!(new));
    let entry = principal.changed("override.created", target, Some(stored.team), None, after);
    audit::add(connection, &entry, now).await?;
    Ok(made)
}

/// What is wrong with the override at a place, with the fields as they are in the body.
fn mistakes(schedule: &bugle_schedule::Schedule, place: usize) -> Vec<FieldError> {
    let own = format!("overrides[{place}]");
    let found = schedule.check().err().unwrap_or_default();
    let of_body = |path: &str| match path.strip_prefix(&own) {
        Some(rest) => Some(rest.trim_start_matches('.').to_owned()),
        None => (path == "overrides").then(String::new),
    };
    found
        .into_iter()
        .filter_map(|one| {
            let field = of_body(&one.path)?;
            let field = if field.is_empty() { "from".to_owned() } else { field };
            Some(FieldError::new(field, one.message))
        })
        .collect()
}

/// `DELETE …/overrides/{override_id}`
pub(in super::super) async fn remove(
    principal: Principal,
    state: Data<State>,
    path: Path<(String, String)>,
) -> Result<NoContent, ApiError> {
    let (id, number) = path.into_inner();
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let schedule = schedules::of(&mut connection, &principal, &id, now).await?;
    let parsed = number.parse().map_err(|_| named::missing("override", &number))?;
    connection
        .transaction(async |connection| {
            let gone = oncall::delete_override(connection, schedule.id, parsed).await?;
            let gone = gone.ok_or_else(|| ApiError::from(named::missing("override", &number)))?;
            let target = Target::new("schedule", schedule.id, &schedule.name);
            let before = json!(Override { from: gone.from, to: gone.to, kind: gone.kind });
            let entry =
                principal.changed("override.deleted", target, Some(schedule.team), Some(before), None);
            Ok::<_, ApiError>(audit::add(connection, &entry, now).await?)
        })
        .await?;
    Ok(NoContent::new())
}
