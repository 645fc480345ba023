//! What happened to an issue, and who did it.

use crate::{Connection, StoreError, statement};
use bugle_model::IssueId;
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Jsonb, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, QueryableByName, JsonSchema)]
pub struct Activity {
    /// Its id: later ones are higher.
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    /// When.
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
    /// Who: a person's or a token's name; `None` is Bugle itself.
    #[diesel(sql_type = Nullable<Text>)]
    pub actor: Option<String>,
    /// `status`, `priority`, `assigned`, `regressed`, `unignored`, `merged`, `unmerged`, `shared`, `unshared` or `comment`.
    #[diesel(sql_type = Text)]
    pub kind: String,
    /// What, by kind: `{"from", "to"}`, `{"event_id", "release"}`, `{"text"}`.
    #[diesel(sql_type = Jsonb)]
    pub data: Value,
}

/// Something to be written down.
#[derive(Debug, Clone, PartialEq)]
pub struct NewActivity {
    /// Of which issue.
    pub issue: IssueId,
    /// See [`Activity::kind`].
    pub kind: &'static str,
    /// See [`Activity::data`].
    pub data: Value,
}

impl NewActivity {
    /// Adds a detail to its data.
    pub(crate) fn say(&mut self, detail: &str, value: Value) {
        if let Some(data) = self.data.as_object_mut() {
            data.insert(detail.to_owned(), value);
        }
    }
}

/// Writes down what `actor` did. Composes with the caller's transaction.
///
/// # Errors
/// When the database fails, or an issue is not there ([`StoreError::is_missing_reference`]).
pub async fn add(
    connection: &mut Connection,
    actor: Option<&str>,
    happened: &[NewActivity],
    at: DateTime<Utc>,
) -> Result<Vec<Activity>, StoreError> {
    if happened.is_empty() {
        return Ok(Vec::new());
    }
    Ok(statement(
        "INSERT INTO issue_activity (issue_id, kind, data, actor, at)
         SELECT i, k, d, $4, $5 FROM UNNEST($1, $2, $3) WITH ORDINALITY AS t (i, k, d, n) ORDER BY n
         RETURNING id, at, actor, kind, data",
    )
    .bind::<Array<BigInt>, _>(happened.iter().map(|new| new.issue.0).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(happened.iter().map(|new| new.kind).collect::<Vec<_>>())
    .bind::<Array<Jsonb>, _>(happened.iter().map(|new| &new.data).collect::<Vec<_>>())
    .bind::<Nullable<Text>, _>(actor)
    .bind::<Timestamptz, _>(at)
    .load(connection)
    .await?)
}

/// Up to `limit` things that happened to an issue before the one with the id `before`, the latest first.
///
/// # Errors
/// When the database fails.
pub async fn list(
    connection: &mut Connection,
    issue: IssueId,
    before: Option<i64>,
    limit: usize,
) -> Result<Vec<Activity>, StoreError> {
    Ok(statement(
        "SELECT id, at, actor, kind, data FROM issue_activity
         WHERE issue_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
    )
    .bind::<BigInt, _>(issue.0)
    .bind::<BigInt, _>(before.unwrap_or(i64::MAX))
    .bind::<BigInt, _>(i64::try_from(limit).unwrap_or(i64::MAX))
    .load(connection)
    .await?)
}
