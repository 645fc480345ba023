//! Fingerprints of an issue, and an issue of its own for some of them.

use super::{MergeError, lock};
use crate::activity::{self, NewActivity};
use crate::{Connection, Scope, StoreError, outbox, statement};
use bugle_model::{IssueId, ProjectId, Signal};
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Binary, Nullable, SmallInt, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

/// More are not told.
const MOST: i64 = 1_000;

/// What events are grouped by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema, QueryableByName)]
pub struct Fingerprint {
    /// 32 hex digits.
    #[diesel(sql_type = Text)]
    pub fingerprint: String,
    /// The version of the grouping that made it.
    #[diesel(sql_type = SmallInt)]
    pub algorithm: i16,
    /// Events whose first one it was.
    #[diesel(sql_type = BigInt)]
    pub events: i64,
}

/// The fingerprints of an issue, those with the most events first; 1,000 at most.
///
/// # Errors
/// When the database fails.
pub async fn fingerprints(
    connection: &mut Connection,
    issue: IssueId,
) -> Result<Vec<Fingerprint>, StoreError> {
    Ok(statement(
        "SELECT encode(hash, 'hex') AS fingerprint, algorithm, events FROM issue_hashes WHERE issue_id = $1
         ORDER BY events DESC, hash LIMIT $2",
    )
    .bind::<BigInt, _>(issue.0)
    .bind::<BigInt, _>(MOST)
    .load(connection)
    .await?)
}

/// How an issue that is made of some fingerprints is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Naming {
    /// 256 characters at most.
    pub title: String,
    /// 512 characters at most.
    pub culprit: Option<String>,
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// Gives some fingerprints of an issue an issue of their own, which gets the events to come; those of before stay. Without
/// a naming it is called as the other is. Composes with the caller's transaction. The new issue.
///
/// # Errors
/// See [`MergeError`].
pub async fn unmerge(
    connection: &mut Connection,
    scope: &Scope,
    issue: IssueId,
    hashes: &[[u8; 16]],
    naming: Option<&Naming>,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<IssueId, MergeError> {
    let locked = lock(connection, scope, &[issue]).await?;
    let of = locked.into_iter().next().ok_or(MergeError::Missing(issue))?;
    let project = ProjectId(of.project_id);
    let all = all_hashes(connection, issue).await?;
    if let Some(hash) = hashes.iter().find(|hash| !all.iter().any(|own| own.as_slice() == hash.as_slice())) {
        let text = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        return Err(MergeError::NoFingerprint(text));
    }
    if all.iter().all(|own| hashes.iter().any(|hash| own.as_slice() == hash.as_slice())) {
        return Err(MergeError::NothingLeft);
    }
    let new = open(connection, issue, naming, now).await?;
    statement("UPDATE issue_hashes SET issue_id = $1 WHERE issue_id = $2 AND hash = ANY ($3)")
        .bind::<BigInt, _>(new.0)
        .bind::<BigInt, _>(issue.0)
        .bind::<Array<Binary>, _>(hashes.iter().map(|hash| hash.to_vec()).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    // What recorders remember of its fingerprints holds no longer.
    statement("UPDATE issues SET splits = splits + 1 WHERE id = $1")
        .bind::<BigInt, _>(issue.0)
        .execute(connection)
        .await?;
    let data = |other: IssueId| json!({ "issue": other, "fingerprints": hashes.len() });
    let happened = [
        NewActivity { issue, kind: "unmerged", data: data(new) },
        NewActivity { issue: new, kind: "unmerged", data: data(issue) },
    ];
    activity::add(connection, Some(actor), &happened, now).await?;
    let signals = [issue, new].map(|issue| Signal::IssueChanged { issue, project }).to_vec();
    outbox::add(connection, signals, now).await?;
    Ok(new)
}

#[derive(QueryableByName)]
struct HashRow {
    #[diesel(sql_type = Binary)]
    hash: Vec<u8>,
}

async fn all_hashes(connection: &mut Connection, issue: IssueId) -> Result<Vec<Vec<u8>>, StoreError> {
    let rows: Vec<HashRow> = statement("SELECT hash FROM issue_hashes WHERE issue_id = $1")
        .bind::<BigInt, _>(issue.0)
        .load(connection)
        .await?;
    Ok(rows.into_iter().map(|row| row.hash).collect())
}

/// An issue like another, without events.
async fn open(
    connection: &mut Connection,
    like: IssueId,
    naming: Option<&Naming>,
    now: DateTime<Utc>,
) -> Result<IssueId, StoreError> {
    let row: Id = statement(
        "WITH numbered AS (
             UPDATE projects p SET next_issue_number = p.next_issue_number + 1 FROM issues i
             WHERE i.id = $1 AND p.id = i.project_id RETURNING p.id, p.next_issue_number - 1 AS number),
         made AS (
             INSERT INTO issues (project_id, number, title, culprit, error_type, platform, level, priority, first_seen, active_at)
             SELECT i.project_id, n.number, coalesce($2, i.title), CASE WHEN $2 IS NULL THEN i.culprit ELSE $3 END,
                 i.error_type, i.platform, i.level, i.priority, $4, $5
             FROM issues i JOIN numbered n ON n.id = i.project_id WHERE i.id = $1 RETURNING id)
         INSERT INTO issue_counts (issue_id, last_seen) SELECT id, $4 FROM made RETURNING issue_id AS id",
    )
    .bind::<BigInt, _>(like.0)
    .bind::<Nullable<Text>, _>(naming.map(|naming| naming.title.as_str()))
    .bind::<Nullable<Text>, _>(naming.and_then(|naming| naming.culprit.as_deref()))
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(now.duration_trunc(TimeDelta::minutes(1)).unwrap_or(now))
    .get_result(connection)
    .await?;
    Ok(IssueId(row.id))
}
