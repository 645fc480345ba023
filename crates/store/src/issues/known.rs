//! What is known of hashes: whose they are.

use crate::row::{self, JsonRow};
use crate::{Connection, StoreError, statement};
use bugle_model::{IssueId, ProjectId};
use diesel::sql_types::{Array, Integer, Text};
use diesel_async::RunQueryDsl;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an issue is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IssueName {
    /// Its id.
    pub id: IssueId,
    /// What people call it.
    pub short_id: String,
    /// What people read first.
    pub title: String,
}

/// What becomes of an event that has hashes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Destined {
    /// It opens an issue: none of them is known.
    New,
    /// It belongs to this issue.
    Issue(IssueName),
    /// Nobody wants to hear of it: an issue with the hash was discarded.
    Discarded,
}

/// What the recorder does with an event of a project that has these hashes, as hex, the primary first: the first one that is
/// known decides.
///
/// # Errors
/// When the database fails, or one is no hex.
pub async fn destined(
    connection: &mut Connection,
    project: ProjectId,
    hashes: &[&str],
) -> Result<Destined, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT CASE WHEN d.hash IS NOT NULL THEN '\"discarded\"'::jsonb
             ELSE jsonb_build_object('issue', jsonb_build_object(
                 'id', i.id, 'short_id', p.prefix || '-' || i.number, 'title', i.title)) END AS row
         FROM UNNEST($2) WITH ORDINALITY AS w (hex, place)
         JOIN projects p ON p.id = $1
         LEFT JOIN discard_hashes d ON d.project_id = $1 AND d.hash = decode(w.hex, 'hex')
         LEFT JOIN issue_hashes h ON h.project_id = $1 AND h.hash = decode(w.hex, 'hex')
         LEFT JOIN issues i ON i.id = h.issue_id
         WHERE d.hash IS NOT NULL OR i.id IS NOT NULL ORDER BY w.place LIMIT 1",
    )
    .bind::<Integer, _>(project.0)
    .bind::<Array<Text>, _>(hashes)
    .load(connection)
    .await?;
    Ok(row::first(rows)?.unwrap_or(Destined::New))
}
