//! `PATCH /api/error-logging/errors/{id}/` with `status` or `resolved`, `severity`, `assigned_to`. Other fields are
//! ignored: the contract's clients send back what they got.

use super::assignee::{self, Given};
use super::issue_change::given;
use super::{issue_change, named};
use crate::access::Principal;
use crate::view::older::ErrorView;
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_model::{IssueStatus, Priority};
use bugle_store::issues::IssueChange;
use bugle_web::JsonBody;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Body {
    status: Option<IssueStatus>,
    resolved: Option<bool>,
    severity: Option<Priority>,
    #[serde(default, deserialize_with = "given")]
    assigned_to: Option<Option<Given>>,
}

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Json<ErrorView>, ApiError> {
    let assigned_to = assignee::checked(body.assigned_to)?;
    let resolved = body.resolved.map(|yes| if yes { IssueStatus::Resolved } else { IssueStatus::Unresolved });
    let (status, priority) = (body.status.or(resolved), body.severity);
    let change = IssueChange { status, priority, ..IssueChange::default() };
    apply(&state, &principal, &id, change, assigned_to).await
}

/// Changes the issue that an id names and answers it as it is then.
pub(super) async fn apply(
    state: &State,
    principal: &Principal,
    id: &str,
    mut change: IssueChange,
    assigned_to: Option<Option<Given>>,
) -> Result<Json<ErrorView>, ApiError> {
    let mut connection = state.store.conn().await?;
    let (issue, event) = named::error(&mut connection, principal, id).await?;
    change.assigned_to = match assigned_to {
        Some(Some(given)) => Some(Some(assignee::resolve(&mut connection, principal, &issue, &given).await?)),
        Some(None) => Some(None),
        None => None,
    };
    let changed = issue_change::apply(&mut connection, principal, &issue, &change, state.clock.now()).await?;
    Ok(Json(ErrorView::new(changed, event.as_ref())))
}
