//! Incidents that become part of another one: what comes of their issue or key goes onto the timeline of that one while it is open.

use super::log::{self, Entry};
use super::open::{self, OpenRow};
use super::{act, pages};
use crate::{Connection, StoreError, statement};
use bugle_model::{IncidentEvent, IncidentId, IssueId, Priority};
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, Int8, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde_json::json;

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merged {
    /// It was done.
    Done,
    /// Nothing: this one of both has ended, or is gone.
    NotOpen(IncidentId),
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(embed)]
    open: OpenRow,
    #[diesel(sql_type = Text)]
    title: String,
}

/// Makes an open incident part of another open one: it ends, nothing more of it leaves, and the other one becomes as urgent. What had become
/// part of it is part of the other one, too. Composes with the caller's transaction.
///
/// # Errors
/// When the database fails.
pub async fn merge_incident(
    conn: &mut Connection,
    id: IncidentId,
    into: IncidentId,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<Merged, StoreError> {
    // In the order of the ids: two merges at once do not wait for each other.
    let rows: Vec<Row> = statement(
        "SELECT id, priority, state, generation, silenced_until IS NOT NULL AS is_silenced, title FROM incidents
         WHERE id = ANY($1) AND state < 3 ORDER BY id FOR NO KEY UPDATE",
    )
    .bind::<Array<Int8>, _>(vec![id.0, into.0])
    .load(conn)
    .await?;
    let found = |id: IncidentId| rows.iter().find(|row| row.open.id == id.0);
    let Some(going) = found(id) else { return Ok(Merged::NotOpen(id)) };
    let Some(staying) = found(into) else { return Ok(Merged::NotOpen(into)) };
    end(conn, id, into, actor, now).await?;
    let higher = (going.open.priority > staying.open.priority).then_some(going.open.priority);
    if let Some(priority) = higher.and_then(Priority::from_code) {
        open::raise(conn, &staying.open, priority, now).await?;
    }
    let entries = [
        (going, IncidentEvent::Merged, json!({ "into": into, "title": staying.title })),
        (staying, IncidentEvent::Absorbed, json!({ "incident": id, "title": going.title })),
    ]
    .map(|(row, event, data)| Entry {
        incident: IncidentId(row.open.id),
        generation: row.open.generation,
        event,
        data,
    });
    log::write(conn, &entries, Some(actor), now).await?;
    Ok(Merged::Done)
}

async fn end(
    conn: &mut Connection,
    id: IncidentId,
    into: IncidentId,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    statement(
        "UPDATE incidents SET state = 3, merged_into = $2, resolved_at = $3, resolved_by = $4, next_at = NULL,
            raised_from = NULL, page_assignee = false, snoozed_until = NULL, silenced_until = NULL
         WHERE id = $1",
    )
    .bind::<Int8, _>(id.0)
    .bind::<Int8, _>(into.0)
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(act::cut(actor))
    .execute(conn)
    .await?;
    statement("UPDATE incidents SET merged_into = $2 WHERE merged_into = $1")
        .bind::<Int8, _>(id.0)
        .bind::<Int8, _>(into.0)
        .execute(conn)
        .await?;
    pages::cancel(conn, &[id], "the incident became part of another one", now).await
}

/// The issues of incidents that became part of this one.
///
/// # Errors
/// When the database fails.
pub async fn merged_issues(conn: &mut Connection, into: IncidentId) -> Result<Vec<IssueId>, StoreError> {
    #[derive(QueryableByName)]
    struct Id {
        #[diesel(sql_type = Int8)]
        id: i64,
    }
    let rows: Vec<Id> = statement(
        "SELECT DISTINCT issue_id AS id FROM incidents WHERE merged_into = $1 AND issue_id IS NOT NULL ORDER BY issue_id",
    )
    .bind::<Int8, _>(into.0)
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(|row| IssueId(row.id)).collect())
}
