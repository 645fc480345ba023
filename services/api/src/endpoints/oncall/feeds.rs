//! `/api/v1/schedules/{id}/feed`: a secret link to a schedule as an iCalendar (RFC 5545), and `/api/v1/calendars/{token}`, where
//! calendar programs read it. They cannot sign in; the link shows what whoever made it may see at that moment.

use super::super::named;
use super::schedules::of;
use crate::access::{Need, Principal, address_of};
use crate::accounts::links::page;
use crate::openapi::{Created, Media, NoContent, Raw};
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::http::header::{CACHE_CONTROL, HeaderName, HeaderValue};
use actix_web::web::{Data, Path};
use bugle_model::UserId;
use bugle_schedule::ical::Feed;
use bugle_store::audit::{self, Target};
use bugle_store::oncall::{self, ScheduleFeed};
use bugle_store::{Scope, Transactions, users};
use bugle_web::{Code, JsonBody, auth};
use chrono::{DateTime, Datelike, Days, Months, NaiveTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");
/// How far ahead a calendar goes, in days.
const AHEAD: u64 = 365;

/// What a link is to show.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewScheduleFeed")]
pub(in super::super) struct Body {
    /// Only one's own shifts.
    #[serde(default)]
    only_mine: bool,
}

/// A link; it is told this once.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ScheduleFeed")]
pub(in super::super) struct Link {
    /// What a calendar program subscribes to.
    url: String,
    /// Only one's own shifts.
    only_mine: bool,
    /// When it was made.
    created_at: DateTime<Utc>,
}

/// A schedule as a calendar.
pub(in super::super) struct Calendar;

impl Media for Calendar {
    const TYPES: &'static [&'static str] = &["text/calendar; charset=utf-8"];
}

/// `POST …/feed`: ends one's link of before.
pub(in super::super) async fn create(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Created<Link>, ApiError> {
    let now = state.clock.now();
    let user = principal.session()?.active.user.id;
    let mut connection = state.store.conn().await?;
    let schedule = of(&mut connection, &principal, &id, now).await?;
    let token = auth::new_secret();
    let feed = ScheduleFeed { schedule: schedule.id, user, only_mine: body.only_mine };
    connection
        .transaction(async |connection| {
            oncall::set_feed(connection, feed, &auth::hash(&token), now).await?;
            let target = Target::new("schedule", schedule.id, &schedule.name);
            let entry = principal.did("schedule.feed_made", target, Some(schedule.team));
            Ok::<_, ApiError>(audit::add(connection, &entry, now).await?)
        })
        .await?;
    let url = page(&state.config.public_url, &format!("api/v1/calendars/{token}"));
    Ok(Created::of(Link { url, only_mine: feed.only_mine, created_at: now }).uncached())
}

/// `DELETE …/feed`
pub(in super::super) async fn remove(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<NoContent, ApiError> {
    let now = state.clock.now();
    let user = principal.session()?.active.user.id;
    let mut connection = state.store.conn().await?;
    let schedule = of(&mut connection, &principal, &id, now).await?;
    connection
        .transaction(async |connection| {
            if oncall::remove_feed(connection, schedule.id, user).await? {
                let target = Target::new("schedule", schedule.id, &schedule.name);
                let entry = principal.did("schedule.feed_removed", target, Some(schedule.team));
                audit::add(connection, &entry, now).await?;
            }
            Ok::<_, ApiError>(())
        })
        .await?;
    Ok(NoContent::new())
}

/// `GET /api/v1/calendars/{token}`: from the beginning of the last month on, a year ahead.
pub(in super::super) async fn show(
    state: Data<State>,
    request: HttpRequest,
    token: Path<String>,
) -> Result<Raw<Calendar>, ApiError> {
    let now = state.clock.now();
    let gone = || ApiError::from(named::missing("calendar", "…"));
    let mut connection = state.store.conn().await?;
    let feed = oncall::find_feed(&mut connection, &auth::hash(&token)).await?.ok_or_else(gone)?;
    let user = users::get(&mut connection, &Scope::All, feed.user).await?.ok_or_else(gone)?;
    let principal =
        Principal::of_person(&user, address_of(&state, &request), Need::VIEW).map_err(|_| gone())?;
    let from = last_month(now);
    let id = feed.schedule.to_string();
    let stored = match of(&mut connection, &principal, &id, from).await {
        // What its owner does not see any more.
        Err(ApiError::Problem(problem)) if matches!(problem.code, Code::NotFound | Code::Forbidden) => {
            return Err(gone());
        }
        found => found?,
    };
    let mut shifts = stored.schedule.shifts(from, now + Days::new(AHEAD));
    shifts.retain(|shift| !feed.only_mine || shift.who == feed.user);
    let people: BTreeSet<UserId> = shifts.iter().map(|shift| shift.who).collect();
    let named = oncall::names_of(&mut connection, &people.into_iter().collect::<Vec<_>>()).await?;
    let people: BTreeMap<UserId, String> = named.into_iter().map(|one| (one.id, one.name)).collect();
    let host = state.config.public_url.host_str().unwrap_or("bugle");
    let id = format!("schedule-{}@{host}", stored.id);
    let text = Feed { name: &stored.name, id: &id, people: &people }.write(&shifts, now);
    Ok(Raw::new("text/calendar; charset=utf-8", text)
        .header(CACHE_CONTROL, HeaderValue::from_static("private, no-store"))
        .header(ROBOTS, HeaderValue::from_static("noindex")))
}

/// A fixed instant for a month: an event whose beginning is cut is another one.
fn last_month(now: DateTime<Utc>) -> DateTime<Utc> {
    let day = now.date_naive();
    let first = day.with_day(1).unwrap_or(day);
    first.checked_sub_months(Months::new(1)).unwrap_or(first).and_time(NaiveTime::MIN).and_utc()
}
