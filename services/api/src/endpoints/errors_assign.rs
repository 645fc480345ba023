//! `POST /api/error-logging/errors/{id}/assign/` with `assigned_to`; null or an empty one is nobody. Other fields are
//! ignored.

use super::assignee::{self, Given};
use super::errors_change::apply;
use super::issue_change::given;
use crate::access::Principal;
use crate::view::older::ErrorView;
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_store::issues::IssueChange;
use bugle_web::{JsonBody, Problem};
use schemars::JsonSchema;
use serde::Deserialize;

/// Who is to deal with it.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Body {
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
    if assigned_to.is_none() {
        return Err(Problem::invalid_field("assigned_to", "is missing: a name, or null for nobody").into());
    }
    apply(&state, &principal, &id, IssueChange::default(), assigned_to).await
}
