//! The contract of before, for clients that speak it already.

use super::super::{
    developers, errors_assign, errors_change, errors_critical, errors_escalate, errors_get, errors_list,
    errors_resolve, errors_stats, notifications,
};
use crate::access::{Endpoint, Need, get, patch, post};
use crate::openapi::{CURSOR, LIMIT};
use bugle_web::Code;

/// `POST /api/error-logging/errors/` captures and is ingest's: the list is mounted for reading only.
pub(super) fn routes() -> Vec<Endpoint> {
    vec![
        get("/api/error-logging/errors", Need::VIEW, errors_list::handler)
            .named("list_errors", "The errors of the older contract.")
            .query(errors_list::PARAMETERS),
        get("/api/error-logging/errors/critical", Need::VIEW, errors_critical::handler)
            .named("list_critical_errors", "Unresolved errors that are critical.")
            .query(errors_critical::PARAMETERS),
        get("/api/error-logging/errors/stats", Need::VIEW, errors_stats::handler).named(
            "get_error_stats",
            "How many errors there are, by level, severity, service, status and day.",
        ),
        get("/api/error-logging/errors/{id}", Need::VIEW, errors_get::handler)
            .named("get_error", "One error."),
        patch("/api/error-logging/errors/{id}", Need::TRIAGE, errors_change::handler)
            .named("change_error", "Changes status, severity or assignee."),
        post("/api/error-logging/errors/{id}/resolve", Need::TRIAGE, errors_resolve::handler)
            .named("resolve_error", "Resolves an error."),
        post("/api/error-logging/errors/{id}/assign", Need::TRIAGE, errors_assign::handler)
            .named("assign_error", "Assigns an error to somebody, or to nobody."),
        post("/api/error-logging/errors/{id}/escalate", Need::TRIAGE, errors_escalate::handler)
            .named("escalate_error", "Raises an error's severity one step, and tells the destinations."),
        get("/api/error-logging/developers", Need::VIEW, developers::list)
            .named("list_developers", "The people that errors can be assigned to.")
            .query(&[LIMIT, CURSOR]),
        get("/api/error-logging/developers/workload", Need::VIEW, developers::workload)
            .named("get_workload", "How many unresolved errors everybody has, by severity."),
        get("/api/error-logging/notifications", Need::VIEW, notifications::handler)
            .named("list_error_notifications", "What was told to whom, the newest first.")
            .query(notifications::PARAMETERS)
            .fails(&[Code::NotFound]),
    ]
}
