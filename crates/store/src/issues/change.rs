//! What people change about an issue.

use super::resolution::{Resolution, gave_up, resolve};
use super::{Assignee, IgnoreUntil, Issue, get, ignore};
use crate::activity::{self, NewActivity};
use crate::{Connection, Scope, StoreError, outbox, statement};
use bugle_model::{IssueId, IssueStatus, Priority, ProjectId, Signal};
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, SmallInt, Text, Timestamptz};
use diesel_async::{AsyncConnection, RunQueryDsl};
use serde_json::{Value, json};

/// What is to be different; `None` leaves it as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IssueChange {
    /// Where it stands.
    pub status: Option<IssueStatus>,
    /// What resolves it, in place of a status.
    pub resolution: Option<Resolution>,
    /// The priority; chosen by a person, so that counts no longer raise it.
    pub priority: Option<Priority>,
    /// What it is ignored until; counts only together with the status `ignored`, which alone is for ever.
    pub ignore_until: Option<IgnoreUntil>,
    /// Who deals with it; `Some(None)` is nobody.
    pub assigned_to: Option<Option<Assignee>>,
}

#[derive(QueryableByName)]
struct Changed {
    #[diesel(sql_type = Integer)]
    project_id: i32,
    #[diesel(sql_type = SmallInt)]
    status_before: i16,
    #[diesel(sql_type = SmallInt)]
    status: i16,
    #[diesel(sql_type = SmallInt)]
    priority_before: i16,
    #[diesel(sql_type = SmallInt)]
    priority: i16,
    #[diesel(sql_type = Nullable<Text>)]
    assigned_before: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    assigned_to: Option<String>,
    /// The commit that it was to be resolved by, and waits for no longer.
    #[diesel(sql_type = Nullable<Text>)]
    waited_for: Option<String>,
}

impl Changed {
    fn activity(&self, issue: IssueId) -> Vec<NewActivity> {
        let status = |code| IssueStatus::from_code(code).map(IssueStatus::as_str);
        let priority = |code| Priority::from_code(code).map(Priority::as_str);
        let pairs: [(&'static str, Value, Value); 3] = [
            ("status", json!(status(self.status_before)), json!(status(self.status))),
            ("priority", json!(priority(self.priority_before)), json!(priority(self.priority))),
            ("assigned", json!(self.assigned_before), json!(self.assigned_to)),
        ];
        let mut happened = Vec::new();
        for (kind, from, to) in pairs {
            let waited_for = self.waited_for.as_deref().filter(|_| kind == "status");
            if from != to || waited_for.is_some() {
                let new = NewActivity { issue, kind, data: json!({ "from": from, "to": to }) };
                happened.push(gave_up(new, waited_for));
            }
        }
        happened
    }
}

/// Changes an issue of a scope, writes down that `actor` did it, and tells the others with `issue.changed`, in one transaction. The
/// issue afterwards; `None` when there is none. A change that changes nothing tells nobody.
///
/// # Errors
/// When the database fails.
pub async fn change(
    connection: &mut Connection,
    scope: &Scope,
    id: IssueId,
    change: &IssueChange,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<Option<Issue>, StoreError> {
    connection
        .transaction(async |connection| {
            let mut happened = Vec::new();
            let mut project = None;
            if let Some(resolution) = &change.resolution
                && let Some(resolved) = resolve(connection, scope, id, resolution, now).await?
            {
                happened.push(resolved.activity(id, resolution));
                project = Some(ProjectId(resolved.project_id));
            }
            if let Some(changed) = update(connection, scope, id, change, now).await? {
                happened.extend(changed.activity(id));
                project = Some(ProjectId(changed.project_id));
            }
            if let Some(ignored) = ignore::follow(connection, scope, id, change, now).await? {
                ignored.tell(id, &mut happened);
                project = Some(ignored.project);
            }
            if let Some(project) = project {
                activity::add(connection, Some(actor), &happened, now).await?;
                outbox::add(connection, vec![Signal::IssueChanged { issue: id, project }], now).await?;
            }
            get(connection, scope, id).await
        })
        .await
}

/// Resolving remembers the project's newest release: events of older ones do not reopen the issue.
async fn update(
    connection: &mut Connection,
    scope: &Scope,
    id: IssueId,
    change: &IssueChange,
    now: DateTime<Utc>,
) -> Result<Option<Changed>, StoreError> {
    let assignee = change.assigned_to.as_ref().and_then(Option::as_ref);
    let rows: Vec<Changed> = statement(
        "UPDATE issues i SET
             status = coalesce($2, i.status),
             resolved_at = CASE WHEN $2 IS NULL OR $2 = i.status THEN i.resolved_at WHEN $2 = 1 THEN $6 END,
             resolved_release_id = CASE
                 WHEN $2 IS NULL OR $2 = i.status THEN i.resolved_release_id
                 WHEN $2 = 1 THEN bugle_newest_release(i.project_id)
             END,
             resolution = CASE WHEN $2 IS NULL OR $2 = i.status THEN i.resolution ELSE 0 END,
             resolved_commit = CASE WHEN $2 IS NULL OR ($2 = 1 AND i.status = 1) THEN i.resolved_commit END,
             priority = coalesce($3, i.priority),
             priority_chosen = i.priority_chosen OR $3 IS NOT NULL,
             assigned_to = CASE WHEN $4 THEN $5 ELSE i.assigned_to END,
             assigned_user_id = CASE WHEN $4 THEN $8 ELSE i.assigned_user_id END,
             assigned_team_id = CASE WHEN $4 THEN $9 ELSE i.assigned_team_id END
         FROM (SELECT id, status, priority, assigned_to, resolved_commit FROM issues WHERE id = $1
               FOR NO KEY UPDATE) b
         WHERE i.id = b.id
           AND ($7 IS NULL OR EXISTS (SELECT 1 FROM projects p WHERE p.id = i.project_id AND p.team_id = ANY ($7)))
           AND (coalesce($2, i.status) <> i.status
                OR ($2 <> 1 AND i.resolved_commit IS NOT NULL)
                OR coalesce($3, i.priority) <> i.priority
                OR ($3 IS NOT NULL AND NOT i.priority_chosen)
                OR ($4 AND ($5, $8, $9) IS DISTINCT FROM (i.assigned_to, i.assigned_user_id, i.assigned_team_id)))
         RETURNING i.project_id, b.status AS status_before, i.status, b.priority AS priority_before, i.priority,
                   b.assigned_to AS assigned_before, i.assigned_to,
                   CASE WHEN b.status <> 1 AND i.resolved_commit IS NULL THEN b.resolved_commit END AS waited_for",
    )
    .bind::<BigInt, _>(id.0)
    .bind::<Nullable<SmallInt>, _>(change.status.map(IssueStatus::code))
    .bind::<Nullable<SmallInt>, _>(change.priority.map(Priority::code))
    .bind::<Bool, _>(change.assigned_to.is_some())
    .bind::<Nullable<Text>, _>(assignee.map(|assignee| assignee.name.as_str()))
    .bind::<Timestamptz, _>(now)
    .bind::<Nullable<Array<Integer>>, _>(scope.bind())
    .bind::<Nullable<Integer>, _>(assignee.and_then(|assignee| assignee.user).map(|user| user.0))
    .bind::<Nullable<Integer>, _>(assignee.and_then(|assignee| assignee.team).map(|team| team.0))
    .load(connection)
    .await?;
    Ok(rows.into_iter().next())
}
