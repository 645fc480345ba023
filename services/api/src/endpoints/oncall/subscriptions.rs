//! `/api/v1/schedules/{id}/subscription`: a calendar at an address that a schedule follows. The notifier fetches it; here it is said which. Its address is
//! a secret: it is taken and never shown.

use super::super::named;
use super::{only_of_team, schedules};
use crate::access::Principal;
use crate::openapi::{Accepted, NoContent};
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_model::UserId;
use bugle_store::audit::{self, Target};
use bugle_store::oncall::{self, CalendarUrl, StoredSchedule, Subscribed, Subscription};
use bugle_store::{Connection, Transactions};
use bugle_web::{FieldError, JsonBody, Problem};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// How many names of a calendar somebody can be said to be.
const MAX_PEOPLE: usize = 200;
/// Longest such name, in characters: as long as a calendar's are kept.
const MAX_NAME: usize = 255;

/// Which calendar a schedule is to follow.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewCalendarSubscription")]
pub(in super::super) struct Body {
    /// Where the calendar is: `https`, `http` or `webcal`, up to 2,048 characters, without a name and a password. The one of before when absent.
    url: Option<String>,
    /// Whose events are, by an attendee's address or the title as the calendar writes it; 200 at most. Without an entry it is whoever of the team has that
    /// address, or that name. The ones of before when absent.
    people: Option<BTreeMap<String, UserId>>,
}

impl Body {
    /// The address, if one is given, when all is well.
    fn read(&self) -> Result<Option<CalendarUrl>, ApiError> {
        let mut mistakes = Vec::new();
        let url = self.url.as_deref().map(CalendarUrl::parse).transpose().unwrap_or_else(|message| {
            mistakes.push(FieldError::new("url", message));
            None
        });
        let names = || self.people.iter().flatten().map(|(name, _)| name);
        if names().count() > MAX_PEOPLE {
            mistakes.push(FieldError::new("people", format!("{MAX_PEOPLE} names at most")));
        }
        if names().any(|name| name.chars().count() > MAX_NAME) {
            mistakes.push(FieldError::new("people", format!("names of {MAX_NAME} characters at most")));
        }
        named::refuse(mistakes)?;
        Ok(url)
    }
}

/// `GET …/subscription`
pub(in super::super) async fn get(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<Json<Subscription>, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let schedule = schedules::of(&mut connection, &principal, &id, now).await?;
    Ok(Json(followed(&mut connection, &schedule, now).await?))
}

/// `PUT …/subscription`: what was imported before goes once the calendar was read and it is known who its people are.
pub(in super::super) async fn set(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Json<Subscription>, ApiError> {
    let now = state.clock.now();
    let url = body.read()?;
    let mut connection = state.store.conn().await?;
    let seen = schedules::of(&mut connection, &principal, &id, now).await?;
    let named = body.people.iter().flatten().map(|(name, who)| (format!("people.{name}"), *who)).collect();
    only_of_team(&mut connection, seen.team, named).await?;
    let made = connection
        .transaction(async |connection| {
            let stored = schedules::held(connection, &principal, &id, now).await?;
            let before = oncall::get_subscription(connection, stored.id, now).await?;
            let maker = &principal.actor.name;
            let (url, people) = (url.as_ref(), body.people.as_ref());
            let done = oncall::set_subscription(connection, stored.id, url, people, maker, now).await?;
            if done == Subscribed::Nothing {
                let message = "the schedule follows no calendar yet; say where it is";
                return Err(Problem::invalid_field("url", message).into());
            }
            let made = followed(connection, &stored, now).await?;
            let target = Target::new("schedule", stored.id, &stored.name);
            let mut new = kept(&made);
            // Two addresses at one host look the same otherwise, and neither is shown.
            let moved = before.is_some() && done == Subscribed::Address;
            if let Some(fields) = new.as_object_mut().filter(|_| moved) {
                fields.insert("address".to_owned(), json!("changed"));
            }
            let old = before.as_ref().map(kept);
            let entry = principal.changed("schedule.subscribed", target, Some(stored.team), old, Some(new));
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(made)
        })
        .await?;
    Ok(Json(made))
}

/// `DELETE …/subscription`: what the calendar has put into the schedule ends, since nobody would keep it true.
pub(in super::super) async fn remove(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<NoContent, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    connection
        .transaction(async |connection| {
            let stored = schedules::held(connection, &principal, &id, now).await?;
            let before = followed(connection, &stored, now).await?;
            oncall::remove_subscription(connection, stored.id, now).await?;
            let target = Target::new("schedule", stored.id, &stored.name);
            let old = Some(kept(&before));
            let entry = principal.changed("schedule.unsubscribed", target, Some(stored.team), old, None);
            Ok::<_, ApiError>(audit::add(connection, &entry, now).await?)
        })
        .await?;
    Ok(NoContent::new())
}

/// `POST …/subscription/fetch`: 202; a minute after the last time at the earliest.
pub(in super::super) async fn fetch(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<Accepted<Subscription>, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let schedule = schedules::of(&mut connection, &principal, &id, now).await?;
    oncall::fetch_soon(&mut connection, schedule.id, now).await?;
    Ok(Accepted::of(followed(&mut connection, &schedule, now).await?))
}

/// The calendar that a schedule follows; 404 when it follows none.
async fn followed(
    connection: &mut Connection,
    schedule: &StoredSchedule,
    now: DateTime<Utc>,
) -> Result<Subscription, ApiError> {
    let found = oncall::get_subscription(connection, schedule.id, now).await?;
    found.ok_or_else(|| Problem::not_found("calendar that the schedule follows").into())
}

fn kept(one: &Subscription) -> Value {
    json!({ "host": one.host, "people": one.people, "overrides": one.overrides })
}
