//! Failures to sign in, per account and per address. Each attempt is counted before it is looked at, so that many at
//! once are not more than many in a row; one that succeeds is taken back.

use crate::row::{self, JsonRow};
use crate::{Connection, StoreError, statement};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Binary, Integer, Text, Timestamptz};
use diesel_async::RunQueryDsl;

/// This many failures are free; each further one doubles the wait.
pub const FREE: i32 = 10;
/// The first wait, in seconds.
const FIRST_WAIT: i32 = 30;
/// The longest wait, in seconds.
const LONGEST_WAIT: i32 = 3600;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Sign-ins to an account, there or not.
    Account,
    /// Sign-ins from an address.
    Address,
    /// Mails to an account.
    Reset,
    /// Requests for mails from an address.
    ResetAddress,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Address => "address",
            Self::Reset => "reset",
            Self::ResetAddress => "reset_address",
        }
    }
}

/// Counts an attempt. `Err` has the time until which there are to be none.
///
/// # Errors
/// When the database fails.
pub async fn begin(
    connection: &mut Connection,
    kind: Kind,
    subject: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<Result<(), DateTime<Utc>>, StoreError> {
    let counted: Vec<JsonRow> = statement(
        "INSERT INTO login_attempts AS a (kind, subject, failures, last_at) VALUES ($1, $2, 1, $3)
         ON CONFLICT (kind, subject) DO UPDATE SET
             failures = CASE WHEN a.last_at < $3 - interval '1 day' THEN 1 ELSE a.failures + 1 END,
             last_at = $3,
             blocked_until = CASE WHEN a.last_at >= $3 - interval '1 day' AND a.failures + 1 >= $4 THEN
                 $3 + make_interval(secs => least($5 * power(2, least(a.failures + 1 - $4, 12)), $6)) END
         WHERE a.blocked_until IS NULL OR a.blocked_until <= $3
         RETURNING to_jsonb(a.failures) AS row",
    )
    .bind::<Text, _>(kind.as_str())
    .bind::<Binary, _>(subject.as_slice())
    .bind::<Timestamptz, _>(now)
    .bind::<Integer, _>(FREE)
    .bind::<Integer, _>(FIRST_WAIT)
    .bind::<Integer, _>(LONGEST_WAIT)
    .load(connection)
    .await?;
    if !counted.is_empty() {
        return Ok(Ok(()));
    }
    let rows: Vec<JsonRow> = statement(
        "SELECT to_jsonb(coalesce(blocked_until, $3)) AS row FROM login_attempts WHERE kind = $1 AND subject = $2",
    )
    .bind::<Text, _>(kind.as_str())
    .bind::<Binary, _>(subject.as_slice())
    .bind::<Timestamptz, _>(now)
    .load(connection)
    .await?;
    Ok(Err(row::first(rows)?.unwrap_or(now)))
}

/// Takes one attempt back: it was none.
///
/// # Errors
/// When the database fails.
pub async fn take_back(
    connection: &mut Connection,
    kind: Kind,
    subject: &[u8; 32],
) -> Result<(), StoreError> {
    statement(
        "UPDATE login_attempts SET failures = greatest(failures - 1, 0),
             blocked_until = CASE WHEN failures - 1 >= $3 THEN blocked_until END
         WHERE kind = $1 AND subject = $2",
    )
    .bind::<Text, _>(kind.as_str())
    .bind::<Binary, _>(subject.as_slice())
    .bind::<Integer, _>(FREE)
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets all attempts: it succeeded.
///
/// # Errors
/// When the database fails.
pub async fn forget(connection: &mut Connection, kind: Kind, subject: &[u8; 32]) -> Result<(), StoreError> {
    statement("DELETE FROM login_attempts WHERE kind = $1 AND subject = $2")
        .bind::<Text, _>(kind.as_str())
        .bind::<Binary, _>(subject.as_slice())
        .execute(connection)
        .await?;
    Ok(())
}

/// Removes what has ended: attempts, sessions, links.
///
/// # Errors
/// When the database fails.
pub async fn prune(connection: &mut Connection, now: DateTime<Utc>) -> Result<(), StoreError> {
    statement("DELETE FROM login_attempts WHERE last_at < $1 - interval '2 days'")
        .bind::<Timestamptz, _>(now)
        .execute(connection)
        .await?;
    statement("DELETE FROM sessions WHERE expires_at <= $1 OR last_seen_at <= $2")
        .bind::<Timestamptz, _>(now)
        .bind::<Timestamptz, _>(now - crate::sessions::IDLE)
        .execute(connection)
        .await?;
    statement("DELETE FROM invitations WHERE expires_at <= $1")
        .bind::<Timestamptz, _>(now)
        .execute(connection)
        .await?;
    statement("DELETE FROM password_resets WHERE expires_at <= $1")
        .bind::<Timestamptz, _>(now)
        .execute(connection)
        .await?;
    statement("DELETE FROM setup_tokens WHERE expires_at <= $1")
        .bind::<Timestamptz, _>(now)
        .execute(connection)
        .await?;
    Ok(())
}
