//! `PATCH /api/v1/issues/{id}` with `status`, `priority`, `assigned_to`; what is left out stays.

use super::named;
use crate::view::issue::IssueView;
use crate::{ApiError, State};
use actix_web::Responder;
use actix_web::web::{Data, Json, Path};
use bugle_model::{IssueStatus, Priority};
use bugle_store::issues::{self, IssueChange};
use bugle_web::auth::Caller;
use bugle_web::{JsonBody, Problem};
use serde::{Deserialize, Deserializer};

const MAX_ASSIGNEE: usize = 128;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    status: Option<IssueStatus>,
    priority: Option<Priority>,
    /// `null` is nobody; left out is "as it is".
    #[serde(default, deserialize_with = "given")]
    assigned_to: Option<Option<String>>,
}

/// Tells `null` from left out.
pub(super) fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(deserializer).map(Some)
}

/// An assignee, trimmed; an empty one is nobody.
pub(super) fn assignee(given: Option<Option<String>>) -> Result<Option<Option<String>>, Problem> {
    let Some(Some(name)) = given else { return Ok(given) };
    let name = name.trim();
    if name.chars().count() > MAX_ASSIGNEE {
        return Err(Problem::invalid_field("assigned_to", format!("is over {MAX_ASSIGNEE} characters")));
    }
    Ok(Some((!name.is_empty()).then(|| name.to_owned())))
}

pub(super) async fn handler(
    caller: Caller,
    state: Data<State>,
    id: Path<String>,
    JsonBody(body): JsonBody<Body>,
) -> Result<impl Responder, ApiError> {
    let change = IssueChange {
        status: body.status,
        priority: body.priority,
        assigned_to: assignee(body.assigned_to)?,
    };
    let mut connection = state.store.conn().await?;
    let issue = named::issue_id(&mut connection, &id).await?;
    let now = state.clock.now();
    let changed = issues::change(&mut connection, issue, &change, &caller.name, now).await?;
    let changed = changed.ok_or_else(|| named::missing("issue", &id))?;
    tracing::info!(issue = %changed.id, token = caller.name, "issue changed");
    Ok(Json(IssueView::from(changed)))
}
