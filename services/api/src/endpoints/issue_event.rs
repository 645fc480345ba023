//! `GET /api/v1/issues/{id}/events/{event_id}?query=&since=&until=`: one event of an issue, and the way to its
//! neighbours. `first` and `last` stand for ids; with a query, neighbours are those that it finds.

use super::issue_events::filter;
use super::named;
use crate::access::Principal;
use crate::view::event::EventView;
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path};
use bugle_model::IssueId;
use bugle_store::events::{self, EventFilter, Position, StoredEvent};
use bugle_store::{Connection, Scope};
use bugle_web::Params;
use schemars::JsonSchema;
use serde::Serialize;

/// An event with its neighbours, among those that were asked for. Ids are null where there are none within the 2,000 events
/// next to it.
#[derive(Serialize, JsonSchema)]
pub(super) struct EventOfIssue {
    event: EventView,
    /// The oldest.
    first: Option<String>,
    /// The next older one.
    previous: Option<String>,
    /// The next newer one.
    next: Option<String>,
    /// The newest.
    last: Option<String>,
}

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
    path: Path<(String, String)>,
) -> Result<Json<EventOfIssue>, ApiError> {
    let (id, which) = path.into_inner();
    let mut params = Params::of(&request);
    let filter = filter(&mut params, state.clock.now());
    params.finish()?;
    let mut connection = state.store.conn().await?;
    let issue = named::issue(&mut connection, &principal, &id).await?.id;
    let mut walk = Walk { connection: &mut connection, issue, filter: &filter };
    let (first, last) = (walk.step(None, true).await?, walk.step(None, false).await?);
    let event = match which.as_str() {
        "first" => first.clone(),
        "last" => last.clone(),
        text => walk.named(&principal.visible(), text).await?,
    };
    let event = event.ok_or_else(|| named::missing("event", &which))?;
    let at = Position::of(&event);
    let (previous, next) = (walk.step(Some(at), false).await?, walk.step(Some(at), true).await?);
    let id = |event: Option<StoredEvent>| event.map(|event| event.event.event_id.simple().to_string());
    Ok(Json(EventOfIssue {
        event: EventView::new(&event),
        first: id(first),
        previous: id(previous),
        next: id(next),
        last: id(last),
    }))
}

struct Walk<'a> {
    connection: &'a mut Connection,
    issue: IssueId,
    filter: &'a EventFilter,
}

impl Walk<'_> {
    /// The next event that is asked for, from a position or from an end.
    async fn step(&mut self, after: Option<Position>, newer: bool) -> Result<Option<StoredEvent>, ApiError> {
        let found = events::search(self.connection, self.issue, self.filter, after, newer, 1).await?;
        Ok(found.events.into_iter().next())
    }

    async fn named(&mut self, scope: &Scope, text: &str) -> Result<Option<StoredEvent>, ApiError> {
        let id = named::event_id(text)?;
        let found = events::find(self.connection, scope, id, None).await?;
        Ok(found.into_iter().find(|event| event.issue == self.issue))
    }
}
