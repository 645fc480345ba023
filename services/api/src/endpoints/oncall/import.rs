//! `/api/v1/schedules/{id}/import`: the events of a calendar (RFC 5545) as overrides. An import replaces what the one before has made, so a calendar
//! that has changed is imported again.

use super::{only_of_team, schedules};
use crate::access::Principal;
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_model::UserId;
use bugle_schedule::Override;
use bugle_schedule::ical::{self, ImportPlan, ImportRange, Problem as EventProblem, UnknownPerson};
use bugle_schedule::limits::MAX_OVERRIDES;
use bugle_store::audit::{self, Target};
use bugle_store::oncall::{self, Before, PlannedImport, StoredSchedule};
use bugle_store::{Connection, Transactions};
use bugle_web::{Code, JsonBody, Problem};
use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

/// How far ahead events are taken when nothing else is said, in days.
const AHEAD: i64 = 180;
/// How far ahead they can be, in days.
const MAX_AHEAD: i64 = 366;
/// How many left-out events the answer lists.
const LISTED: usize = 100;

/// A calendar to be imported.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CalendarImport")]
pub(in super::super) struct Body {
    /// The text of the calendar. The whole body has 1 MiB at most.
    calendar: String,
    /// Whose events are, by an attendee's address or the title as the calendar writes it. Without an entry it is whoever of the team has that address, or
    /// that name.
    #[serde(default)]
    people: BTreeMap<String, UserId>,
    /// Until when events are taken; 366 days from now at most, 180 days when absent.
    until: Option<DateTime<Utc>>,
    /// Only tells what it would make.
    #[serde(default)]
    dry_run: bool,
}

/// What an import has made, or would make.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ImportedCalendar")]
pub(in super::super) struct View {
    /// Nothing was changed.
    dry_run: bool,
    /// The overrides, in order of their beginning.
    overrides: Vec<Override>,
    /// How many of an import before are gone for it.
    replaced: usize,
    /// Times that are left out because an override that somebody has made names the same person in them, or gives a shift of theirs away.
    conflicts: Vec<Override>,
    /// Events of people whom nobody knows; they are left out. 100 at most.
    unknown: Vec<UnknownPerson>,
    /// Events that cannot be read; they are left out. 100 at most.
    problems: Vec<EventProblem>,
}

/// `POST …/import`
pub(in super::super) async fn run(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Json<View>, ApiError> {
    let now = state.clock.now();
    let Body { calendar, people, until, dry_run } = body;
    let until = until.unwrap_or(now + TimeDelta::days(AHEAD));
    if until <= now || until - now > TimeDelta::days(MAX_AHEAD) {
        let message = format!("in the future, by {MAX_AHEAD} days at most");
        return Err(Problem::invalid_field("until", message).into());
    }
    let mut connection = state.store.conn().await?;
    let seen = schedules::of(&mut connection, &principal, &id, now).await?;
    let named = people.iter().map(|(name, who)| (format!("people.{name}"), *who)).collect();
    only_of_team(&mut connection, seen.team, named).await?;
    let range = ImportRange { zone: seen.schedule.zone, from: now, to: until };
    let imported = tokio::task::spawn_blocking(move || ical::import(&calendar, range)).await;
    let imported = imported.map_err(|error| Problem::internal(&error))?;
    let imported = imported.map_err(|error| Problem::invalid_field("calendar", error.to_string()))?;
    let view = connection
        .transaction(async |connection| {
            let stored = schedules::held(connection, &principal, &id, now).await?;
            refuse_when_followed(connection, &stored, now).await?;
            let planned =
                oncall::plan_import(connection, stored.id, stored.team, &imported, people.clone(), now)
                    .await?;
            let view = View::of(planned, dry_run)?;
            if !dry_run {
                let maker = &principal.actor.name;
                let made = &view.overrides;
                oncall::replace_imported(connection, stored.id, made, maker, Before::Goes, now).await?;
                let target = Target::new("schedule", stored.id, &stored.name);
                let (before, after) =
                    (json!({ "imported": view.replaced }), json!({ "imported": view.overrides.len() }));
                let team = Some(stored.team);
                let entry = principal.changed("schedule.imported", target, team, Some(before), Some(after));
                audit::add(connection, &entry, now).await?;
            }
            Ok::<_, ApiError>(view)
        })
        .await?;
    Ok(Json(view))
}

/// 409 when the schedule follows a calendar: the next fetch would undo what an import makes.
async fn refuse_when_followed(
    connection: &mut Connection,
    stored: &StoredSchedule,
    now: DateTime<Utc>,
) -> Result<(), ApiError> {
    let Some(followed) = oncall::get_subscription(connection, stored.id, now).await? else { return Ok(()) };
    let host = followed.host;
    let detail = format!(
        "the schedule follows the calendar at {host}, which would undo this; end its subscription first"
    );
    Err(Problem::with_detail(Code::Conflict, detail).into())
}

impl View {
    fn of(planned: PlannedImport, dry_run: bool) -> Result<Self, Problem> {
        let PlannedImport { plan, imported, by_hand } = planned;
        let ImportPlan { overrides, conflicts, unknown, mut problems } = plan;
        let count = by_hand + overrides.len();
        if count > MAX_OVERRIDES {
            let message =
                format!("earlier: the schedule would have {count} overrides, and can have {MAX_OVERRIDES}");
            return Err(Problem::invalid_field("until", message));
        }
        problems.truncate(LISTED);
        Ok(Self { dry_run, overrides, replaced: imported, conflicts, unknown, problems })
    }
}
