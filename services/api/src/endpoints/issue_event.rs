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

/// An event with its neighbours, among those that were asked for. Ids are null where there are none within the events that
/// are looked at: 1,000 for all of them together.
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
    let mut walk =
        Walk { connection: &mut connection, issue, filter: &filter, left: 4, budget: events::MOST_SEARCHED };
    // At an end of the list, one neighbour is found with it, and there is no other.
    let (from_first, from_last) =
        (walk.steps(None, true, which == "first").await?, walk.steps(None, false, which == "last").await?);
    let event = match which.as_str() {
        "first" => from_first.first().cloned(),
        "last" => from_last.first().cloned(),
        text => walk.named(&principal.visible(), text).await?,
    };
    let event = event.ok_or_else(|| named::missing("event", &which))?;
    let at = Some(Position::of(&event));
    let (previous, next) = match which.as_str() {
        "first" => (None, from_first.get(1).cloned()),
        "last" => (from_last.get(1).cloned(), None),
        _ => (walk.step(at, false).await?, walk.step(at, true).await?),
    };
    let (first, last) = (from_first.into_iter().next(), from_last.into_iter().next());
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
    /// Steps that are still to come, and the events that they may look at together.
    left: usize,
    budget: usize,
}

impl Walk<'_> {
    /// The next event that is asked for, from a position.
    async fn step(&mut self, after: Option<Position>, newer: bool) -> Result<Option<StoredEvent>, ApiError> {
        Ok(self.steps(after, newer, false).await?.into_iter().next())
    }

    /// The next event that is asked for, or two, from a position or from an end.
    async fn steps(
        &mut self,
        after: Option<Position>,
        newer: bool,
        two: bool,
    ) -> Result<Vec<StoredEvent>, ApiError> {
        let limit = 1 + usize::from(two);
        let share = self.budget * limit / self.left.max(1);
        let found =
            events::search(self.connection, self.issue, self.filter, after, newer, limit, share).await?;
        self.left = self.left.saturating_sub(limit);
        self.budget = self.budget.saturating_sub(found.searched);
        Ok(found.events)
    }

    async fn named(&mut self, scope: &Scope, text: &str) -> Result<Option<StoredEvent>, ApiError> {
        let id = named::event_id(text)?;
        let found = events::find(self.connection, scope, id, None).await?;
        Ok(found.into_iter().find(|event| event.issue == self.issue))
    }
}
