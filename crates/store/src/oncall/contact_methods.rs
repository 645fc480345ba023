//! How people are reached. A contact method is a destination of a person, with a name and the proof that it is theirs.

use crate::destinations::{self, Destination, Invalid, Looks};
use crate::notifications;
use crate::row::{self, JsonRow};
use crate::{Connection, StoreError, statement};
use bugle_model::{
    Channel, ContactMethodId, DestinationId, DestinationSettings, NotificationId, SignalKind, UserId,
};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, Bool, Int4, Jsonb, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// How many contact methods a person may have.
pub const MAX_METHODS: i64 = 20;
/// How often a code may be tried.
pub const MAX_CODE_TRIES: i16 = 5;
/// How long a code holds.
const CODE_HOLDS: TimeDelta = TimeDelta::minutes(15);
/// No two codes within this time: each may cost money.
const CODE_EVERY: TimeDelta = TimeDelta::minutes(1);

/// A contact method as its owner sees it; without secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContactMethod {
    /// Its id.
    pub id: ContactMethodId,
    /// What its owner calls it.
    pub name: String,
    /// How messages travel.
    pub channel: Channel,
    /// The address, number, URL or Slack id.
    pub target: String,
    /// Since when it is proven to be theirs; never paged before.
    pub verified_at: Option<DateTime<Utc>>,
    /// Off: it did not work any more.
    pub enabled: bool,
    /// Why Bugle switched it off.
    pub disabled_reason: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A contact method to be made.
#[derive(Debug, Clone)]
pub struct NewContactMethod {
    /// Whose.
    pub user: UserId,
    /// What they call it; 1 to 64 characters.
    pub name: String,
    /// How messages travel.
    pub channel: Channel,
    /// The address, number, URL or Slack id.
    pub target: String,
    /// Secrets; see [`DestinationSettings`].
    pub settings: DestinationSettings,
    /// It is known to be theirs: their account's own address.
    pub verified: bool,
}

/// Everything that is wrong with one; empty when it can be made.
#[must_use]
pub fn contact_method_mistakes(new: &NewContactMethod) -> Vec<Invalid> {
    destinations::mistakes(Looks { channel: new.channel, target: &new.target, settings: &new.settings })
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = Int4)]
    id: i32,
}

/// Makes one that was checked with [`contact_method_mistakes`]. `None` when the person has [`MAX_METHODS`] already. Composes with the caller's
/// transaction.
///
/// # Errors
/// When the database fails.
pub async fn create_contact_method(
    conn: &mut Connection,
    new: &NewContactMethod,
    now: DateTime<Utc>,
) -> Result<Option<ContactMethodId>, StoreError> {
    let settings =
        serde_json::to_value(&new.settings).map_err(|error| StoreError::Damaged(error.to_string()))?;
    // The person is locked, so that two at once are counted one after the other.
    statement("SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE")
        .bind::<Int4, _>(new.user.0)
        .execute(conn)
        .await?;
    let made: Vec<Id> = statement(
        "WITH made AS (
            INSERT INTO destinations (user_id, channel, target, min_priority, settings, created_at)
            SELECT $1, $2, $3, 1, $4, $5 WHERE (SELECT count(*) FROM destinations WHERE user_id = $1) < $8
            RETURNING id)
         INSERT INTO contact_methods (destination_id, name, verified_at)
         SELECT id, $6, CASE WHEN $7 THEN $5 END FROM made RETURNING destination_id AS id",
    )
    .bind::<Int4, _>(new.user.0)
    .bind::<SmallInt, _>(new.channel.code())
    .bind::<Text, _>(new.target.trim())
    .bind::<Jsonb, _>(settings)
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(&new.name)
    .bind::<Bool, _>(new.verified)
    .bind::<diesel::sql_types::BigInt, _>(MAX_METHODS)
    .load(conn)
    .await?;
    Ok(made.into_iter().next().map(|row| ContactMethodId(row.id)))
}

/// The contact methods of a person, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn list_contact_methods(
    conn: &mut Connection,
    user: UserId,
) -> Result<Vec<ContactMethod>, StoreError> {
    #[derive(QueryableByName)]
    struct Named {
        #[diesel(embed)]
        destination: destinations::Row,
        #[diesel(sql_type = Text)]
        name: String,
        #[diesel(sql_type = diesel::sql_types::Nullable<Timestamptz>)]
        verified_at: Option<DateTime<Utc>>,
    }
    let rows: Vec<Named> = statement(
        "SELECT d.*, m.name, m.verified_at FROM destinations d JOIN contact_methods m ON m.destination_id = d.id
         WHERE d.user_id = $1 ORDER BY d.id",
    )
    .bind::<Int4, _>(user.0)
    .load(conn)
    .await?;
    let view = |row: Named| {
        let Destination { id, channel, target, enabled, disabled_reason, created_at, .. } =
            Destination::try_from(row.destination)?;
        let (id, name, verified_at) = (ContactMethodId(id.0), row.name, row.verified_at);
        Ok(ContactMethod { id, name, channel, target, verified_at, enabled, disabled_reason, created_at })
    };
    rows.into_iter().map(view).collect()
}

/// Removes a contact method of a person with its rules and what is to go there. Whether it was there.
///
/// # Errors
/// When the database fails.
pub async fn delete_contact_method(
    conn: &mut Connection,
    user: UserId,
    id: ContactMethodId,
) -> Result<bool, StoreError> {
    let gone = statement("DELETE FROM destinations WHERE id = $1 AND user_id = $2")
        .bind::<Int4, _>(id.0)
        .bind::<Int4, _>(user.0)
        .execute(conn)
        .await?;
    Ok(gone == 1)
}

/// Sends a code to a contact method of a person, in place of the one before. `None` when one was sent a moment ago, which costs a minute.
/// Composes with the caller's transaction.
///
/// # Errors
/// When the database fails.
pub async fn send_code(
    conn: &mut Connection,
    id: ContactMethodId,
    code: &str,
    message_id: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<NotificationId>, StoreError> {
    let set = statement(
        "UPDATE contact_methods SET code = $2, code_expires_at = $3, code_tries = 0
         WHERE destination_id = $1 AND (code_expires_at IS NULL OR code_expires_at <= $4)",
    )
    .bind::<Int4, _>(id.0)
    .bind::<Text, _>(code)
    .bind::<Timestamptz, _>(now + CODE_HOLDS)
    .bind::<Timestamptz, _>(now + CODE_HOLDS - CODE_EVERY)
    .execute(conn)
    .await?;
    if set == 0 {
        return Ok(None);
    }
    // What was switched off may have been put right: the code shows it.
    statement("UPDATE destinations SET enabled = true, disabled_reason = NULL, failures = 0, open_until = NULL WHERE id = $1 AND NOT enabled")
        .bind::<Int4, _>(id.0)
        .execute(conn)
        .await?;
    insert_message(conn, id, SignalKind::Verification, message_id, now).await
}

/// Sends a test to a contact method, due at once.
///
/// # Errors
/// When the database fails.
pub async fn send_test(
    conn: &mut Connection,
    id: ContactMethodId,
    message_id: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<NotificationId>, StoreError> {
    notifications::insert_test(conn, DestinationId(id.0), message_id, now).await
}

async fn insert_message(
    conn: &mut Connection,
    id: ContactMethodId,
    kind: SignalKind,
    message_id: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<NotificationId>, StoreError> {
    #[derive(QueryableByName)]
    struct Made {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        id: i64,
    }
    // A code that has not left yet is of no use any more.
    statement("UPDATE notifications SET state = 4, error = $3, finished_at = $2, next_at = NULL WHERE destination_id = $1 AND kind = $4 AND state = 0")
        .bind::<Int4, _>(id.0)
        .bind::<Timestamptz, _>(now)
        .bind::<Text, _>("another code was sent")
        .bind::<SmallInt, _>(kind.code())
        .execute(conn)
        .await?;
    let rows: Vec<Made> = statement(
        "INSERT INTO notifications (message_id, destination_id, kind, priority, received_at, created_at, next_at)
         SELECT $2, id, $3, 4, $4, $4, $4 FROM destinations WHERE id = $1 AND user_id IS NOT NULL RETURNING id",
    )
    .bind::<Int4, _>(id.0)
    .bind::<SqlUuid, _>(message_id)
    .bind::<SmallInt, _>(kind.code())
    .bind::<Timestamptz, _>(now)
    .load(conn)
    .await?;
    Ok(rows.into_iter().next().map(|row| NotificationId(row.id)))
}

/// What came of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified {
    /// It is the right one: the contact method is proven.
    Yes,
    /// It is not.
    Wrong,
    /// There is none that could be right: none was sent, it has ended, or was tried too often.
    NoCode,
}

/// Tries a code. Each try counts, right or wrong, before it is looked at. Must not be part of a transaction that is rolled back.
///
/// # Errors
/// When the database fails.
pub async fn verify_contact_method(
    conn: &mut Connection,
    id: ContactMethodId,
    code: &str,
    now: DateTime<Utc>,
) -> Result<Verified, StoreError> {
    #[derive(QueryableByName)]
    struct Tried {
        #[diesel(sql_type = Bool)]
        right: bool,
    }
    let tried: Vec<Tried> = statement(
        "UPDATE contact_methods SET code_tries = code_tries + 1
         WHERE destination_id = $1 AND code IS NOT NULL AND code_expires_at > $2 AND code_tries < $3
         RETURNING code = $4 AS right",
    )
    .bind::<Int4, _>(id.0)
    .bind::<Timestamptz, _>(now)
    .bind::<SmallInt, _>(MAX_CODE_TRIES)
    .bind::<Text, _>(code)
    .load(conn)
    .await?;
    match tried.into_iter().next() {
        None => Ok(Verified::NoCode),
        Some(Tried { right: false }) => Ok(Verified::Wrong),
        Some(Tried { right: true }) => {
            statement(
                "UPDATE contact_methods SET verified_at = COALESCE(verified_at, $2), code = NULL, code_expires_at = NULL
                 WHERE destination_id = $1",
            )
            .bind::<Int4, _>(id.0)
            .bind::<Timestamptz, _>(now)
            .execute(conn)
            .await?;
            Ok(Verified::Yes)
        }
    }
}

/// The account's address as a contact method of each who has no other, so that nobody who is on call is out of reach only because
/// they have set up nothing. One that was switched off stays so.
pub(super) async fn account_email(
    conn: &mut Connection,
    users: &[UserId],
    now: DateTime<Utc>,
) -> Result<BTreeMap<UserId, ContactMethodId>, StoreError> {
    if users.is_empty() {
        return Ok(BTreeMap::new());
    }
    let ids: Vec<i32> = users.iter().map(|user| user.0).collect();
    // In order, so that two who do this at once do not wait for each other; the second sees what the first has made.
    statement("SELECT FROM users WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE")
        .bind::<Array<Int4>, _>(&ids)
        .execute(conn)
        .await?;
    statement(
        "WITH made AS (
            INSERT INTO destinations (user_id, channel, target, min_priority, created_at)
            SELECT u.id, $3, u.email, 1, $2 FROM users u WHERE u.id = ANY($1) AND NOT EXISTS (
                SELECT 1 FROM destinations d WHERE d.user_id = u.id AND d.channel = $3 AND lower(d.target) = lower(u.email))
            RETURNING id)
         INSERT INTO contact_methods (destination_id, name, verified_at) SELECT id, 'Account', $2 FROM made",
    )
    .bind::<Array<Int4>, _>(&ids)
    .bind::<Timestamptz, _>(now)
    .bind::<SmallInt, _>(Channel::Email.code())
    .execute(conn)
    .await?;
    let rows: Vec<JsonRow> = statement(
        "SELECT jsonb_build_array(d.user_id, d.id) AS row FROM destinations d JOIN contact_methods m ON m.destination_id = d.id
         WHERE d.user_id = ANY($1) AND d.enabled AND m.verified_at IS NOT NULL ORDER BY d.id DESC",
    )
    .bind::<Array<Int4>, _>(&ids)
    .load(conn)
    .await?;
    Ok(row::all::<(UserId, ContactMethodId)>(rows)?.into_iter().collect())
}
