//! `GET /api/error-logging/errors/stats/`: how many errors there are, by level, priority, service and status, and the events of the
//! last 30 days.

use crate::access::Principal;
use crate::{ApiError, State};
use actix_web::web::{Data, Json};
use bugle_model::{IssueStatus, Level, Priority};
use bugle_store::issues;
use bugle_store::outcomes::hour_of;
use chrono::{NaiveDate, TimeDelta};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

const DAYS: i64 = 30;

/// The events of a day.
#[derive(Serialize, JsonSchema)]
pub(super) struct Day {
    /// The day, in UTC.
    day: NaiveDate,
    count: i64,
}

/// The numbers.
#[derive(Default, Serialize, JsonSchema)]
pub(super) struct Totals {
    /// All errors.
    total: i64,
    by_level: BTreeMap<String, i64>,
    by_severity: BTreeMap<String, i64>,
    by_service: BTreeMap<String, i64>,
    by_status: BTreeMap<String, i64>,
    /// Events, not errors; the oldest day first.
    by_day: Vec<Day>,
}

pub(super) async fn handler(principal: Principal, state: Data<State>) -> Result<Json<Totals>, ApiError> {
    let scope = principal.scope();
    let since = hour_of(state.clock.now()) - TimeDelta::days(DAYS);
    let mut connection = state.store.conn().await?;
    let mut answer = Totals::default();
    for level in Level::ALL {
        answer.by_level.insert(level.to_string(), 0);
    }
    for priority in Priority::ALL {
        answer.by_severity.insert(priority.to_string(), 0);
    }
    for status in IssueStatus::ALL {
        answer.by_status.insert(status.to_string(), 0);
    }
    for row in issues::totals(&mut connection, &scope).await? {
        if let Some(level) = row.level.and_then(Level::from_code) {
            answer.by_level.insert(level.to_string(), row.issues);
        } else if let Some(priority) = row.priority.and_then(Priority::from_code) {
            answer.by_severity.insert(priority.to_string(), row.issues);
        } else if let Some(status) = row.status.and_then(IssueStatus::from_code) {
            answer.by_status.insert(status.to_string(), row.issues);
            answer.total += row.issues;
        } else if let Some(project) = row.project {
            answer.by_service.insert(project, row.issues);
        }
    }
    let days = issues::days(&mut connection, &scope, since).await?;
    answer.by_day = days.into_iter().map(|day| Day { day: day.day, count: day.events }).collect();
    Ok(Json(answer))
}
