//! Links of mails by which a page is answered without signing in. Only the SHA-256 of what they prove is kept.

use crate::row::{self, JsonRow};
use crate::{Connection, StoreError, statement};
use bugle_model::{IncidentAnswer, IncidentId, UserId};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{Array, Binary, Int4, Int8, SmallInt, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::Deserialize;

/// How long a link is known after its end, so that whoever follows it is told what became of it.
const KEPT: TimeDelta = TimeDelta::days(30);

/// A link to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewAnswerLink {
    /// The SHA-256 of what it proves.
    pub token_hash: [u8; 32],
    /// Of which incident.
    pub incident: IncidentId,
    /// Whose.
    pub user: UserId,
    /// What it does.
    pub answer: IncidentAnswer,
}

/// A link that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerLink {
    /// Of which incident.
    pub incident: IncidentId,
    /// Whose.
    pub user: UserId,
    /// What it does.
    pub answer: IncidentAnswer,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// When it was used.
    pub used_at: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct Row {
    incident_id: IncidentId,
    user_id: UserId,
    answer: i16,
    expires_at: DateTime<Utc>,
    used_at: Option<DateTime<Utc>>,
}

impl TryFrom<Row> for AnswerLink {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let damaged = || StoreError::Damaged(format!("a link of incident {}: answer", row.incident_id));
        let Row { incident_id: incident, user_id: user, expires_at, used_at, .. } = row;
        let answer = IncidentAnswer::from_code(row.answer).ok_or_else(damaged)?;
        Ok(Self { incident, user, answer, expires_at, used_at })
    }
}

/// Notes links that end at `expires_at`. Those whose incident or person is gone are left out.
///
/// # Errors
/// When the database fails; then none was noted.
pub async fn add_answer_links(
    conn: &mut Connection,
    links: &[NewAnswerLink],
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    if links.is_empty() {
        return Ok(());
    }
    statement(
        "INSERT INTO answer_links (token_hash, incident_id, user_id, answer, created_at, expires_at)
         SELECT s.token_hash, s.incident_id, s.user_id, s.answer, $5, $6
         FROM UNNEST($1::bytea[], $2::bigint[], $3::int[], $4::smallint[]) AS s (token_hash, incident_id, user_id, answer)
         JOIN incidents i ON i.id = s.incident_id JOIN users u ON u.id = s.user_id",
    )
    .bind::<Array<Binary>, _>(links.iter().map(|link| link.token_hash.to_vec()).collect::<Vec<_>>())
    .bind::<Array<Int8>, _>(links.iter().map(|link| link.incident.0).collect::<Vec<_>>())
    .bind::<Array<Int4>, _>(links.iter().map(|link| link.user.0).collect::<Vec<_>>())
    .bind::<Array<SmallInt>, _>(links.iter().map(|link| link.answer.code()).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(expires_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// The link with this hash, also one that was used or has ended.
///
/// # Errors
/// When the database fails.
pub async fn get_answer_link(
    conn: &mut Connection,
    token_hash: &[u8; 32],
) -> Result<Option<AnswerLink>, StoreError> {
    let rows: Vec<JsonRow> =
        statement("SELECT to_jsonb(l) - 'token_hash' AS row FROM answer_links l WHERE token_hash = $1")
            .bind::<Binary, _>(token_hash.as_slice())
            .load(conn)
            .await?;
    row::first::<Row>(rows)?.map(AnswerLink::try_from).transpose()
}

/// The same, held until the end of the caller's transaction: of two who follow it at once the second sees what the first has done.
///
/// # Errors
/// When the database fails.
pub async fn lock_answer_link(
    conn: &mut Connection,
    token_hash: &[u8; 32],
) -> Result<Option<AnswerLink>, StoreError> {
    statement("SELECT FROM answer_links WHERE token_hash = $1 FOR UPDATE")
        .bind::<Binary, _>(token_hash.as_slice())
        .execute(conn)
        .await?;
    get_answer_link(conn, token_hash).await
}

/// Uses a link up. Belongs into the transaction that holds it, and does what it is for.
///
/// # Errors
/// When the database fails.
pub async fn use_answer_link(
    conn: &mut Connection,
    token_hash: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    statement("UPDATE answer_links SET used_at = $2 WHERE token_hash = $1")
        .bind::<Binary, _>(token_hash.as_slice())
        .bind::<Timestamptz, _>(now)
        .execute(conn)
        .await?;
    Ok(())
}

/// Removes links that ended 30 days ago.
///
/// # Errors
/// When the database fails.
pub async fn prune_answer_links(conn: &mut Connection, now: DateTime<Utc>) -> Result<usize, StoreError> {
    let removed = statement("DELETE FROM answer_links WHERE expires_at < $1")
        .bind::<Timestamptz, _>(now - KEPT)
        .execute(conn)
        .await?;
    Ok(removed)
}
