//! What people send back from where they are paged: whose it is, and that it counts once.

use super::log::{self, Entry};
use crate::notifications::Delivered;
use crate::row::{self, JsonRow};
use crate::{Connection, StoreError, statement};
use bugle_model::{
    Channel, ContactMethodId, DeliveryStatus, DestinationId, IncidentEvent, IncidentId, NotificationId,
    UserId,
};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{Bool, Int4, Int8, Nullable, SmallInt, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::Deserialize;
use serde_json::json;

/// How long a reply is known, so that one which comes again does nothing.
const KEPT: TimeDelta = TimeDelta::days(30);
/// Why a contact method is off that somebody has sent STOP from.
const STOPPED: &str = "STOP was sent from the number; START switches it on again";

/// Whose contact method a reply came from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ReplyOwner {
    /// The person.
    pub user: UserId,
    /// Their name.
    pub user_name: String,
    /// Their contact method.
    pub contact_method: ContactMethodId,
    /// What they call it.
    pub name: String,
}

/// Who has proven that a number or a Slack id is theirs, the first first; also when it is switched off. Several may share a phone.
///
/// # Errors
/// When the database fails.
pub async fn reply_owners(
    conn: &mut Connection,
    channel: Channel,
    target: &str,
) -> Result<Vec<ReplyOwner>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT jsonb_build_object('user', u.id, 'user_name', u.name, 'contact_method', d.id, 'name', m.name) AS row
         FROM destinations d JOIN contact_methods m ON m.destination_id = d.id JOIN users u ON u.id = d.user_id
         WHERE d.channel = $1 AND d.target = $2 AND m.verified_at IS NOT NULL ORDER BY d.id LIMIT 20",
    )
    .bind::<SmallInt, _>(channel.code())
    .bind::<Text, _>(target)
    .load(conn)
    .await?;
    row::all(rows)
}

/// A reply, by the id that its provider gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply<'a> {
    /// How it came.
    pub channel: Channel,
    /// The provider's id for it; 1 to 256 characters.
    pub provider_id: &'a str,
    /// The contact method that it came from; `None` when it is nobody's.
    pub contact_method: Option<ContactMethodId>,
}

/// Notes a reply, so that it counts once. `Some` is how it was answered when it came before: then nothing is to be done. Belongs into
/// the transaction that does what it asks for: of two that come at once the second waits, and sees how the first was answered.
///
/// # Errors
/// When the database fails.
pub async fn note_reply(
    conn: &mut Connection,
    reply: Reply<'_>,
    now: DateTime<Utc>,
) -> Result<Option<String>, StoreError> {
    let made = statement(
        "INSERT INTO replies (channel, provider_id, destination_id, received_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO NOTHING",
    )
    .bind::<SmallInt, _>(reply.channel.code())
    .bind::<Text, _>(reply.provider_id)
    .bind::<Nullable<Int4>, _>(reply.contact_method.map(|id| id.0))
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    if made == 1 {
        return Ok(None);
    }
    let rows: Vec<JsonRow> =
        statement("SELECT to_jsonb(answer) AS row FROM replies WHERE channel = $1 AND provider_id = $2")
            .bind::<SmallInt, _>(reply.channel.code())
            .bind::<Text, _>(reply.provider_id)
            .load(conn)
            .await?;
    Ok(Some(row::first(rows)?.unwrap_or_default()))
}

/// Notes how a reply was answered, of which 1,000 characters are kept, and whether it asked for something that there is. Belongs into
/// the same transaction.
///
/// # Errors
/// When the database fails.
pub async fn answer_reply(
    conn: &mut Connection,
    reply: Reply<'_>,
    answer: &str,
    understood: bool,
) -> Result<(), StoreError> {
    statement("UPDATE replies SET answer = $3, understood = $4 WHERE channel = $1 AND provider_id = $2")
        .bind::<SmallInt, _>(reply.channel.code())
        .bind::<Text, _>(reply.provider_id)
        .bind::<Text, _>(answer.chars().take(1000).collect::<String>())
        .bind::<Bool, _>(understood)
        .execute(conn)
        .await?;
    Ok(())
}

/// How many replies of a contact method since a time asked for nothing that there is.
///
/// # Errors
/// When the database fails.
pub async fn count_misunderstood(
    conn: &mut Connection,
    contact_method: ContactMethodId,
    since: DateTime<Utc>,
) -> Result<i64, StoreError> {
    let row: JsonRow = statement(
        "SELECT to_jsonb(count(*)) AS row FROM replies WHERE destination_id = $1 AND received_at > $2 AND NOT understood",
    )
    .bind::<Int4, _>(contact_method.0)
    .bind::<Timestamptz, _>(since)
    .get_result(conn)
    .await?;
    row.read()
}

/// Removes replies that came 30 days ago.
///
/// # Errors
/// When the database fails.
pub async fn prune_replies(conn: &mut Connection, now: DateTime<Utc>) -> Result<usize, StoreError> {
    let removed = statement("DELETE FROM replies WHERE received_at < $1")
        .bind::<Timestamptz, _>(now - KEPT)
        .execute(conn)
        .await?;
    Ok(removed)
}

/// Switches the contact methods with this number off, proven or not: its owner has said STOP, and Twilio sends there no more. Those that
/// were on.
///
/// # Errors
/// When the database fails.
pub async fn stop_number(conn: &mut Connection, number: &str) -> Result<Vec<ReplyOwner>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "UPDATE destinations d SET enabled = false, disabled_reason = $3
         FROM contact_methods m, users u
         WHERE d.channel = $1 AND d.target = $2 AND d.enabled AND m.destination_id = d.id AND u.id = d.user_id
         RETURNING jsonb_build_object('user', u.id, 'user_name', u.name, 'contact_method', d.id, 'name', m.name) AS row",
    )
    .bind::<SmallInt, _>(Channel::Sms.code())
    .bind::<Text, _>(number)
    .bind::<Text, _>(STOPPED)
    .load(conn)
    .await?;
    row::all(rows)
}

/// Switches the contact methods with this number on again that are off because of STOP: that was heard of, or Twilio has refused a
/// message because of it (code 21610).
///
/// # Errors
/// When the database fails.
pub async fn start_number(conn: &mut Connection, number: &str) -> Result<Vec<ReplyOwner>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "UPDATE destinations d SET enabled = true, disabled_reason = NULL, failures = 0, open_until = NULL
         FROM contact_methods m, users u
         WHERE d.channel = $1 AND d.target = $2 AND NOT d.enabled AND m.destination_id = d.id AND u.id = d.user_id
            AND (d.disabled_reason = $3 OR d.disabled_reason LIKE '%21610%')
         RETURNING jsonb_build_object('user', u.id, 'user_name', u.name, 'contact_method', d.id, 'name', m.name) AS row",
    )
    .bind::<SmallInt, _>(Channel::Sms.code())
    .bind::<Text, _>(number)
    .bind::<Text, _>(STOPPED)
    .load(conn)
    .await?;
    row::all(rows)
}

/// Switches a destination off that does not work for good, and says why. Whether it was on.
///
/// # Errors
/// When the database fails.
pub async fn switch_off(
    conn: &mut Connection,
    destination: DestinationId,
    reason: &str,
) -> Result<bool, StoreError> {
    let changed =
        statement("UPDATE destinations SET enabled = false, disabled_reason = $2 WHERE id = $1 AND enabled")
            .bind::<Int4, _>(destination.0)
            .bind::<Text, _>(reason)
            .execute(conn)
            .await?;
    Ok(changed == 1)
}

/// Writes onto the timeline of its incident that a page has not arrived, and whether another call follows. Nothing, when it was no page. Composes with the caller's
/// transaction.
///
/// # Errors
/// When the database fails.
pub async fn page_failed(
    conn: &mut Connection,
    page: &Delivered,
    channel: Channel,
    told: (DeliveryStatus, Option<i32>),
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    #[derive(Deserialize)]
    struct Row {
        incident: IncidentId,
        generation: i32,
        user: Option<UserId>,
        name: Option<String>,
    }
    let NotificationId(id) = page.notification;
    let rows: Vec<JsonRow> = statement(
        "SELECT jsonb_build_object('incident', g.incident_id, 'generation', g.generation, 'user', u.id, 'name', u.name) AS row
         FROM incident_pages g LEFT JOIN users u ON u.id = g.user_id WHERE g.notification_id = $1",
    )
    .bind::<Int8, _>(id)
    .load(conn)
    .await?;
    let (status, code) = told;
    let entry = |row: Row| {
        let mut data = json!({
            "people": [{ "user": row.user, "name": row.name }], "channel": channel, "delivery": status, "code": code,
        });
        if let (true, Some(data)) = (page.again, data.as_object_mut()) {
            data.insert("again".to_owned(), true.into());
        }
        Entry { incident: row.incident, generation: row.generation, event: IncidentEvent::PageFailed, data }
    };
    let entries: Vec<Entry> = row::all::<Row>(rows)?.into_iter().map(entry).collect();
    log::write(conn, &entries, None, now).await
}
