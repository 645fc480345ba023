//! What of a destination can be different later.

use super::{CreateError, Destination, HIDDEN, Invalid, Looks, Row, mistakes, read, without_credentials};
use crate::{Connection, StoreError, statement};
use bugle_model::{DestinationId, DestinationSettings, Priority};
use diesel::sql_types::{Bool, Int4, Jsonb, Nullable, SmallInt, Text};
use diesel_async::RunQueryDsl;

/// What of a destination is to be different; what is none stays.
#[derive(Debug, Clone, Default)]
pub struct DestinationChange {
    /// Another address, URL, number or channel id.
    pub target: Option<String>,
    /// Another lowest priority.
    pub min_priority: Option<Priority>,
    /// All of the settings; a secret that is as in [`Destination::redacted`] stays.
    pub settings: Option<DestinationSettings>,
    /// Whether it is sent to. On also closes the circuit breaker and forgets why it was off.
    pub enabled: Option<bool>,
}

/// A destination as it is until the end of the caller's transaction: whoever else would change it waits.
///
/// # Errors
/// When the database fails.
pub async fn hold(conn: &mut Connection, id: DestinationId) -> Result<Option<Destination>, StoreError> {
    // What refers to it may be written meanwhile.
    let rows = statement("SELECT * FROM destinations WHERE id = $1 FOR NO KEY UPDATE")
        .bind::<Int4, _>(id.0)
        .load(conn)
        .await?;
    Ok(read(rows)?.into_iter().next())
}

/// Checks and changes a destination that the caller [holds](hold). The destination afterwards, when it is there.
///
/// # Errors
/// See [`CreateError`].
pub async fn change(
    conn: &mut Connection,
    before: &Destination,
    change: &DestinationChange,
) -> Result<Option<Destination>, CreateError> {
    let target = change.target.as_deref().unwrap_or(&before.target).trim();
    let given = change.settings.clone().unwrap_or_else(|| before.settings.clone());
    let settings = before.unredacted(given.clone());
    // What stays was checked when it was made, maybe by other rules: it can be switched on and off in any case.
    if target != before.target || settings != before.settings {
        let mut mistakes = mistakes(Looks { channel: before.channel, target, settings: &settings });
        if mistakes.is_empty() {
            mistakes.extend(carried_away(before, target, &given));
        }
        if !mistakes.is_empty() {
            return Err(CreateError::Invalid(mistakes));
        }
    }
    let settings = serde_json::to_value(&settings).map_err(|error| StoreError::Damaged(error.to_string()))?;
    let rows: Vec<Row> = statement(
        "UPDATE destinations SET target = $2, min_priority = $3, settings = $4, enabled = COALESCE($5, enabled),
            disabled_reason = CASE WHEN $5 THEN NULL ELSE disabled_reason END,
            failures = CASE WHEN $5 THEN 0 ELSE failures END,
            open_until = CASE WHEN $5 THEN NULL ELSE open_until END
         WHERE id = $1 RETURNING *",
    )
    .bind::<Int4, _>(before.id.0)
    .bind::<Text, _>(target)
    .bind::<SmallInt, _>(change.min_priority.unwrap_or(before.min_priority).code())
    .bind::<Jsonb, _>(settings)
    .bind::<Nullable<Bool>, _>(change.enabled)
    .load(conn)
    .await
    .map_err(StoreError::from)?;
    Ok(read(rows)?.into_iter().next())
}

/// A header that is kept unseen, and would be sent to another server: whoever may change the target could read it there.
fn carried_away(before: &Destination, target: &str, given: &DestinationSettings) -> Option<Invalid> {
    if without_credentials(target) == without_credentials(&before.target) {
        return None;
    }
    let (name, _) = given.headers.iter().find(|(_, value)| value.as_str() == HIDDEN)?;
    let reason =
        format!("the target is on another server: give the value of `{name}` again, or leave it out");
    Some(Invalid { field: "settings.headers", reason })
}
