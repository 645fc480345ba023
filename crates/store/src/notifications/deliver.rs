//! What a provider says became of a message that it had taken.

use crate::row::{self, JsonRow};
use crate::{Connection, StoreError, statement};
use bugle_model::{Channel, DeliveryStatus, DestinationId, NotificationId, SignalKind, UserId};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{Bool, Int4, Int8, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::Deserialize;
use uuid::Uuid;

/// How often somebody is called about one page at most: when the line is busy, or nobody takes the call.
pub const MAX_CALLS: i64 = 3;
/// The pause after a call that was not taken.
pub const CALL_AGAIN_AFTER: TimeDelta = TimeDelta::minutes(1);

/// What the provider says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery<'a> {
    /// Which message: ours for it.
    pub message_id: Uuid,
    /// How it travels.
    pub channel: Channel,
    /// The provider's id for it, 256 characters at most.
    pub provider_id: &'a str,
    /// What became of it.
    pub status: DeliveryStatus,
    /// The provider's own word for it.
    pub word: &'a str,
    /// The provider's error code.
    pub code: Option<i32>,
}

/// The notification that it was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Delivered {
    /// Which.
    pub notification: NotificationId,
    /// Where it went.
    pub destination: DestinationId,
    /// Whose contact method that is; `None` is a project's destination.
    pub user: Option<UserId>,
    /// It is a page by a call that was not taken: whom it is for is called again, unless somebody answers before.
    pub again: bool,
}

/// Writes down what a provider says, when it says more than before: messages about one message come in any order, and may come twice.
/// accepted < queued < sending < sent < delivered, undelivered and failed, which are last words. One that was sent and has not arrived is
/// failed; but a page by a call that was not taken waits for another call, up to [`MAX_CALLS`]. `None` when nothing changed: it is nothing new, of a
/// message that was sent again since, or of none of ours. Composes with the caller's transaction.
///
/// # Errors
/// When the database fails.
pub async fn deliver(
    conn: &mut Connection,
    delivery: &Delivery<'_>,
    now: DateTime<Utc>,
) -> Result<Option<Delivered>, StoreError> {
    let Delivery { status, word, code, .. } = delivery;
    let code_text = code.map(|code| format!(", code {code}")).unwrap_or_default();
    let rows: Vec<JsonRow> = statement(
        // Before the sender has written down that it was taken, it does not know the provider's id yet. Of one that waits and has not left,
        // nothing can be news.
        "WITH told AS (
            SELECT n.id, d.id AS destination, d.user_id,
                $6 AND n.state = 2 AND n.kind = $9 AND d.channel = $10 AND (SELECT count(*) FROM notification_attempts a
                    WHERE a.notification_id = n.id AND a.result = 'delivered') < $11 AS again
            FROM notifications n JOIN destinations d ON d.id = n.destination_id
            WHERE n.message_id = $1 AND d.channel = $2
                AND (n.state <> 0 OR n.dispatched_at IS NOT NULL)
                AND (n.provider_id IS NULL OR n.provider_id = $3)
                AND (n.delivery IS NULL OR LEAST(n.delivery, $8) < LEAST($4, $8))
            FOR NO KEY UPDATE OF n)
         UPDATE notifications n SET
            delivery = CASE WHEN NOT told.again THEN $4 END,
            delivery_code = CASE WHEN NOT told.again THEN $5 END,
            provider_id = CASE WHEN NOT told.again THEN $3 END,
            state = CASE WHEN told.again THEN 0 WHEN $6 AND n.state = 2 THEN 3 ELSE n.state END,
            next_at = CASE WHEN told.again THEN $12 ELSE n.next_at END,
            finished_at = CASE WHEN NOT told.again THEN n.finished_at END,
            error = CASE WHEN $6 AND n.state IN (1, 2) THEN $7 ELSE n.error END
         FROM told WHERE n.id = told.id
         RETURNING jsonb_build_object('notification', n.id, 'destination', told.destination, 'user', told.user_id,
            'again', told.again) AS row",
    )
    .bind::<SqlUuid, _>(delivery.message_id)
    .bind::<SmallInt, _>(delivery.channel.code())
    .bind::<Text, _>(delivery.provider_id)
    .bind::<SmallInt, _>(status.code())
    .bind::<Nullable<Int4>, _>(*code)
    .bind::<Bool, _>(status.is_failure())
    .bind::<Text, _>(format!("the provider says that it was not delivered: {word}{code_text}"))
    .bind::<SmallInt, _>(DeliveryStatus::Delivered.code())
    .bind::<SmallInt, _>(SignalKind::Page.code())
    .bind::<SmallInt, _>(Channel::Voice.code())
    .bind::<Int8, _>(MAX_CALLS)
    .bind::<Timestamptz, _>(now + CALL_AGAIN_AFTER)
    .load(conn)
    .await?;
    row::first(rows)
}
