//! `PATCH /api/v1/issues/{id}` with `status`, `resolved_in`, `ignore_until`, `priority`, `assigned_to`; what is left out
//! stays.

use super::assignee::{self, Given};
use super::{ignoring, issue_resolution, named};
use crate::access::Principal;
use crate::view::issue::IssueView;
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_model::{IssueStatus, Priority};
use bugle_store::audit::{self, Target};
use bugle_store::issues::{self, IgnoreUntil, Issue, IssueChange, Resolution};
use bugle_store::{Connection, Transactions};
use bugle_web::JsonBody;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

/// What is to be different.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    /// Where it stands.
    pub(super) status: Option<IssueStatus>,
    /// With the status `resolved`: what resolves it, when it is not simply resolved.
    pub(super) resolved_in: Option<Resolution>,
    /// With the status `ignored`: until when; without it, for ever.
    pub(super) ignore_until: Option<IgnoreUntil>,
    /// The priority.
    pub(super) priority: Option<Priority>,
    /// `null` is nobody; left out is "as it is".
    #[serde(default, deserialize_with = "given")]
    pub(super) assigned_to: Option<Option<Given>>,
}

impl Body {
    /// Checks what can be checked without the database.
    pub(super) fn checked(mut self, now: DateTime<Utc>) -> Result<Self, ApiError> {
        ignoring::check(self.status, self.ignore_until, now)?;
        self.assigned_to = assignee::checked(self.assigned_to)?;
        Ok(self)
    }

    /// What it is for an issue.
    pub(super) async fn change(
        &self,
        connection: &mut Connection,
        principal: &Principal,
        issue: &Issue,
    ) -> Result<IssueChange, ApiError> {
        let assigned_to = match &self.assigned_to {
            Some(Some(given)) => Some(Some(assignee::resolve(connection, principal, issue, given).await?)),
            Some(None) => Some(None),
            None => None,
        };
        let (status, resolution) =
            issue_resolution::understood(connection, issue, self.status, self.resolved_in.clone()).await?;
        let Self { ignore_until, priority, .. } = *self;
        Ok(IssueChange { status, resolution, ignore_until, priority, assigned_to })
    }
}

/// Tells `null` from left out.
pub(super) fn given<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Json<IssueView>, ApiError> {
    let body = body.checked(state.clock.now())?;
    let mut connection = state.store.conn().await?;
    let issue = named::issue(&mut connection, &principal, &id).await?;
    let change = body.change(&mut connection, &principal, &issue).await?;
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

/// What the audit log keeps of it.
pub(super) fn kept(issue: &Issue) -> Value {
    let Issue { status, priority, assigned_to, assigned_user, assigned_team, ignore_until, .. } = issue;
    let mut kept = json!({ "status": status, "priority": priority, "assigned_to": assigned_to });
    let more = [
        ("resolved_in", json!(issue.resolved_in)),
        ("assigned_user", json!(assigned_user)),
        ("assigned_team", json!(assigned_team)),
        ("ignore_until", json!(ignore_until)),
    ];
    if let Some(kept) = kept.as_object_mut() {
        kept.extend(
            more.into_iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| (key.to_owned(), value)),
        );
    }
    kept
}
