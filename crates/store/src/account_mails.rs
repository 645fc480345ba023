//! Mails of accounts on their way to the notifier. A row holds a link that works, and goes once it is sent.

use crate::row::{self, JsonRow};
use crate::{Connection, StoreError, statement};
use bugle_model::UnknownName;
use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::Deserialize;
use uuid::Uuid;

/// Longest text of a mail that says it in one line, in characters.
pub const MAX_ABOUT: usize = 256;

/// What a mail is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Somebody is invited.
    Invitation,
    /// Somebody forgot their password.
    PasswordReset,
    /// Somebody was mentioned in a comment.
    Mention,
    /// Somebody's shifts: they change hands, begin or end.
    Schedule,
}

impl Kind {
    /// The word in the database and in logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::PasswordReset => "password_reset",
            Self::Mention => "mention",
            Self::Schedule => "schedule",
        }
    }
}

impl std::str::FromStr for Kind {
    type Err = UnknownName;
    fn from_str(text: &str) -> Result<Self, UnknownName> {
        match text {
            "invitation" => Ok(Self::Invitation),
            "password_reset" => Ok(Self::PasswordReset),
            "mention" => Ok(Self::Mention),
            "schedule" => Ok(Self::Schedule),
            _ => Err(UnknownName {
                field: "kind",
                value: text.chars().take(64).collect(),
                allowed: "invitation, password_reset, mention, schedule",
            }),
        }
    }
}

/// A mail to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMail<'a> {
    /// What for.
    pub kind: Kind,
    /// To whom.
    pub recipient: &'a str,
    /// Whom the text names: the inviter; what a mention or a mail about shifts says, [`MAX_ABOUT`] characters at most.
    pub about: &'a str,
    /// The link.
    pub link: &'a str,
    /// When it is of no use any more.
    pub expires_at: DateTime<Utc>,
}

/// Puts a mail on its way. Belongs into the transaction that makes the link.
///
/// # Errors
/// When the database fails or refuses the values.
pub async fn add(
    connection: &mut Connection,
    mail: &NewMail<'_>,
    message_id: Uuid,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    statement(
        "INSERT INTO account_mails (message_id, kind, recipient, about, link, created_at, expires_at, next_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $6)",
    )
    .bind::<SqlUuid, _>(message_id)
    .bind::<Text, _>(mail.kind.as_str())
    .bind::<Text, _>(mail.recipient)
    .bind::<Text, _>(mail.about)
    .bind::<Text, _>(mail.link)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(mail.expires_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// A mail that somebody has taken to send.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Due {
    /// Its number.
    pub id: i64,
    /// The same for every attempt.
    pub message_id: Uuid,
    /// What for.
    pub kind: Kind,
    /// To whom.
    pub recipient: String,
    /// Whom the text names.
    pub about: String,
    /// The link.
    pub link: String,
    /// How many attempts, this one included.
    pub attempts: i32,
}

impl std::fmt::Debug for Due {
    /// Without the link, which opens an account.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Due").field("id", &self.id).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Takes up to `limit` mails that are due; nobody else gets them before `lease_until`. Removes those of no use any more.
///
/// # Errors
/// When the database fails.
pub async fn claim(
    connection: &mut Connection,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Due>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "WITH stale AS (DELETE FROM account_mails WHERE expires_at <= $1),
         due AS (
             SELECT id FROM account_mails WHERE next_at <= $1 AND expires_at > $1
             ORDER BY next_at, id LIMIT $3 FOR UPDATE SKIP LOCKED)
         UPDATE account_mails m SET next_at = $2, attempts = m.attempts + 1 FROM due WHERE m.id = due.id
         RETURNING jsonb_build_object('id', m.id, 'message_id', m.message_id, 'kind', m.kind,
             'recipient', m.recipient, 'about', m.about, 'link', m.link, 'attempts', m.attempts) AS row",
    )
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(lease_until)
    .bind::<BigInt, _>(limit)
    .load(connection)
    .await?;
    row::all(rows)
}

/// Removes a mail: it was sent, or never can be.
///
/// # Errors
/// When the database fails.
pub async fn done(connection: &mut Connection, id: i64) -> Result<(), StoreError> {
    statement("DELETE FROM account_mails WHERE id = $1").bind::<BigInt, _>(id).execute(connection).await?;
    Ok(())
}

/// Puts a mail off until a time.
///
/// # Errors
/// When the database fails.
pub async fn put_off(connection: &mut Connection, id: i64, until: DateTime<Utc>) -> Result<(), StoreError> {
    statement("UPDATE account_mails SET next_at = $2 WHERE id = $1")
        .bind::<BigInt, _>(id)
        .bind::<Timestamptz, _>(until)
        .execute(connection)
        .await?;
    Ok(())
}
