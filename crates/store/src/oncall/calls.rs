//! Calls that page people, as those who answer by a key are known.

use super::replies::ReplyOwner;
use crate::row::{self, JsonRow};
use crate::{Connection, StoreError, statement};
use bugle_model::{Channel, IncidentId};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{SmallInt, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::Deserialize;
use uuid::Uuid;

/// A call to somebody who has proven that the number is theirs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Call {
    /// Whose contact method was called.
    pub owner: ReplyOwner,
    /// The number, in E.164.
    pub number: String,
    /// The incident that it is about, in the generation in which it paged; `None` is a test.
    pub about: Option<(IncidentId, i32)>,
}

/// How long after it was made a call can be answered; Twilio's signature has no time of its own.
const ANSWERABLE: TimeDelta = TimeDelta::days(1);

/// The call that is this message; none when that is long ago.
///
/// # Errors
/// When the database fails.
pub async fn find_call(
    conn: &mut Connection,
    message_id: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<Call>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT jsonb_build_object(
            'owner', jsonb_build_object('user', u.id, 'user_name', u.name, 'contact_method', d.id, 'name', m.name),
            'number', d.target,
            'about', CASE WHEN g.incident_id IS NOT NULL THEN jsonb_build_array(g.incident_id, g.generation) END) AS row
         FROM notifications n JOIN destinations d ON d.id = n.destination_id
         JOIN contact_methods m ON m.destination_id = d.id JOIN users u ON u.id = d.user_id
         LEFT JOIN incident_pages g ON g.notification_id = n.id
         WHERE n.message_id = $1 AND d.channel = $2 AND m.verified_at IS NOT NULL
            AND COALESCE(n.dispatched_at, n.created_at) > $3",
    )
    .bind::<SqlUuid, _>(message_id)
    .bind::<SmallInt, _>(Channel::Voice.code())
    .bind::<Timestamptz, _>(now - ANSWERABLE)
    .load(conn)
    .await?;
    row::first(rows)
}
