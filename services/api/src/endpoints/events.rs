//! `GET /api/v1/events?trace=&limit=`: the events of one trace, across projects.

use crate::access::Principal;
use crate::openapi::{LIMIT, Parameter, required};
use crate::view::event::EventView;
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use bugle_model::parse_event_id;
use bugle_store::events;
use bugle_web::Params;
use schemars::JsonSchema;
use serde::Serialize;

/// The parameters.
pub(super) const PARAMETERS: &[Parameter] =
    &[required::<String>("trace", "The trace's id, 32 hex digits."), LIMIT];

/// The events of a trace.
#[derive(Serialize, JsonSchema)]
pub(super) struct Traced {
    /// Those that the caller may see, the newest first.
    items: Vec<EventView>,
    /// How many there are besides, in projects of teams that the caller is not in.
    hidden: usize,
    /// There are more than these; of a trace the newest 1,000 are looked at.
    more: bool,
}

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Json<Traced>, ApiError> {
    let mut params = Params::of(&request);
    let trace = params.required("trace", "a trace's id: 32 hex digits", parse_event_id);
    let limit = params.limit();
    params.finish()?;
    let Some(trace) = trace else {
        return Ok(Json(Traced { items: Vec::new(), hidden: 0, more: false }));
    };
    let mut connection = state.store.conn().await?;
    let found = events::of_trace(&mut connection, &principal.scope(), trace, limit).await?;
    let items = found.events.iter().map(EventView::new).collect();
    Ok(Json(Traced { items, hidden: found.hidden, more: found.more }))
}
