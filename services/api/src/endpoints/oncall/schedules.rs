//! `/api/v1/schedules`: who is on call when.

use super::super::named;
use super::bookings::{self, DoubleBooking};
use super::{name, only_of_team, room, team};
use crate::access::Principal;
use crate::openapi::{Created, NoContent, Parameter, parameter};
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path};
use bugle_model::{ScheduleId, TeamId, UserId};
use bugle_schedule::{Fairness, Gap, Handoff, Layer, OnCall, Override, Schedule, Shift};
use bugle_store::audit::{self, Target};
use bugle_store::oncall::{self, Named, OfTeam, StoredSchedule};
use bugle_store::{Connection, Transactions};
use bugle_web::{FieldError, JsonBody, Page, Params};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The longest range of a calendar, in days.
const MAX_DAYS: i64 = 366;

pub(in super::super) const AT: &[Parameter] =
    &[parameter::<DateTime<Utc>>("at", "The time that is asked about; now, when absent.")];
pub(in super::super) const RANGE: &[Parameter] = &[
    parameter::<DateTime<Utc>>("from", "The beginning; now, when absent."),
    parameter::<DateTime<Utc>>("to", "The end, 366 days later at most; 30 days later, when absent."),
];

/// A schedule of a team.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "StoredSchedule")]
pub(in super::super) struct View {
    id: ScheduleId,
    team: TeamId,
    name: String,
    /// The IANA name of the zone whose wall clock the layers are read from.
    zone: String,
    layers: Vec<Layer>,
    /// Those that have not ended, in the order in which they are applied.
    overrides: Vec<Override>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<StoredSchedule> for View {
    fn from(stored: StoredSchedule) -> Self {
        let StoredSchedule { id, team, name, schedule, created_at, updated_at } = stored;
        let Schedule { zone, layers, overrides } = schedule;
        Self { id, team, name, zone: zone.name().to_owned(), layers, overrides, created_at, updated_at }
    }
}

/// What a schedule is to be.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewSchedule")]
pub(in super::super) struct Body {
    /// Whose; may be left out by whoever manages one team. Cannot be changed.
    team: Option<TeamId>,
    /// 1 to 64 characters, unique in the team.
    name: String,
    /// The IANA name of a zone, such as `Europe/Vienna`.
    zone: String,
    /// From the bottom up.
    layers: Vec<Layer>,
}

impl Body {
    /// What it says, when all is well. Everybody in it must be of the team.
    async fn checked(
        self,
        connection: &mut Connection,
        team: TeamId,
        overrides: Vec<Override>,
    ) -> Result<(String, Schedule), ApiError> {
        let (name, schedule) = self.read(overrides)?;
        only_of_team(connection, team, participants(&schedule)).await?;
        Ok((name, schedule))
    }

    fn read(self, overrides: Vec<Override>) -> Result<(String, Schedule), ApiError> {
        let mut mistakes = Vec::new();
        let name = name(&self.name).unwrap_or_else(|error| {
            mistakes.push(error);
            String::new()
        });
        let zone = self.zone.parse::<Tz>().unwrap_or_else(|_| {
            mistakes.push(FieldError::new("zone", "is no time zone; expected a name such as Europe/Vienna"));
            Tz::UTC
        });
        let schedule = Schedule { zone, layers: self.layers, overrides };
        if let Err(found) = schedule.check() {
            mistakes.extend(found.into_iter().map(|one| FieldError::new(one.path, one.message)));
        }
        named::refuse(mistakes)?;
        Ok((name, schedule))
    }
}

/// Everybody who takes turns, with the field that names them.
fn participants(schedule: &Schedule) -> Vec<(String, UserId)> {
    let layers = schedule.layers.iter().enumerate();
    let all = layers.flat_map(|(layer, one)| {
        let places = one.participants.iter().enumerate();
        places
            .filter_map(move |(place, who)| Some((format!("layers[{layer}].participants[{place}]"), (*who)?)))
    });
    all.collect()
}

/// `GET /api/v1/schedules`
pub(in super::super) async fn list(
    principal: Principal,
    state: Data<State>,
) -> Result<Json<Page<View>>, ApiError> {
    let mut connection = state.store.conn().await?;
    let found = oncall::list_schedules(&mut connection, &principal.scope(), state.clock.now()).await?;
    Ok(Json(Page::whole(found.into_iter().map(View::from).collect())))
}

/// `POST /api/v1/schedules`
pub(in super::super) async fn create(
    principal: Principal,
    state: Data<State>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Created<View>, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let team = team(&mut connection, &principal, body.team).await?;
    let (name, schedule) = body.checked(&mut connection, team, Vec::new()).await?;
    let made = connection
        .transaction(async |connection| {
            room(connection, team, OfTeam::Schedules).await?;
            let id = oncall::create_schedule(connection, team, &name, &schedule, now).await?;
            let target = Target::new("schedule", id, &name);
            let entry =
                principal.changed("schedule.created", target, Some(team), None, Some(kept(&name, &schedule)));
            audit::add(connection, &entry, now).await?;
            of(connection, &principal, &id.to_string(), now).await
        })
        .await?;
    Ok(Created::of(made.into()))
}

/// `GET /api/v1/schedules/{id}`
pub(in super::super) async fn get(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<Json<View>, ApiError> {
    let mut connection = state.store.conn().await?;
    Ok(Json(of(&mut connection, &principal, &id, state.clock.now()).await?.into()))
}

/// `PUT /api/v1/schedules/{id}`: all of it anew; overrides stay.
pub(in super::super) async fn set(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Json<View>, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let before = of(&mut connection, &principal, &id, now).await?;
    if body.team.is_some_and(|team| team != before.team) {
        named::refuse(vec![FieldError::new("team", "cannot be changed")])?;
    }
    let overrides = before.schedule.overrides.clone();
    let (name, schedule) = body.checked(&mut connection, before.team, overrides).await?;
    let changed = connection
        .transaction(async |connection| {
            oncall::update_schedule(connection, before.id, &name, &schedule, now).await?;
            let target = Target::new("schedule", before.id, &name);
            let (old, new) = (kept(&before.name, &before.schedule), kept(&name, &schedule));
            let entry =
                principal.changed("schedule.updated", target, Some(before.team), Some(old), Some(new));
            audit::add(connection, &entry, now).await?;
            of(connection, &principal, &id, now).await
        })
        .await?;
    Ok(Json(changed.into()))
}

/// `DELETE /api/v1/schedules/{id}`
pub(in super::super) async fn remove(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<NoContent, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let schedule = of(&mut connection, &principal, &id, now).await?;
    connection
        .transaction(async |connection| {
            oncall::delete_schedule(connection, schedule.id).await?;
            let target = Target::new("schedule", schedule.id, &schedule.name);
            let before = Some(kept(&schedule.name, &schedule.schedule));
            let entry = principal.changed("schedule.deleted", target, Some(schedule.team), before, None);
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(())
        })
        .await?;
    Ok(NoContent::new())
}

/// Who is on call at a time, and when that changes.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "OnCallNow")]
pub(in super::super) struct NowView {
    at: DateTime<Utc>,
    /// Nobody, in a gap.
    on_call: Vec<OnCall>,
    /// The next time at which other people come on call.
    next_handoff: Option<Handoff>,
}

/// `GET /api/v1/schedules/{id}/on-call?at=`
pub(in super::super) async fn on_call(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<Json<NowView>, ApiError> {
    let now = state.clock.now();
    let mut params = Params::of(&request);
    let at = time(&mut params, "at").unwrap_or(now);
    params.finish()?;
    let mut connection = state.store.conn().await?;
    let schedule = of(&mut connection, &principal, &id, at.min(now)).await?.schedule;
    let (on_call, next_handoff) = (schedule.on_call_at(at), schedule.next_handoff(at));
    Ok(Json(NowView { at, on_call, next_handoff }))
}

/// The final calendar of a schedule.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ScheduleCalendar")]
pub(in super::super) struct Calendar {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    shifts: Vec<Shift>,
    /// When nobody is on call; not in the past.
    gaps: Vec<Gap>,
    /// When people of it are on call by another schedule of the team too; not in the past, within the first 62 days, 100 at most.
    double_bookings: Vec<DoubleBooking>,
}

/// `GET /api/v1/schedules/{id}/calendar?from=&to=`
pub(in super::super) async fn calendar(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<Json<Calendar>, ApiError> {
    let now = state.clock.now();
    let (from, to) = range(&request, now)?;
    let mut connection = state.store.conn().await?;
    let stored = of(&mut connection, &principal, &id, from.min(now)).await?;
    let double_bookings = bookings::of(&mut connection, &stored, (from.max(now), to)).await?;
    let schedule = stored.schedule;
    let (shifts, gaps) = (schedule.shifts(from, to), schedule.gaps(from, to, now));
    Ok(Json(Calendar { from, to, shifts, gaps, double_bookings }))
}

/// `GET /api/v1/schedules/{id}/fairness?from=&to=`
pub(in super::super) async fn fairness(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<Json<Fairness>, ApiError> {
    let now = state.clock.now();
    let (from, to) = range(&request, now)?;
    let mut connection = state.store.conn().await?;
    let schedule = of(&mut connection, &principal, &id, from.min(now)).await?.schedule;
    let people: BTreeSet<UserId> = schedule.shifts(from, to).iter().map(|shift| shift.who).collect();
    let people = oncall::names_of(&mut connection, &people.into_iter().collect::<Vec<_>>()).await?;
    let zone = |one: Named| Some((one.id, one.time_zone.parse().ok()?));
    let zones: BTreeMap<UserId, Tz> = people.into_iter().filter_map(zone).collect();
    Ok(Json(schedule.fairness(from, to, &zones)))
}

/// The range that is asked about.
fn range(request: &HttpRequest, now: DateTime<Utc>) -> Result<(DateTime<Utc>, DateTime<Utc>), ApiError> {
    let mut params = Params::of(request);
    let from = time(&mut params, "from").unwrap_or(now);
    let to = time(&mut params, "to").unwrap_or(from + TimeDelta::days(30));
    if to <= from || to - from > TimeDelta::days(MAX_DAYS) {
        params.complain("to", format!("later than from, by {MAX_DAYS} days at most"));
    }
    params.finish()?;
    Ok((from, to))
}

/// The time that a parameter says.
pub(super) fn time(params: &mut Params, name: &str) -> Option<DateTime<Utc>> {
    params.optional(name, "a time such as 2026-03-01T09:00:00Z", |text| {
        DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc())
    })
}

/// The schedule in a path, with the overrides that end after `now`, when the caller sees it and may do with it what the route does.
pub(super) async fn of(
    connection: &mut Connection,
    principal: &Principal,
    id: &str,
    now: DateTime<Utc>,
) -> Result<StoredSchedule, ApiError> {
    let found = match id.parse() {
        Ok(number) => oncall::get_schedule(connection, &principal.visible(), number, now).await?,
        Err(_) => None,
    };
    let found = found.ok_or_else(|| named::missing("schedule", id))?;
    principal.allowed(Some(found.team))?;
    Ok(found)
}

/// The same, held until the end of the caller's transaction, so that of two who make overrides at once the second sees the first one's.
pub(super) async fn held(
    connection: &mut Connection,
    principal: &Principal,
    id: &str,
    now: DateTime<Utc>,
) -> Result<StoredSchedule, ApiError> {
    let seen = of(connection, principal, id, now).await?;
    oncall::lock_schedule(connection, seen.id).await?;
    of(connection, principal, id, now).await
}

fn kept(name: &str, schedule: &Schedule) -> Value {
    json!({ "name": name, "zone": schedule.zone.name(), "layers": schedule.layers })
}
