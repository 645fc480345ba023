//! Issues are given to somebody: written down with the signal, done later, once.

use super::circumstances::{About, circumstances};
use crate::activity::{self, NewActivity};
use crate::events::StoredEvent;
use crate::issues::{self, Issue};
use crate::{Connection, Scope, StoreError, events, outbox, statement};
use bugle_model::{Event, IssueId, IssueStatus, Signal, SignalKind};
use bugle_ownership::{Assignee, Choice, Facts, decide};
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, Int4, Int8, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncConnection, RunQueryDsl};
use serde_json::json;
use uuid::Uuid;

/// An issue that is new, or has come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewAssignment {
    /// Which.
    pub issue: IssueId,
    /// How often it has come back.
    pub generation: i32,
    /// The event that tells what it is about.
    pub event_id: Uuid,
}

/// One that nobody has looked at yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, QueryableByName)]
pub struct Waiting {
    /// The issue.
    #[diesel(sql_type = Int8)]
    issue_id: i64,
    /// How often it has come back.
    #[diesel(sql_type = Int4)]
    generation: i32,
    /// The event that tells what it is about.
    #[diesel(sql_type = SqlUuid)]
    event_id: Uuid,
}

impl Waiting {
    /// The issue.
    #[must_use]
    pub const fn issue(&self) -> IssueId {
        IssueId(self.issue_id)
    }
}

/// An issue that was given to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// Which.
    pub issue: IssueId,
    /// To whom.
    pub to: String,
    /// Why.
    pub reason: String,
}

/// Writes down that issues are to be given to somebody: those that nobody has, of projects that give any. Each once, however often this is
/// called. Composes with the caller's transaction. How many.
///
/// # Errors
/// When the database fails.
pub async fn enqueue(
    connection: &mut Connection,
    new: &[NewAssignment],
    now: DateTime<Utc>,
) -> Result<usize, StoreError> {
    if new.is_empty() {
        return Ok(0);
    }
    Ok(statement(
        "INSERT INTO issue_assignments (issue_id, generation, event_id, created_at)
         SELECT i.id, n.generation, n.event_id, $4 FROM UNNEST($1, $2, $3) AS n (issue_id, generation, event_id)
         JOIN issues i ON i.id = n.issue_id
         JOIN project_ownership o ON o.project_id = i.project_id AND o.gives
         WHERE i.status = 0 AND i.assigned_to IS NULL ORDER BY i.id, n.generation ON CONFLICT DO NOTHING",
    )
    .bind::<Array<Int8>, _>(new.iter().map(|one| one.issue.0).collect::<Vec<_>>())
    .bind::<Array<Int4>, _>(new.iter().map(|one| one.generation).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(new.iter().map(|one| one.event_id).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(now)
    .execute(connection)
    .await?)
}

/// The one that has waited longest.
///
/// # Errors
/// When the database fails.
pub async fn waiting(connection: &mut Connection) -> Result<Option<Waiting>, StoreError> {
    let rows: Vec<Waiting> = statement(
        "SELECT issue_id, generation, event_id FROM issue_assignments WHERE decided_at IS NULL
         ORDER BY created_at, issue_id LIMIT 1",
    )
    .load(connection)
    .await?;
    Ok(rows.into_iter().next())
}

/// Gives an issue to whoever [`decide`] says, tells its activity why, and the others with `issue.changed`, in one transaction. `None` when
/// there is nobody, somebody has it by now, or another process was faster.
///
/// # Errors
/// When the database fails, or holds what cannot be read; then nothing was done.
pub async fn assign(
    connection: &mut Connection,
    waiting: &Waiting,
    now: DateTime<Utc>,
) -> Result<Option<Given>, StoreError> {
    connection
        .transaction(async |connection| {
            // The issue first, as whoever merges or deletes it does.
            let issue = issues::hold(connection, &Scope::All, waiting.issue()).await?;
            if !is_mine(connection, waiting, now).await? {
                return Ok(None);
            }
            let free = |issue: &Issue| issue.status == IssueStatus::Unresolved && issue.assigned_to.is_none();
            let Some(issue) = issue.filter(free) else { return Ok(None) };
            let Some(choice) = choose(connection, &issue, waiting, now).await? else { return Ok(None) };
            give(connection, &issue, choice, now).await.map(Some)
        })
        .await
}

/// Leaves an issue to nobody: it cannot be decided.
///
/// # Errors
/// When the database fails.
pub async fn give_up(
    connection: &mut Connection,
    waiting: &Waiting,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    is_mine(connection, waiting, now).await.map(drop)
}

/// Whether nobody else has decided; they wait until the end of this transaction.
async fn is_mine(
    connection: &mut Connection,
    waiting: &Waiting,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let taken = statement(
        "UPDATE issue_assignments SET decided_at = $3 WHERE issue_id = $1 AND generation = $2 AND decided_at IS NULL",
    )
    .bind::<Int8, _>(waiting.issue_id)
    .bind::<Int4, _>(waiting.generation)
    .bind::<Timestamptz, _>(now)
    .execute(connection)
    .await?;
    Ok(taken == 1)
}

async fn choose(
    connection: &mut Connection,
    issue: &Issue,
    waiting: &Waiting,
    now: DateTime<Utc>,
) -> Result<Option<Choice>, StoreError> {
    let ownership = super::get(connection, issue.project).await?;
    let event = event(connection, issue, waiting).await?;
    let kind = if waiting.generation == 0 { SignalKind::New } else { SignalKind::Regression };
    let facts = event.as_ref().map(Facts::of).unwrap_or_default();
    let about = About {
        project: issue.project,
        team: issue.team,
        kind,
        priority: issue.priority,
        environment: event.as_ref().and_then(|event| event.environment.as_deref()),
        tags: &facts.tags,
    };
    let circumstances = circumstances(connection, about, now).await?;
    // Thousands of patterns can take a second, in which pages are not to wait.
    let decided = tokio::task::spawn_blocking(move || {
        decide(&ownership.content, &ownership.codeowners(), &facts, &circumstances)
    });
    match decided.await {
        Ok(decision) => Ok(decision.choice),
        // The process ends: another one decides.
        Err(error) if error.is_cancelled() => Err(StoreError::Away(error.to_string())),
        Err(error) => Err(StoreError::Damaged(format!("an owner cannot be told: {error}"))),
    }
}

/// The event of the signal; when that is gone, the latest of the issue.
async fn stored(
    connection: &mut Connection,
    issue: &Issue,
    waiting: &Waiting,
) -> Result<Option<StoredEvent>, StoreError> {
    let found = events::find(connection, &Scope::All, waiting.event_id, Some(issue.project)).await?;
    match found.into_iter().next() {
        Some(stored) => Ok(Some(stored)),
        None => Ok(events::latest(connection, &[issue.id]).await?.remove(&issue.id)),
    }
}

/// One that cannot be read decides nothing, and is no reason to leave the issue to nobody.
async fn event(
    connection: &mut Connection,
    issue: &Issue,
    waiting: &Waiting,
) -> Result<Option<Event>, StoreError> {
    match stored(connection, issue, waiting).await {
        Ok(stored) => Ok(stored.map(|stored| stored.event)),
        Err(StoreError::Damaged(error)) => {
            tracing::error!(issue = %issue.id, error, "an event cannot be read: no rule can tell whose the issue is");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

async fn give(
    connection: &mut Connection,
    issue: &Issue,
    choice: Choice,
    now: DateTime<Utc>,
) -> Result<Given, StoreError> {
    let (name, user, team) = match choice.assignee {
        Assignee::User(user) => (choice.name, Some(user.0), None),
        Assignee::Team(team) => (format!("#{}", choice.name), None, Some(team.0)),
    };
    statement(
        "UPDATE issues SET assigned_to = $2, assigned_user_id = $3, assigned_team_id = $4 WHERE id = $1",
    )
    .bind::<Int8, _>(issue.id.0)
    .bind::<Text, _>(&name)
    .bind::<Nullable<Int4>, _>(user)
    .bind::<Nullable<Int4>, _>(team)
    .execute(connection)
    .await?;
    let data = json!({ "from": null, "to": name, "reason": choice.reason });
    let happened = NewActivity { issue: issue.id, kind: "assigned", data };
    activity::add(connection, None, &[happened], now).await?;
    outbox::add(connection, vec![Signal::IssueChanged { issue: issue.id, project: issue.project }], now)
        .await?;
    Ok(Given { issue: issue.id, to: name, reason: choice.reason })
}
