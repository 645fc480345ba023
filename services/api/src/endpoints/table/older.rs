//! The contract of before, for clients that speak it already.

use super::super::{errors_change, errors_get, errors_list, errors_resolve};
use crate::access::{Endpoint, Need, get, patch, post};

/// `POST /api/error-logging/errors/` captures and is ingest's: the list is mounted for reading only.
pub(super) fn routes() -> Vec<Endpoint> {
    vec![
        get("/api/error-logging/errors", Need::VIEW, errors_list::handler)
            .named("list_errors", "The errors of the older contract.")
            .query(errors_list::PARAMETERS),
        get("/api/error-logging/errors/{id}", Need::VIEW, errors_get::handler)
            .named("get_error", "One error."),
        patch("/api/error-logging/errors/{id}", Need::TRIAGE, errors_change::handler)
            .named("change_error", "Changes status, severity or assignee."),
        post("/api/error-logging/errors/{id}/resolve", Need::TRIAGE, errors_resolve::handler)
            .named("resolve_error", "Resolves an error."),
    ]
}
