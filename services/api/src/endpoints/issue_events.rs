//! `GET /api/v1/issues/{id}/events?query=&since=&until=&limit=&cursor=`, the newest first.

use super::{issue_search, named};
use crate::access::Principal;
use crate::openapi::{CURSOR, LIMIT, Parameter, parameter};
use crate::view::event::EventView;
use crate::{ApiError, State, query};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path};
use bugle_store::events::{self, EventFilter, Position};
use bugle_web::{Cursor, Params};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

/// What only events of an issue are asked for.
pub(super) const FILTER: [Parameter; 3] = [
    parameter::<String>("query", "Only what it finds: tags, level, user, trace, has, age, words."),
    parameter::<DateTime<Utc>>("since", "Only what was received at or after this time."),
    parameter::<DateTime<Utc>>("until", "Only what was received at or before this time."),
];
/// The parameters of the list.
pub(super) const PARAMETERS: &[Parameter] = &[FILTER[0], FILTER[1], FILTER[2], LIMIT, CURSOR];

/// A page of events.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "EventPage")]
pub(super) struct Events {
    /// The events, the newest first.
    items: Vec<EventView>,
    /// What `cursor` gives the next part; null when this was the last. A search looks at 1,000 events at a time, so that a
    /// page may have few items, or none, and still a next one.
    next: Option<String>,
    /// How many events were looked at.
    searched: usize,
}

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<Json<Events>, ApiError> {
    let mut params = Params::of(&request);
    let filter = filter(&mut params, state.clock.now());
    let limit = params.limit();
    let after: Option<Position> = params.cursor();
    params.finish()?;
    let mut connection = state.store.conn().await?;
    let issue = named::issue(&mut connection, &principal, &id).await?;
    let budget = events::MOST_SEARCHED;
    let found = events::search(&mut connection, issue.id, &filter, after, false, limit, budget).await?;
    Ok(Json(Events {
        items: found.events.iter().map(EventView::new).collect(),
        next: found.next.map(|position| Cursor::encode(&position)),
        searched: found.searched,
    }))
}

/// Takes what events are asked for; mistakes are noted there.
pub(super) fn filter(params: &mut Params, now: DateTime<Utc>) -> EventFilter {
    let text = params.text("query").unwrap_or_default();
    let mut filter = query::of_events(&text, now).unwrap_or_else(|errors| {
        issue_search::complain(params, errors);
        EventFilter::default()
    });
    let time = |text: &str| DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc());
    if let Some(since) = params.optional("since", "a time such as 2026-11-28T09:00:00Z", time) {
        filter.received.narrow(">=", since);
    }
    if let Some(until) = params.optional("until", "a time such as 2026-11-28T09:00:00Z", time) {
        filter.received.narrow("<=", until);
    }
    filter
}
