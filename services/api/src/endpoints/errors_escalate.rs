//! `POST /api/error-logging/errors/{id}/escalate/`: raises the priority one step, and tells the destinations. What is
//! critical stays so, and nobody is told.

use super::{issue_change, named};
use crate::access::Principal;
use crate::view::older::ErrorView;
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_model::{IssueSignal, Priority, Signal};
use bugle_store::events::StoredEvent;
use bugle_store::issues::{self, Issue, IssueChange};
use bugle_store::{Transactions, outbox};
use chrono::{DateTime, Utc};
use uuid::Uuid;

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<Json<ErrorView>, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let (seen, event) = named::error(&mut connection, &principal, &id).await?;
    // One transaction: who is told of it can see it.
    let changed = connection
        .transaction(async |connection| {
            // Of two who escalate at once each raises it a step.
            let issue = issues::hold(connection, &principal.scope(), seen.id).await?;
            let issue = issue.ok_or_else(|| named::missing("issue", &seen.short_id()))?;
            let Some(priority) = raised(issue.priority) else { return Ok(issue) };
            let change = IssueChange { priority: Some(priority), ..IssueChange::default() };
            let changed = issue_change::apply(connection, &principal, &issue, &change, now).await?;
            let signal = Signal::IssueEscalated(about(&changed, event.as_ref(), now));
            outbox::add(connection, vec![signal], now).await?;
            Ok::<_, ApiError>(changed)
        })
        .await?;
    Ok(Json(ErrorView::new(changed, event.as_ref())))
}

const fn raised(priority: Priority) -> Option<Priority> {
    match priority {
        Priority::Low => Some(Priority::Medium),
        Priority::Medium => Some(Priority::High),
        Priority::High => Some(Priority::Critical),
        Priority::Critical => None,
    }
}

/// What destinations are told; an issue whose events have had their time has none to name.
fn about(issue: &Issue, event: Option<&StoredEvent>, now: DateTime<Utc>) -> IssueSignal {
    IssueSignal {
        issue: issue.id,
        project: issue.project,
        generation: issue.generation,
        event_id: event.map_or(Uuid::nil(), |stored| stored.event.event_id),
        received_at: now,
        level: issue.level,
        priority: issue.priority,
        environment: event.and_then(|stored| stored.event.environment.clone()),
    }
}
