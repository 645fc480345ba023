//! What a release brought, brought back, and put right.

use super::Release;
use crate::{Connection, StoreError, statement};
use bugle_model::IssueId;
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Integer, Text};
use diesel_async::RunQueryDsl;
use schemars::JsonSchema;

/// Which issues of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum IssueKind {
    /// First seen in it.
    New,
    /// Came back with it.
    Regressed,
    /// Resolved by it, or while it was the newest.
    Resolved,
}

impl IssueKind {
    /// The kind with this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "new" => Some(Self::New),
            "regressed" => Some(Self::Regressed),
            "resolved" => Some(Self::Resolved),
            _ => None,
        }
    }
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// Up to `limit` ids of issues of a release below `before`, the highest first.
///
/// # Errors
/// When the database fails.
pub async fn issues(
    connection: &mut Connection,
    release: &Release,
    kind: IssueKind,
    before: Option<IssueId>,
    limit: usize,
) -> Result<Vec<IssueId>, StoreError> {
    let text = match kind {
        IssueKind::New => {
            "SELECT i.id FROM issues i WHERE i.first_release_id = $1 AND i.id < $3 AND ($2 IS NULL OR true)
             ORDER BY i.id DESC LIMIT $4"
        }
        IssueKind::Regressed => {
            "SELECT DISTINCT i.id FROM releases r
             JOIN issue_activity a ON a.kind = 'regressed' AND a.data ->> 'release' = $2
             JOIN issues i ON i.id = a.issue_id AND i.project_id = r.project_id
             WHERE r.id = $1 AND i.id < $3 ORDER BY i.id DESC LIMIT $4"
        }
        IssueKind::Resolved => {
            "SELECT i.id FROM releases r JOIN issues i
                 ON (i.resolved_release_id = r.id AND i.resolution <> 1)
                 OR (i.resolution = 1 AND i.resolved_release_id =
                     bugle_previous_release(r.project_id, r.id, r.created_at, r.sort_key))
             WHERE r.id = $1 AND i.id < $3 AND ($2 IS NULL OR true) ORDER BY i.id DESC LIMIT $4"
        }
    };
    let rows: Vec<Id> = statement(text)
        .bind::<Integer, _>(release.number)
        .bind::<Text, _>(&release.version)
        .bind::<BigInt, _>(before.map_or(i64::MAX, |id| id.0))
        .bind::<BigInt, _>(i64::try_from(limit).unwrap_or(i64::MAX))
        .load(connection)
        .await?;
    Ok(rows.into_iter().map(|row| IssueId(row.id)).collect())
}
