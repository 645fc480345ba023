//! Several issues become one, and part again.
//!
//! Everything that is counted moves in the transaction of the merge, and so do the fingerprints: a recorder that works with what it
//! remembers finds the merged issue gone, and looks up anew (see [`crate::record`]). Only the events themselves follow
//! later, a part at a time ([`super::moves`]): they may be millions.

mod notifications;
mod rows;
mod split;

pub use split::{Fingerprint, Naming, fingerprints, unmerge};

use crate::activity::{self, NewActivity};
use crate::{Connection, Scope, StoreError, oncall, outbox, statement};
use bugle_model::{IssueId, ProjectId, Signal, TeamId};
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use serde_json::json;
use thiserror::Error;

/// Why issues were not merged or parted.
#[derive(Debug, Error)]
pub enum MergeError {
    /// There is no such issue in the scope.
    #[error("there is no issue {0}")]
    Missing(IssueId),
    /// They are of different projects.
    #[error("the issue {0} is of another project")]
    OtherProject(IssueId),
    /// The issue does not have this fingerprint.
    #[error("the issue does not have the fingerprint {0}")]
    NoFingerprint(String),
    /// The issue would have none left.
    #[error("the issue has to keep a fingerprint")]
    NothingLeft,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<diesel::result::Error> for MergeError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Store(error.into())
    }
}

/// An issue that was merged into another or deleted, as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, QueryableByName)]
pub struct Gone {
    /// Its id.
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    /// What people called it.
    #[diesel(sql_type = Text)]
    pub short_id: String,
    /// What people read first.
    #[diesel(sql_type = Text)]
    pub title: String,
    /// Its project.
    #[diesel(sql_type = Integer)]
    #[serde(skip)]
    pub project_id: i32,
    /// The team of the project.
    #[diesel(sql_type = Nullable<Integer>)]
    #[serde(skip)]
    pub team_id: Option<i32>,
}

impl Gone {
    /// The team of the project.
    #[must_use]
    pub fn team(&self) -> Option<TeamId> {
        self.team_id.map(TeamId)
    }
}

/// Locks issues of a scope against recorders and each other, in the order of their ids as recorders do.
pub(super) async fn lock(
    connection: &mut Connection,
    scope: &Scope,
    ids: &[IssueId],
) -> Result<Vec<Gone>, StoreError> {
    Ok(statement(
        "SELECT i.id, p.prefix || '-' || i.number AS short_id, i.title, i.project_id, p.team_id
         FROM issues i JOIN projects p ON p.id = i.project_id
         WHERE i.id = ANY ($1) AND ($2 IS NULL OR p.team_id = ANY ($2)) ORDER BY i.id FOR UPDATE OF i",
    )
    .bind::<Array<BigInt>, _>(ids.iter().map(|id| id.0).collect::<Vec<_>>())
    .bind::<Nullable<Array<Integer>>, _>(scope.bind())
    .load(connection)
    .await?)
}

/// Merges `others` into `into`: what they have becomes its own, and their ids lead to it. Composes with the caller's
/// transaction, which may have to be tried again ([`StoreError::is_conflict`]). The merged issues.
///
/// # Errors
/// See [`MergeError`].
pub async fn merge(
    connection: &mut Connection,
    scope: &Scope,
    into: IssueId,
    others: &[IssueId],
    actor: &str,
    now: DateTime<Utc>,
) -> Result<Vec<Gone>, MergeError> {
    let mut others: Vec<IssueId> = others.iter().copied().filter(|id| *id != into).collect();
    others.sort_unstable();
    others.dedup();
    let mut all = others.clone();
    all.push(into);
    let locked = lock(connection, scope, &all).await?;
    let find = |id: IssueId| locked.iter().find(|row| row.id == id.0).ok_or(MergeError::Missing(id));
    let project = find(into)?.project_id;
    let mut gone = Vec::with_capacity(others.len());
    for id in &others {
        let row = find(*id)?;
        if row.project_id != project {
            return Err(MergeError::OtherProject(*id));
        }
        gone.push(row.clone());
    }
    if gone.is_empty() {
        return Ok(gone);
    }
    rows::take_over(connection, into, &others, now).await?;
    let happened = NewActivity { issue: into, kind: "merged", data: json!({ "issues": gone }) };
    activity::add(connection, Some(actor), &[happened], now).await?;
    let changed = others.iter().chain([&into]);
    let project = ProjectId(project);
    let signals = changed.map(|issue| Signal::IssueChanged { issue: *issue, project }).collect();
    outbox::add(connection, signals, now).await?;
    Ok(gone)
}

#[derive(QueryableByName)]
struct Into {
    #[diesel(sql_type = BigInt)]
    issue_id: i64,
}

/// The issue that another one was merged into.
///
/// # Errors
/// When the database fails.
pub async fn merged_into(connection: &mut Connection, id: IssueId) -> Result<Option<IssueId>, StoreError> {
    let rows: Vec<Into> = statement("SELECT issue_id FROM merged_issues WHERE id = $1")
        .bind::<BigInt, _>(id.0)
        .load(connection)
        .await?;
    Ok(rows.into_iter().next().map(|row| IssueId(row.issue_id)))
}

/// Removes an issue of a scope with everything that belongs to it. With `discard`, events with its fingerprints are filtered from
/// now on ([`crate::discards`]). Composes with the caller's transaction. The issue as it was; `None` when there is none.
///
/// # Errors
/// When the database fails.
pub async fn delete(
    connection: &mut Connection,
    scope: &Scope,
    id: IssueId,
    discard: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Option<Gone>, StoreError> {
    let Some(gone) = lock(connection, scope, &[id]).await?.into_iter().next() else { return Ok(None) };
    if let Some(actor) = discard {
        crate::discards::add(connection, &gone, actor, now).await?;
    }
    notifications::detach(connection, &[id.0], now).await?;
    oncall::follow_delete(connection, id, now).await?;
    for text in [
        "DELETE FROM issue_minutes WHERE issue_id = $1",
        "DELETE FROM issue_hours WHERE issue_id = $1",
        "UPDATE issue_moves SET to_issue = NULL WHERE to_issue = $1",
        "DELETE FROM issues WHERE id = $1",
    ] {
        statement(text).bind::<BigInt, _>(id.0).execute(connection).await?;
    }
    statement("INSERT INTO issue_moves (from_issue, created_at) VALUES ($1, $2)")
        .bind::<BigInt, _>(id.0)
        .bind::<Timestamptz, _>(now)
        .execute(connection)
        .await?;
    let signal = Signal::IssueChanged { issue: id, project: ProjectId(gone.project_id) };
    outbox::add(connection, vec![signal], now).await?;
    Ok(Some(gone))
}
