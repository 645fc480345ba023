//! `GET /api/v1/audit/export?format=&actor=&action=&team=&since=&until=`: all entries that the caller sees, streamed, the newest first.

use super::audit;
use super::export::{Export, Format, Line, Part, cell};
use crate::access::Principal;
use crate::openapi::{Parameter, parameter};
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::Data;
use bugle_model::TeamId;
use bugle_store::audit::{Filter, Recorded, list};
use bugle_web::{Params, Problem};
use chrono::{DateTime, Utc};

/// Entries that are read at once.
const ENTRIES: usize = 500;

pub(super) const PARAMETERS: &[Parameter] = &[
    parameter::<Format>("format", "What a line is."),
    parameter::<String>("actor", "Only what this one did: `user`, `user:7`, `token:3`, `system`, or a name."),
    parameter::<String>("action", "Only this action, or those of a noun."),
    parameter::<TeamId>("team", "Only what belongs to this team."),
    parameter::<DateTime<Utc>>("since", "Not before."),
    parameter::<DateTime<Utc>>("until", "Before."),
];

const HEADER: &[&str] = &[
    "id",
    "at",
    "actor_kind",
    "actor_id",
    "actor_name",
    "action",
    "target_kind",
    "target_id",
    "target_name",
    "team",
    "address",
    "before",
    "after",
];

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Export, ApiError> {
    let mut params = Params::of(&request);
    let format = Format::read(&mut params);
    let filter = audit::read(&mut params, &principal);
    params.finish()?;
    let read = move |before: Option<i64>| part(state.clone(), Filter { before, ..filter.clone() });
    Ok(Export::new(format, "audit", HEADER, None, read))
}

async fn part(state: Data<State>, filter: Filter) -> Result<Part<Option<i64>>, ApiError> {
    let mut connection = state.store.conn().await?;
    let found = list(&mut connection, &filter, ENTRIES).await?;
    let full = found.len() == ENTRIES;
    let next = found.last().filter(|_| full).map(|last| Some(last.id));
    let lines = found.into_iter().map(line).collect::<Result<_, ApiError>>()?;
    Ok(Part { lines, next })
}

fn line(entry: Recorded) -> Result<Line, ApiError> {
    let cells = vec![
        entry.id.to_string(),
        entry.at.to_rfc3339(),
        entry.actor.kind.to_string(),
        cell(entry.actor.id),
        entry.actor.name.clone(),
        entry.action.clone(),
        entry.target.kind.clone(),
        entry.target.id.clone(),
        entry.target.name.clone(),
        cell(entry.team),
        entry.address.clone(),
        cell(entry.before.as_ref()),
        cell(entry.after.as_ref()),
    ];
    let json = serde_json::to_value(entry).map_err(|error| Problem::internal(&error))?;
    Ok(Line { json, cells })
}
