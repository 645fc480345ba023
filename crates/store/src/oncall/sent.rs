//! How many messages a person has sent to contact methods of theirs: each may cost money, and until it is proven nobody knows whose phone
//! rings.

use crate::row::{self, JsonRow};
use crate::{Connection, StoreError, statement};
use bugle_model::UserId;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{Int4, Timestamptz};
use diesel_async::RunQueryDsl;

/// How many codes and tests a person may have sent within an hour.
pub const MESSAGES_AN_HOUR: usize = 10;
/// How many within a day.
pub const MESSAGES_A_DAY: usize = 30;

/// From when on a person may have another code or test sent; `None`: at once. Holds the person until the end of the caller's transaction,
/// which writes the message into the audit log, as `contact_method.code_sent` or `contact_method.tested`. That is what is counted:
/// removing a contact method takes what was sent there along, and nothing takes an entry out of that log.
///
/// # Errors
/// When the database fails.
pub async fn next_message_at(
    conn: &mut Connection,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    statement("SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE")
        .bind::<Int4, _>(user.0)
        .execute(conn)
        .await?;
    let rows: Vec<JsonRow> = statement(
        "SELECT to_jsonb(at) AS row FROM audit_log
         WHERE actor_kind = 'user' AND actor_id = $1 AND at > $2
            AND action IN ('contact_method.code_sent', 'contact_method.tested')
         ORDER BY at DESC",
    )
    .bind::<Int4, _>(user.0)
    .bind::<Timestamptz, _>(now - TimeDelta::days(1))
    .load(conn)
    .await?;
    Ok(next_at(&row::all::<DateTime<Utc>>(rows)?, now))
}

/// From when on there may be another after those that were sent at these times, the newest first.
fn next_at(sent: &[DateTime<Utc>], now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let limits = [(MESSAGES_AN_HOUR, TimeDelta::hours(1)), (MESSAGES_A_DAY, TimeDelta::days(1))];
    let free = limits.iter().filter_map(|(most, within)| Some(*sent.get(most - 1)? + *within));
    free.max().filter(|at| *at > now)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Times so many minutes before now.
    fn sent(minutes: impl IntoIterator<Item = i64>, now: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        minutes.into_iter().map(|ago| now - TimeDelta::minutes(ago)).collect()
    }

    #[test]
    fn an_hour_and_a_day_have_their_own_limits() {
        let now = DateTime::from_timestamp(1_800_014_400, 0).unwrap();
        assert_eq!(next_at(&sent(1..10, now), now), None, "nine");
        assert_eq!(
            next_at(&sent(1..11, now), now),
            Some(now + TimeDelta::minutes(50)),
            "ten within ten minutes"
        );
        assert_eq!(next_at(&sent(51..61, now), now), None, "the tenth was an hour ago");
        let every_quarter = sent((1..=30).map(|place| place * 15), now);
        assert_eq!(
            next_at(&every_quarter, now),
            Some(now + TimeDelta::minutes(24 * 60 - 450)),
            "thirty within a day"
        );
        assert_eq!(next_at(&every_quarter[..29], now), None);
    }
}
