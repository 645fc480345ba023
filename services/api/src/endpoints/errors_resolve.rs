//! `POST /api/error-logging/errors/{id}/resolve/`

use super::errors_change::apply;
use crate::access::Principal;
use crate::view::older::ErrorView;
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_model::IssueStatus;
use bugle_store::issues::IssueChange;

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<Json<ErrorView>, ApiError> {
    let change = IssueChange { status: Some(IssueStatus::Resolved), ..IssueChange::default() };
    apply(&state, &principal, &id, change, None).await
}
