//! Comments on issues. They are part of the activity; whoever wrote one may change it.

use crate::activity::Activity;
use crate::audit::Actor;
use crate::{Connection, StoreError, outbox, statement};
use bugle_model::{IssueId, ProjectId, Signal, UserId};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Integer, Jsonb, Nullable, Text as SqlText, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Somebody who is named in a comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mention {
    /// Who.
    pub id: UserId,
    /// Their name at that time.
    pub name: String,
}

/// What a comment says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// As it was written.
    pub text: String,
    /// Who is named in it.
    pub mentions: Vec<Mention>,
}

impl Text {
    fn data(&self, edited_at: Option<DateTime<Utc>>) -> Value {
        let mut data = json!({ "text": self.text });
        if let Some(fields) = data.as_object_mut() {
            if !self.mentions.is_empty() {
                fields.insert("mentions".to_owned(), json!(self.mentions));
            }
            if let Some(at) = edited_at {
                fields.insert("edited_at".to_owned(), json!(at));
            }
        }
        data
    }
}

/// The mentions that the data of a comment keeps.
#[must_use]
pub fn mentions(comment: &Activity) -> Vec<Mention> {
    let kept = comment.data.get("mentions").cloned().unwrap_or_default();
    serde_json::from_value(kept).unwrap_or_default()
}

/// Mails that the comments of one author send within an hour.
const MOST_MAILS: i64 = 60;
/// What is counted for that.
const HOUR: TimeDelta = TimeDelta::hours(1);

#[derive(QueryableByName)]
struct Told {
    #[diesel(sql_type = Integer)]
    user_id: i32,
}

/// Notes that people are told of a comment by mail; gives those of them who are to be told: not who was told of it before, and
/// no more than 60 an hour by one author. Composes with the caller's transaction.
///
/// # Errors
/// When the database fails.
pub async fn to_tell(
    connection: &mut Connection,
    comment: i64,
    people: &[UserId],
    author: &Actor,
    now: DateTime<Utc>,
) -> Result<Vec<UserId>, StoreError> {
    let rows: Vec<Told> = statement(
        "INSERT INTO mention_mails (comment_id, user_id, author_kind, author_id, at)
         SELECT $1, w.user_id, $3, $4, $5 FROM UNNEST($2) WITH ORDINALITY AS w (user_id, place)
         WHERE NOT EXISTS (SELECT FROM mention_mails m WHERE m.comment_id = $1 AND m.user_id = w.user_id)
         ORDER BY w.place
         LIMIT greatest(0, $7 - (SELECT count(*) FROM mention_mails
             WHERE author_kind = $3 AND author_id IS NOT DISTINCT FROM $4 AND at > $6))
         ON CONFLICT DO NOTHING RETURNING user_id",
    )
    .bind::<BigInt, _>(comment)
    .bind::<Array<Integer>, _>(people.iter().map(|user| user.0).collect::<Vec<_>>())
    .bind::<SqlText, _>(author.kind.as_str())
    .bind::<Nullable<Integer>, _>(author.id)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(now - HOUR)
    .bind::<BigInt, _>(MOST_MAILS)
    .load(connection)
    .await?;
    Ok(rows.into_iter().map(|row| UserId(row.user_id)).collect())
}

/// Forgets who was told of comments that are gone, once it does not count any more.
///
/// # Errors
/// When the database fails.
pub async fn prune(connection: &mut Connection, now: DateTime<Utc>) -> Result<(), StoreError> {
    statement("DELETE FROM mention_mails WHERE comment_id IS NULL AND at <= $1")
        .bind::<Timestamptz, _>(now - HOUR)
        .execute(connection)
        .await?;
    Ok(())
}

/// Writes a comment, and tells the others with `issue.changed`. Composes with the caller's transaction.
///
/// # Errors
/// When the database fails; [`StoreError::is_missing_reference`] when the issue is not there.
pub async fn add(
    connection: &mut Connection,
    issue: (IssueId, ProjectId),
    author: &Actor,
    text: &Text,
    at: DateTime<Utc>,
) -> Result<Activity, StoreError> {
    let name: String = author.name.chars().take(128).collect();
    let written: Activity = statement(
        "INSERT INTO issue_activity (issue_id, kind, data, actor, actor_kind, actor_id, at)
         VALUES ($1, 'comment', $2, $3, $4, $5, $6) RETURNING id, at, actor, kind, data",
    )
    .bind::<BigInt, _>(issue.0.0)
    .bind::<Jsonb, _>(text.data(None))
    .bind::<SqlText, _>(name)
    .bind::<SqlText, _>(author.kind.as_str())
    .bind::<Nullable<Integer>, _>(author.id)
    .bind::<Timestamptz, _>(at)
    .get_result(connection)
    .await?;
    tell(connection, issue, at).await?;
    Ok(written)
}

/// A comment on an issue, when it is the author's own.
///
/// # Errors
/// When the database fails.
pub async fn own(
    connection: &mut Connection,
    issue: IssueId,
    author: &Actor,
    id: i64,
) -> Result<Option<Activity>, StoreError> {
    let rows: Vec<Activity> = statement(
        "SELECT id, at, actor, kind, data FROM issue_activity
         WHERE id = $1 AND issue_id = $2 AND kind = 'comment' AND actor_kind = $3
           AND actor_id IS NOT DISTINCT FROM $4",
    )
    .bind::<BigInt, _>(id)
    .bind::<BigInt, _>(issue.0)
    .bind::<SqlText, _>(author.kind.as_str())
    .bind::<Nullable<Integer>, _>(author.id)
    .load(connection)
    .await?;
    Ok(rows.into_iter().next())
}

/// A comment on an issue, whoever wrote it.
///
/// # Errors
/// When the database fails.
pub async fn get(
    connection: &mut Connection,
    issue: IssueId,
    id: i64,
) -> Result<Option<Activity>, StoreError> {
    let rows: Vec<Activity> = statement(
        "SELECT id, at, actor, kind, data FROM issue_activity WHERE id = $1 AND issue_id = $2 AND kind = 'comment'",
    )
    .bind::<BigInt, _>(id)
    .bind::<BigInt, _>(issue.0)
    .load(connection)
    .await?;
    Ok(rows.into_iter().next())
}

/// Gives a comment another text. Composes with the caller's transaction.
///
/// # Errors
/// When the database fails, or the comment is gone.
pub async fn change(
    connection: &mut Connection,
    issue: (IssueId, ProjectId),
    id: i64,
    text: &Text,
    at: DateTime<Utc>,
) -> Result<Activity, StoreError> {
    let changed: Activity =
        statement("UPDATE issue_activity SET data = $2 WHERE id = $1 RETURNING id, at, actor, kind, data")
            .bind::<BigInt, _>(id)
            .bind::<Jsonb, _>(text.data(Some(at)))
            .get_result(connection)
            .await?;
    tell(connection, issue, at).await?;
    Ok(changed)
}

/// Removes a comment. Composes with the caller's transaction.
///
/// # Errors
/// When the database fails.
pub async fn remove(
    connection: &mut Connection,
    issue: (IssueId, ProjectId),
    id: i64,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    statement("DELETE FROM issue_activity WHERE id = $1").bind::<BigInt, _>(id).execute(connection).await?;
    tell(connection, issue, at).await
}

async fn tell(
    connection: &mut Connection,
    (issue, project): (IssueId, ProjectId),
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    outbox::add(connection, vec![Signal::IssueChanged { issue, project }], at).await?;
    Ok(())
}
