//! When a person is told by which contact method.

use crate::row::{self, JsonRow};
use crate::{Connection, StoreError, statement};
use bugle_model::{ContactMethodId, DigestInterval, NotificationRuleId, Priority, UserId};
use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Int4, Nullable, SmallInt, Timestamptz};
use diesel_async::RunQueryDsl;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many rules a person may have.
pub const MAX_RULES: i64 = 50;

/// A rule: so many minutes after a page, by this contact method, for incidents of these priorities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NotificationRule {
    /// Its id.
    pub id: NotificationRuleId,
    /// What is in it.
    #[serde(flatten)]
    pub rule: NewNotificationRule,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// What a rule says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NewNotificationRule {
    /// By what.
    pub contact_method: ContactMethodId,
    /// For incidents of this priority and of higher ones.
    pub min_priority: Priority,
    /// And of no higher ones than this; none: of all.
    pub max_priority: Option<Priority>,
    /// How long after the page, when nobody has answered until then; 0 to 9000 minutes.
    pub delay_minutes: i32,
    /// How often what is due then is put together into one message; none: each page by itself.
    pub digest: Option<DigestInterval>,
}

#[derive(Deserialize)]
struct Row {
    id: NotificationRuleId,
    contact_method_id: ContactMethodId,
    min_priority: i16,
    max_priority: Option<i16>,
    delay_minutes: i32,
    digest: Option<i16>,
    created_at: DateTime<Utc>,
}

impl Row {
    fn read(self) -> Result<NotificationRule, StoreError> {
        let damaged = |field: &str| StoreError::Damaged(format!("notification rule {}: {field}", self.id));
        let priority = |code: i16, field| Priority::from_code(code).ok_or_else(|| damaged(field));
        let digest = |code| DigestInterval::from_code(code).ok_or_else(|| damaged("digest"));
        let rule = NewNotificationRule {
            contact_method: self.contact_method_id,
            min_priority: priority(self.min_priority, "min_priority")?,
            max_priority: self.max_priority.map(|code| priority(code, "max_priority")).transpose()?,
            delay_minutes: self.delay_minutes,
            digest: self.digest.map(digest).transpose()?,
        };
        Ok(NotificationRule { id: self.id, rule, created_at: self.created_at })
    }
}

/// The rules of a person, the earliest first.
///
/// # Errors
/// When the database fails.
pub async fn list_notification_rules(
    conn: &mut Connection,
    user: UserId,
) -> Result<Vec<NotificationRule>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT to_jsonb(r) AS row FROM notification_rules r WHERE user_id = $1 ORDER BY delay_minutes, id",
    )
    .bind::<Int4, _>(user.0)
    .load(conn)
    .await?;
    row::all::<Row>(rows)?.into_iter().map(Row::read).collect()
}

/// Makes a rule. `None` when the contact method is not the person's, or they have [`MAX_RULES`] already. The same rule twice gives
/// [`StoreError::unique_violation`].
///
/// # Errors
/// When the database fails or refuses the values.
pub async fn create_notification_rule(
    conn: &mut Connection,
    user: UserId,
    new: &NewNotificationRule,
    now: DateTime<Utc>,
) -> Result<Option<NotificationRule>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "INSERT INTO notification_rules AS r
            (user_id, contact_method_id, min_priority, delay_minutes, created_at, max_priority, digest)
         SELECT $1, d.id, $3, $4, $5, $7, $8 FROM destinations d
         WHERE d.id = $2 AND d.user_id = $1 AND (SELECT count(*) FROM notification_rules WHERE user_id = $1) < $6
         RETURNING to_jsonb(r) AS row",
    )
    .bind::<Int4, _>(user.0)
    .bind::<Int4, _>(new.contact_method.0)
    .bind::<SmallInt, _>(new.min_priority.code())
    .bind::<Int4, _>(new.delay_minutes)
    .bind::<Timestamptz, _>(now)
    .bind::<BigInt, _>(MAX_RULES)
    .bind::<Nullable<SmallInt>, _>(new.max_priority.map(Priority::code))
    .bind::<Nullable<SmallInt>, _>(new.digest.map(DigestInterval::code))
    .load(conn)
    .await?;
    row::first::<Row>(rows)?.map(Row::read).transpose()
}

/// Removes a rule of a person, and gives it; `None` when it was not there.
///
/// # Errors
/// When the database fails.
pub async fn delete_notification_rule(
    conn: &mut Connection,
    user: UserId,
    id: NotificationRuleId,
) -> Result<Option<NotificationRule>, StoreError> {
    let gone: Vec<JsonRow> = statement(
        "DELETE FROM notification_rules r WHERE id = $1 AND user_id = $2 RETURNING to_jsonb(r) AS row",
    )
    .bind::<Int4, _>(id.0)
    .bind::<Int4, _>(user.0)
    .load(conn)
    .await?;
    row::first::<Row>(gone)?.map(Row::read).transpose()
}
