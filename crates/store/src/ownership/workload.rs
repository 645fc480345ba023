//! How much everybody has to do.

use super::on_call::{TeamSchedule, hours, schedules};
use crate::row::{self, JsonRow};
use crate::{Connection, Scope, StoreError, statement};
use bugle_model::{Availability, Priority, UserId};
use bugle_ownership::Weight;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{Array, Int4, Nullable};
use diesel_async::RunQueryDsl;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Of so many days the hours on call count.
pub const ON_CALL_DAYS: i64 = 14;

/// What somebody has to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    /// Who.
    pub user: UserId,
    /// Their name.
    pub name: String,
    /// Whether they can be given issues at this moment.
    pub availability: Availability,
    /// Unresolved issues that are assigned to them.
    pub issues: BTreeMap<Priority, i64>,
    /// Incidents that are not resolved, and that they were given. By account: names can be chosen freely.
    pub incidents: i64,
    /// Hours on call within the last [`ON_CALL_DAYS`] days.
    pub on_call_hours: f64,
}

impl Workload {
    /// How many open issues they have.
    #[must_use]
    pub fn open(&self) -> i64 {
        self.issues.values().sum()
    }

    /// How much all of it is.
    #[must_use]
    pub fn weight(&self) -> Weight {
        let issues = self.issues.iter().map(|(priority, count)| (*priority, *count));
        Weight::of(issues, self.incidents, self.on_call_hours)
    }
}

#[derive(Deserialize)]
struct Row {
    user: UserId,
    name: String,
    availability: Option<Availability>,
    issues: BTreeMap<i16, i64>,
    incidents: i64,
}

/// What some people have to do of what is in a scope, by id. Accounts that are shut out are left out.
///
/// # Errors
/// When the database fails.
pub async fn workload(
    connection: &mut Connection,
    people: &[UserId],
    scope: &Scope,
    now: DateTime<Utc>,
) -> Result<Vec<Workload>, StoreError> {
    let schedules = schedules(connection, scope, now - TimeDelta::days(ON_CALL_DAYS), now).await?;
    workload_with(connection, people, scope, &schedules, now).await
}

/// The same with schedules that are loaded already.
pub(super) async fn workload_with(
    connection: &mut Connection,
    people: &[UserId],
    scope: &Scope,
    schedules: &[TeamSchedule],
    now: DateTime<Utc>,
) -> Result<Vec<Workload>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "WITH counted AS (
            SELECT i.assigned_user_id AS user_id, i.priority, count(*) AS issues FROM issues i
            JOIN projects p ON p.id = i.project_id
            WHERE i.assigned_user_id = ANY ($1) AND i.status = 0 AND ($2 IS NULL OR p.team_id = ANY ($2))
            GROUP BY i.assigned_user_id, i.priority),
         open AS (
            SELECT n.assigned_user_id FROM incidents n LEFT JOIN projects p ON p.id = n.project_id
            WHERE n.state < 3 AND ($2 IS NULL OR coalesce(n.team_id, p.team_id) = ANY ($2)))
         SELECT jsonb_build_object('user', u.id, 'name', u.name, 'availability', to_jsonb(a) - 'user_id',
            'issues', coalesce((SELECT jsonb_object_agg(c.priority, c.issues) FROM counted c WHERE c.user_id = u.id), '{}'),
            'incidents', (SELECT count(*) FROM open o WHERE o.assigned_user_id = u.id)) AS row
         FROM users u LEFT JOIN availability a ON a.user_id = u.id
         WHERE u.id = ANY ($1) AND NOT u.disabled ORDER BY u.id",
    )
    .bind::<Array<Int4>, _>(people.iter().map(|id| id.0).collect::<Vec<_>>())
    .bind::<Nullable<Array<Int4>>, _>(scope.bind())
    .load(connection)
    .await?;
    let hours = hours(schedules, now - TimeDelta::days(ON_CALL_DAYS), now);
    let read = |row: Row| Workload {
        on_call_hours: hours.get(&row.user).copied().unwrap_or_default(),
        user: row.user,
        name: row.name,
        availability: row.availability.unwrap_or_default().at(now),
        issues: row
            .issues
            .into_iter()
            .filter_map(|(code, count)| Some((Priority::from_code(code)?, count)))
            .collect(),
        incidents: row.incidents,
    };
    Ok(row::all::<Row>(rows)?.into_iter().map(read).collect())
}
