//! Incidents follow their issues: over when the issue is resolved, ignored or gone; more urgent when it is.

use super::log::{self, Entry};
use super::{open, pages};
use crate::{Connection, StoreError, statement};
use bugle_model::{IncidentEvent, IncidentId, IssueId};
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, Int4, Int8, Timestamptz};
use diesel_async::RunQueryDsl;
use serde_json::json;

#[derive(QueryableByName)]
struct Ended {
    #[diesel(sql_type = Int8)]
    id: i64,
    #[diesel(sql_type = Int4)]
    generation: i32,
}

/// Looks at issues that were changed. Ends the open incidents of those that nobody wants to hear of any more, and raises the others, or
/// those which they became part of, to their issue's priority. Whether something is due now. Composes with the caller's transaction.
///
/// # Errors
/// When the database fails.
pub async fn follow_issues(
    conn: &mut Connection,
    issues: &[IssueId],
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    if issues.is_empty() {
        return Ok(false);
    }
    let ended: Vec<Ended> = statement(
        "UPDATE incidents n SET state = 3, resolved_at = $2, next_at = NULL, raised_from = NULL, page_assignee = false,
            snoozed_until = NULL, silenced_until = NULL
         FROM issues i WHERE i.id = n.issue_id AND n.issue_id = ANY($1) AND n.state < 3 AND i.status <> 0
         RETURNING n.id, n.generation",
    )
    .bind::<Array<Int8>, _>(issues.iter().map(|id| id.0).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(now)
    .load(conn)
    .await?;
    let why = "the issue was resolved or ignored";
    tell_ended(conn, ended, why, IncidentEvent::Resolved, now).await?;
    open::raise_to_issues(conn, issues, now).await
}

/// Ends the open incident of an issue that is about to be deleted. Belongs into the transaction of the deletion.
///
/// # Errors
/// When the database fails.
pub(crate) async fn follow_delete(
    conn: &mut Connection,
    issue: IssueId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let ended: Vec<Ended> = statement(
        "UPDATE incidents SET state = 3, resolved_at = $2, next_at = NULL, raised_from = NULL, page_assignee = false,
            snoozed_until = NULL, silenced_until = NULL
         WHERE issue_id = $1 AND state < 3 RETURNING id, generation",
    )
    .bind::<Int8, _>(issue.0)
    .bind::<Timestamptz, _>(now)
    .load(conn)
    .await?;
    tell_ended(conn, ended, "the issue was deleted", IncidentEvent::Resolved, now).await
}

/// Gives the incidents of issues that become part of another one to that one; of several open ones the other's own goes on, or else the
/// oldest. Belongs into the transaction of the merge, before the issues go.
///
/// # Errors
/// When the database fails.
pub(crate) async fn follow_merge(
    conn: &mut Connection,
    into: IssueId,
    going: &[i64],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let ended: Vec<Ended> = statement(
        "UPDATE incidents n SET state = 3, resolved_at = $3, next_at = NULL, raised_from = NULL, page_assignee = false,
            snoozed_until = NULL, silenced_until = NULL
         WHERE n.issue_id = ANY($2) AND n.state < 3 AND EXISTS (
            SELECT 1 FROM incidents o WHERE o.state < 3 AND (o.issue_id = $1 OR (o.issue_id = ANY($2) AND o.id < n.id)))
         RETURNING n.id, n.generation",
    )
    .bind::<Int8, _>(into.0)
    .bind::<Array<Int8>, _>(going)
    .bind::<Timestamptz, _>(now)
    .load(conn)
    .await?;
    let why = "its issue became part of another one, which has an incident";
    tell_ended(conn, ended, why, IncidentEvent::Merged, now).await?;
    statement("UPDATE incidents SET issue_id = $1 WHERE issue_id = ANY($2)")
        .bind::<Int8, _>(into.0)
        .bind::<Array<Int8>, _>(going)
        .execute(conn)
        .await?;
    Ok(())
}

async fn tell_ended(
    conn: &mut Connection,
    ended: Vec<Ended>,
    why: &'static str,
    event: IncidentEvent,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let ids: Vec<IncidentId> = ended.iter().map(|row| IncidentId(row.id)).collect();
    pages::cancel(conn, &ids, why, now).await?;
    let entries: Vec<Entry> = ended
        .into_iter()
        .map(|row| Entry {
            incident: IncidentId(row.id),
            generation: row.generation,
            event,
            data: json!({ "reason": why }),
        })
        .collect();
    log::write(conn, &entries, None, now).await
}
