//! `PATCH /api/v1/issues/{id}` with `status`, `resolved_in`, `priority`, `assigned_to`; what is left out stays.

use super::{issue_resolution, named};
use crate::access::Principal;
use crate::view::issue::IssueView;
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_model::{IssueStatus, Priority};
use bugle_store::audit::{self, Target};
use bugle_store::issues::{self, Issue, IssueChange, Resolution};
use bugle_store::{Connection, Transactions};
use bugle_web::{JsonBody, Problem};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

const MAX_ASSIGNEE: usize = 128;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    status: Option<IssueStatus>,
    /// With the status `resolved`: what resolves it, when it is not simply resolved.
    resolved_in: Option<Resolution>,
    priority: Option<Priority>,
    /// `null` is nobody; left out is "as it is".
    #[serde(default, deserialize_with = "given")]
    assigned_to: Option<Option<String>>,
}

/// Tells `null` from left out.
pub(super) fn given<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
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
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Json<IssueView>, ApiError> {
    let assigned_to = assignee(body.assigned_to)?;
    let mut connection = state.store.conn().await?;
    let issue = named::issue(&mut connection, &principal, &id).await?;
    let (status, resolution) =
        issue_resolution::understood(&mut connection, &issue, body.status, body.resolved_in).await?;
    let change = IssueChange { status, resolution, priority: body.priority, assigned_to };
    let changed = apply(&mut connection, &principal, &issue, &change, state.clock.now()).await?;
    Ok(Json(IssueView::from(changed)))
}

/// Changes an issue that was looked up for the caller, and records what is different then.
pub(super) async fn apply(
    connection: &mut Connection,
    principal: &Principal,
    issue: &Issue,
    change: &IssueChange,
    now: DateTime<Utc>,
) -> Result<Issue, ApiError> {
    connection
        .transaction(async |connection| {
            let changed =
                issues::change(connection, &principal.scope(), issue.id, change, &principal.actor.name, now)
                    .await?;
            let changed = changed.ok_or_else(|| named::missing("issue", &issue.short_id()))?;
            let (before, after) = (kept(issue), kept(&changed));
            if before != after {
                let target = Target::new("issue", changed.id, &changed.short_id());
                let entry =
                    principal.changed("issue.updated", target, changed.team, Some(before), Some(after));
                audit::add(connection, &entry, now).await?;
            }
            Ok(changed)
        })
        .await
}

fn kept(issue: &Issue) -> Value {
    json!({ "status": issue.status, "resolved_in": issue.resolved_in, "priority": issue.priority, "assigned_to": issue.assigned_to })
}
