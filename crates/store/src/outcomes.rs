//! How items ended, counted per hour.

use crate::{Connection, StoreError, statement};
use bugle_model::{KeyId, Outcome, OutcomeCount, ProjectId};
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, SmallInt, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const MAX_REASON_CHARS: usize = 64;
const MAX_CATEGORY_CHARS: usize = 32;

/// A number of items that ended the same way within an hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HourlyOutcome {
    /// The beginning of the hour.
    pub hour: DateTime<Utc>,
    /// What and how many.
    #[serde(flatten)]
    pub count: OutcomeCount,
}

/// The beginning of the hour of `time`.
#[must_use]
pub fn hour_of(time: DateTime<Utc>) -> DateTime<Utc> {
    time.duration_trunc(TimeDelta::hours(1)).unwrap_or(time)
}

/// Adds counts to the hour of `now`. Composes with the caller's transaction.
///
/// # Errors
/// When the database is away or the statement fails.
pub async fn add(
    connection: &mut Connection,
    now: DateTime<Utc>,
    counts: &[OutcomeCount],
) -> Result<(), StoreError> {
    let hour = hour_of(now);
    let rows: Vec<_> = counts.iter().map(|count| HourlyOutcome { hour, count: count.clone() }).collect();
    add_hourly(connection, &rows).await
}

/// Adds counts to their hours, in one statement, sorted so that concurrent writers do not deadlock.
///
/// # Errors
/// When the database is away or the statement fails.
pub async fn add_hourly(connection: &mut Connection, counts: &[HourlyOutcome]) -> Result<(), StoreError> {
    // A row may be met once per statement only.
    let mut merged: BTreeMap<_, i64> = BTreeMap::new();
    for HourlyOutcome { hour, count } in counts {
        let reason: String = count.reason.chars().take(MAX_REASON_CHARS).collect();
        let category: String = count.category.chars().take(MAX_CATEGORY_CHARS).collect();
        let project = count.project.map_or(0, |project| project.0);
        let key = count.key.map_or(0, |key| key.0);
        *merged.entry((project, *hour, count.outcome.code(), reason, category, key)).or_default() +=
            count.quantity;
    }
    if merged.is_empty() {
        return Ok(());
    }
    let column = merged.keys();
    let hours: Vec<_> = column.clone().map(|key| key.1).collect();
    let projects: Vec<_> = column.clone().map(|key| key.0).collect();
    let keys: Vec<_> = column.clone().map(|key| key.5).collect();
    let outcomes: Vec<_> = column.clone().map(|key| key.2).collect();
    let reasons: Vec<_> = column.clone().map(|key| key.3.as_str()).collect();
    let categories: Vec<_> = column.map(|key| key.4.as_str()).collect();
    let quantities: Vec<_> = merged.values().copied().collect();
    statement(
        "INSERT INTO outcomes (hour, project_id, key_id, outcome, reason, category, quantity)
         SELECT * FROM UNNEST($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (project_id, hour, outcome, reason, category, key_id)
         DO UPDATE SET quantity = outcomes.quantity + excluded.quantity",
    )
    .bind::<Array<Timestamptz>, _>(hours)
    .bind::<Array<Integer>, _>(projects)
    .bind::<Array<Integer>, _>(keys)
    .bind::<Array<SmallInt>, _>(outcomes)
    .bind::<Array<Text>, _>(reasons)
    .bind::<Array<Text>, _>(categories)
    .bind::<Array<BigInt>, _>(quantities)
    .execute(connection)
    .await?;
    Ok(())
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Timestamptz)]
    hour: DateTime<Utc>,
    #[diesel(sql_type = Integer)]
    project_id: i32,
    #[diesel(sql_type = Integer)]
    key_id: i32,
    #[diesel(sql_type = SmallInt)]
    outcome: i16,
    #[diesel(sql_type = Text)]
    reason: String,
    #[diesel(sql_type = Text)]
    category: String,
    #[diesel(sql_type = BigInt)]
    quantity: i64,
}

impl TryFrom<Row> for HourlyOutcome {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let outcome = Outcome::from_code(row.outcome)
            .ok_or_else(|| StoreError::Damaged(format!("outcomes: unknown outcome {}", row.outcome)))?;
        let known = |id: i32| (id != 0).then_some(id);
        let count = OutcomeCount {
            project: known(row.project_id).map(ProjectId),
            key: known(row.key_id).map(KeyId),
            outcome,
            reason: row.reason,
            category: row.category,
            quantity: row.quantity,
        };
        Ok(Self { hour: row.hour, count })
    }
}

/// Where in a list of outcomes one is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    hour: DateTime<Utc>,
    outcome: i16,
    reason: String,
    category: String,
    key: i32,
}

impl Position {
    /// The position of a number.
    #[must_use]
    pub fn of(row: &HourlyOutcome) -> Self {
        let HourlyOutcome { hour, count } = row;
        Self {
            hour: *hour,
            outcome: count.outcome.code(),
            reason: count.reason.clone(),
            category: count.category.clone(),
            key: count.key.map_or(0, |key| key.0),
        }
    }
}

/// A project's outcomes (`None`: those of no known project) from `from` until before `until`, newest hour first,
/// `limit` rows at most after a position.
///
/// # Errors
/// When the database is away or the statement fails.
pub async fn list(
    connection: &mut Connection,
    project: Option<ProjectId>,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    after: Option<&Position>,
    limit: usize,
) -> Result<Vec<HourlyOutcome>, StoreError> {
    let rows: Vec<Row> = statement(
        "SELECT hour, project_id, key_id, outcome, reason, category, quantity FROM outcomes
         WHERE project_id = $1 AND hour >= $2 AND hour < $3 AND ($5 IS NULL OR hour < $5
            OR (hour = $5 AND (outcome, reason, category, key_id) > ($6, $7, $8, $9)))
         ORDER BY hour DESC, outcome, reason, category, key_id LIMIT $4",
    )
    .bind::<Integer, _>(project.map_or(0, |project| project.0))
    .bind::<Timestamptz, _>(hour_of(from))
    .bind::<Timestamptz, _>(until)
    .bind::<BigInt, _>(i64::try_from(limit).unwrap_or(i64::MAX))
    .bind::<Nullable<Timestamptz>, _>(after.map(|place| place.hour))
    .bind::<SmallInt, _>(after.map_or(0, |place| place.outcome))
    .bind::<Text, _>(after.map_or("", |place| place.reason.as_str()))
    .bind::<Text, _>(after.map_or("", |place| place.category.as_str()))
    .bind::<Integer, _>(after.map_or(0, |place| place.key))
    .load(connection)
    .await?;
    rows.into_iter().map(HourlyOutcome::try_from).collect()
}
