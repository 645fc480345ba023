//! How an attempt ended: the attempt, the notification's new state and the destination's in one statement.

use crate::{Connection, StoreError, statement};
use bugle_model::{DestinationId, NotificationId, NotificationState};
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{
    Array, Bool, Float8, Int4, Int8, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel_async::RunQueryDsl;
use std::collections::HashSet;
use uuid::Uuid;

/// Longest answer and error that are kept, in characters.
const MAX_TEXT: usize = 2000;
/// Longest id of a provider.
const MAX_PROVIDER_ID: usize = 256;

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptResult {
    /// The provider accepted it.
    Delivered,
    /// It may succeed later.
    Retry,
    /// It cannot succeed.
    Failed,
}

impl AttemptResult {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Retry => "retry",
            Self::Failed => "failed",
        }
    }
}

/// What becomes of the notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Done.
    Sent {
        /// The provider's id for it.
        provider_id: Option<String>,
    },
    /// Tried again.
    Again {
        /// When.
        at: DateTime<Utc>,
        /// The attempt may have arrived all the same.
        ambiguous: bool,
        /// Why it did not succeed now.
        error: String,
    },
    /// Given up.
    Failed {
        /// Why.
        error: String,
    },
    /// No longer wanted.
    Cancelled {
        /// Why.
        reason: String,
    },
}

/// What becomes of the destination.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Nothing.
    None,
    /// It works: the circuit breaker closes.
    Works,
    /// It failed. After `threshold` failures in a row the breaker opens for `pause` seconds, twice as long with each
    /// further failure, up to `max_pause`.
    Fails {
        /// Failures in a row.
        threshold: i32,
        /// Seconds.
        pause: f64,
        /// Seconds.
        max_pause: f64,
    },
    /// It asked to be left alone until then.
    Wait(DateTime<Utc>),
    /// It is switched off, for this reason.
    Disable(String),
}

/// How an attempt ended, and what follows.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The notification.
    pub notification: NotificationId,
    /// Where it went.
    pub destination: DestinationId,
    /// The claim's; when another has claimed the notification meanwhile, nothing is changed.
    pub leased_by: Uuid,
    /// When the attempt began.
    pub started_at: DateTime<Utc>,
    /// How long it took, in milliseconds.
    pub duration_ms: i32,
    /// The time.
    pub now: DateTime<Utc>,
    /// How it ended.
    pub result: AttemptResult,
    /// The provider's status: an HTTP or SMTP code.
    pub status: Option<i32>,
    /// The provider's answer.
    pub answer: Option<String>,
    /// What becomes of the notification.
    pub next: Next,
    /// What becomes of the destination.
    pub effect: Effect,
}

impl Record {
    /// A delivery that says nothing else: many of them can be written at once.
    #[must_use]
    pub const fn is_plain(&self) -> bool {
        matches!((&self.next, &self.effect), (Next::Sent { .. }, Effect::Works))
    }
}

/// The columns of `notifications` that a [`Next`] sets.
struct Columns<'a> {
    state: NotificationState,
    next_at: Option<DateTime<Utc>>,
    ambiguous: bool,
    provider_id: Option<String>,
    error: Option<&'a str>,
}

impl<'a> From<&'a Next> for Columns<'a> {
    fn from(next: &'a Next) -> Self {
        let ended = |state, error| Self { state, next_at: None, ambiguous: false, provider_id: None, error };
        match next {
            Next::Sent { provider_id } => {
                let provider_id = provider_id.as_deref().map(|id| cut(id, MAX_PROVIDER_ID));
                Self { provider_id, ..ended(NotificationState::Sent, None) }
            }
            Next::Again { at, ambiguous, error } => Self {
                next_at: Some(*at),
                ambiguous: *ambiguous,
                ..ended(NotificationState::Pending, Some(error))
            },
            Next::Failed { error } => ended(NotificationState::Failed, Some(error)),
            Next::Cancelled { reason } => ended(NotificationState::Cancelled, Some(reason)),
        }
    }
}

/// PostgreSQL takes no NUL in a text.
fn cut(text: &str, limit: usize) -> String {
    text.chars().filter(|c| *c != '\0').take(limit).collect()
}

#[derive(QueryableByName)]
struct Done {
    #[diesel(sql_type = Int8)]
    done: i64,
}

#[derive(QueryableByName)]
struct Ended {
    #[diesel(sql_type = Int8)]
    id: i64,
}

/// Writes it. Whether the notification was still this claim's.
///
/// # Errors
/// When the database fails; then nothing was written.
pub async fn record(conn: &mut Connection, record: &Record) -> Result<bool, StoreError> {
    let columns = Columns::from(&record.next);
    let (works, fails, wait, disable) = match &record.effect {
        Effect::None => (false, None, None, None),
        Effect::Works => (true, None, None, None),
        Effect::Fails { threshold, pause, max_pause } => {
            (false, Some((threshold, pause, max_pause)), None, None)
        }
        Effect::Wait(until) => (false, None, Some(*until), None),
        Effect::Disable(reason) => (false, None, None, Some(cut(reason, MAX_TEXT))),
    };
    let done: Done = statement(
        "WITH ended AS (
            UPDATE notifications SET next_at = $4, lease_until = NULL, leased_by = NULL,
                dispatched_at = CASE WHEN $5 THEN dispatched_at END, provider_id = $6,
                finished_at = CASE WHEN $3 > 1 THEN $8 END,
                -- What the provider has said of this message before its acceptance was written down.
                state = CASE WHEN $3 = 2 AND provider_id = $6 AND delivery > 5 THEN 3 ELSE $3 END,
                error = CASE WHEN $3 = 2 AND provider_id = $6 AND delivery > 5 THEN error ELSE $7 END,
                delivery = CASE WHEN provider_id = $6 THEN delivery END,
                delivery_code = CASE WHEN provider_id = $6 THEN delivery_code END
            WHERE id = $1 AND state = 1 AND leased_by = $2 RETURNING id, attempts),
         tried AS (
            INSERT INTO notification_attempts (notification_id, number, started_at, duration_ms, result, status, answer)
            SELECT id, attempts, $9, $10, $11, $12, $13 FROM ended ON CONFLICT DO NOTHING),
         affected AS (
            UPDATE destinations SET
                failures = CASE WHEN $15 THEN 0 WHEN $16 IS NOT NULL THEN failures + 1 ELSE failures END,
                open_until = CASE
                    WHEN $15 THEN NULL
                    WHEN $16 IS NOT NULL AND failures + 1 >= $16 THEN GREATEST(open_until, $8 + interval '1 second'
                        * LEAST($18, $17 * power(2::float8, LEAST(failures + 1 - $16, 30))))
                    WHEN $19 IS NOT NULL THEN GREATEST(open_until, $19)
                    ELSE open_until END,
                enabled = enabled AND $20 IS NULL,
                disabled_reason = COALESCE($20, disabled_reason)
            WHERE id = $14 AND EXISTS (SELECT 1 FROM ended)
                AND (($15 AND failures > 0) OR $16 IS NOT NULL OR $19 IS NOT NULL OR $20 IS NOT NULL))
         SELECT count(*) AS done FROM ended",
    )
    .bind::<Int8, _>(record.notification.0)
    .bind::<SqlUuid, _>(record.leased_by)
    .bind::<SmallInt, _>(columns.state.code())
    .bind::<Nullable<Timestamptz>, _>(columns.next_at)
    .bind::<Bool, _>(columns.ambiguous)
    .bind::<Nullable<Text>, _>(columns.provider_id)
    .bind::<Nullable<Text>, _>(columns.error.map(|text| cut(text, MAX_TEXT)))
    .bind::<Timestamptz, _>(record.now)
    .bind::<Timestamptz, _>(record.started_at)
    .bind::<Int4, _>(record.duration_ms.max(0))
    .bind::<Text, _>(record.result.as_str())
    .bind::<Nullable<Int4>, _>(record.status)
    .bind::<Nullable<Text>, _>(record.answer.as_deref().map(|text| cut(text, MAX_TEXT)))
    .bind::<Int4, _>(record.destination.0)
    .bind::<Bool, _>(works)
    .bind::<Nullable<Int4>, _>(fails.map(|(threshold, ..)| *threshold))
    .bind::<Nullable<Float8>, _>(fails.map(|(_, pause, _)| *pause))
    .bind::<Nullable<Float8>, _>(fails.map(|(.., max_pause)| *max_pause))
    .bind::<Nullable<Timestamptz>, _>(wait)
    .bind::<Nullable<Text>, _>(disable)
    .get_result(conn)
    .await?;
    Ok(done.done == 1)
}

/// Writes several deliveries (those that are [plain](Record::is_plain)) in one statement. Those of which the notification was still
/// the claim's.
///
/// # Errors
/// When the database fails; then nothing was written.
pub async fn record_delivered(
    conn: &mut Connection,
    records: &[&Record],
) -> Result<HashSet<NotificationId>, StoreError> {
    let provider_id = |record: &Record| match &record.next {
        Next::Sent { provider_id } => provider_id.as_deref().map(|id| cut(id, MAX_PROVIDER_ID)),
        _ => None,
    };
    let answer = |record: &Record| record.answer.as_deref().map(|text| cut(text, MAX_TEXT));
    let ended: Vec<Ended> = statement(
        "WITH s AS (SELECT * FROM UNNEST($1::bigint[], $2::uuid[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::int[],
                $7::int[], $8::text[]) AS s (id, leased_by, provider_id, now, started_at, duration_ms, status, answer)),
         ended AS (
            UPDATE notifications n SET next_at = NULL, lease_until = NULL, leased_by = NULL, dispatched_at = NULL,
                provider_id = s.provider_id, finished_at = s.now,
                -- As in record().
                state = CASE WHEN n.provider_id = s.provider_id AND n.delivery > 5 THEN 3 ELSE $9 END,
                error = CASE WHEN n.provider_id = s.provider_id AND n.delivery > 5 THEN n.error END,
                delivery = CASE WHEN n.provider_id = s.provider_id THEN n.delivery END,
                delivery_code = CASE WHEN n.provider_id = s.provider_id THEN n.delivery_code END
            FROM s WHERE n.id = s.id AND n.state = 1 AND n.leased_by = s.leased_by RETURNING n.id, n.attempts),
         tried AS (
            INSERT INTO notification_attempts (notification_id, number, started_at, duration_ms, result, status, answer)
            SELECT s.id, ended.attempts, s.started_at, s.duration_ms, $10, s.status, s.answer FROM ended JOIN s USING (id)
            ON CONFLICT DO NOTHING),
         -- In one order, so that two that record at the same time do not wait for each other.
         failing AS (SELECT id FROM destinations WHERE id = ANY ($11) AND failures > 0 ORDER BY id FOR NO KEY UPDATE),
         works AS (UPDATE destinations d SET failures = 0, open_until = NULL FROM failing WHERE d.id = failing.id)
         SELECT id FROM ended",
    )
    .bind::<Array<Int8>, _>(records.iter().map(|one| one.notification.0).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(records.iter().map(|one| one.leased_by).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(records.iter().map(|one| provider_id(one)).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(records.iter().map(|one| one.now).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(records.iter().map(|one| one.started_at).collect::<Vec<_>>())
    .bind::<Array<Int4>, _>(records.iter().map(|one| one.duration_ms.max(0)).collect::<Vec<_>>())
    .bind::<Array<Nullable<Int4>>, _>(records.iter().map(|one| one.status).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(records.iter().map(|one| answer(one)).collect::<Vec<_>>())
    .bind::<SmallInt, _>(NotificationState::Sent.code())
    .bind::<Text, _>(AttemptResult::Delivered.as_str())
    .bind::<Array<Int4>, _>(records.iter().map(|one| one.destination.0).collect::<Vec<_>>())
    .load(conn)
    .await?;
    Ok(ended.into_iter().map(|row| NotificationId(row.id)).collect())
}
