//! An error of the older contract: an issue with what its latest event (or the one asked for) says.

use super::stack_trace;
use bugle_model::{IssueId, IssueStatus, Priority};
use bugle_store::events::StoredEvent;
use bugle_store::issues::Issue;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

/// An error.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct ErrorView {
    id: IssueId,
    service: String,
    severity: Priority,
    error_type: Option<String>,
    message: String,
    stack_trace: Option<String>,
    environment: Option<String>,
    status: IssueStatus,
    resolved: bool,
    assigned_to: Option<String>,
    occurrences: i64,
    first_seen: DateTime<Utc>,
    last_seen: DateTime<Utc>,
    created_at: DateTime<Utc>,
}

impl ErrorView {
    /// An error from its issue and one of its events; without one (its time is over) the issue has to do.
    pub(crate) fn new(issue: Issue, stored: Option<&StoredEvent>) -> Self {
        let event = stored.map(|stored| &stored.event);
        let raised =
            event.and_then(|event| event.exceptions.last()).and_then(|exception| exception.value.clone());
        let logged =
            || event.and_then(|event| event.message.as_ref()).map(|message| message.text().to_owned());
        Self {
            id: issue.id,
            service: issue.project_name,
            severity: issue.priority,
            error_type: issue.error_type,
            message: raised.or_else(logged).filter(|text| !text.is_empty()).unwrap_or(issue.title),
            stack_trace: event.and_then(stack_trace::render),
            environment: event.and_then(|event| event.environment.clone()),
            status: issue.status,
            resolved: issue.status == IssueStatus::Resolved,
            assigned_to: issue.assigned_to,
            occurrences: issue.count,
            first_seen: issue.first_seen,
            last_seen: issue.last_seen,
            created_at: issue.first_seen,
        }
    }
}
