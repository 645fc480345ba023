//! What a provider says became of a message that it had taken.

use crate::row::{self, JsonRow};
use crate::{Connection, StoreError, statement};
use bugle_model::{Channel, DeliveryStatus, DestinationId, NotificationId, UserId};
use diesel::sql_types::{Bool, Int4, Nullable, SmallInt, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::Deserialize;
use uuid::Uuid;

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
}

/// Writes down what a provider says, when it says more than before: messages about one message come in any order, and may come twice.
/// accepted < queued < sending < sent < delivered, undelivered and failed, which are last words. One that was sent and has not arrived is
/// failed. `None` when nothing changed: it is nothing new, of a message that was sent again since, or of none of ours. Composes with the
/// caller's transaction.
///
/// # Errors
/// When the database fails.
pub async fn deliver(
    conn: &mut Connection,
    delivery: &Delivery<'_>,
) -> Result<Option<Delivered>, StoreError> {
    let Delivery { status, code, .. } = delivery;
    let code_text = code.map(|code| format!(", code {code}")).unwrap_or_default();
    let rows: Vec<JsonRow> = statement(
        // Before the sender has written down that it was taken, it does not know the provider's id yet.
        "UPDATE notifications n SET delivery = $4, delivery_code = $5, provider_id = $3,
            state = CASE WHEN $6 AND n.state = 2 THEN 3 ELSE n.state END,
            error = CASE WHEN $6 AND n.state IN (1, 2) THEN $7 ELSE n.error END
         FROM destinations d
         WHERE n.message_id = $1 AND d.id = n.destination_id AND d.channel = $2
            AND (n.provider_id IS NULL OR n.provider_id = $3)
            AND (n.delivery IS NULL OR LEAST(n.delivery, $8) < LEAST($4, $8))
         RETURNING jsonb_build_object('notification', n.id, 'destination', d.id, 'user', d.user_id) AS row",
    )
    .bind::<SqlUuid, _>(delivery.message_id)
    .bind::<SmallInt, _>(delivery.channel.code())
    .bind::<Text, _>(delivery.provider_id)
    .bind::<SmallInt, _>(status.code())
    .bind::<Nullable<Int4>, _>(*code)
    .bind::<Bool, _>(status.is_failure())
    .bind::<Text, _>(format!("the provider says that it was not delivered: {status}{code_text}"))
    .bind::<SmallInt, _>(DeliveryStatus::Delivered.code())
    .load(conn)
    .await?;
    row::first(rows)
}
