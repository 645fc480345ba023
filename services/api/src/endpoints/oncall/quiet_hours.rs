//! `/api/v1/account/quiet-hours`: when one's pages wait.

use crate::access::Principal;
use crate::{ApiError, State};
use actix_web::web::{Data, Json};
use bugle_model::Priority;
use bugle_schedule::{Restriction, check_quiet_hours, quiet_until};
use bugle_store::Transactions;
use bugle_store::audit::{self, Target};
use bugle_store::oncall::{self, QuietHours};
use bugle_store::users::User;
use bugle_web::{FieldError, JsonBody, Problem};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Quiet hours, as they are to be.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewQuietHours")]
pub(in super::super) struct Body {
    /// The parts of the week, by the clock of one's account's zone; 50 at most. None: nothing waits.
    hours: Vec<Restriction>,
    /// Incidents of this priority and of higher ones do not wait; `null`: all do.
    #[serde(default = "critical")]
    breaks_through: Option<Priority>,
}

#[expect(clippy::unnecessary_wraps, reason = "the form that serde takes")]
const fn critical() -> Option<Priority> {
    Some(Priority::Critical)
}

/// Quiet hours, and whether it is quiet.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "QuietHoursNow")]
pub(in super::super) struct View {
    #[serde(flatten)]
    quiet: QuietHours,
    /// The zone, by its IANA name; it is the account's.
    zone: String,
    /// When the quiet hours that it is in now end; `null` outside of them.
    quiet_until: Option<DateTime<Utc>>,
}

impl View {
    fn new(quiet: QuietHours, user: &User, now: DateTime<Utc>) -> Self {
        let zone = user.time_zone.parse().unwrap_or(Tz::UTC);
        let quiet_until = quiet_until(zone, &quiet.hours, now);
        Self { quiet, zone: zone.name().to_owned(), quiet_until }
    }
}

/// `GET …/quiet-hours`
pub(in super::super) async fn get(principal: Principal, state: Data<State>) -> Result<Json<View>, ApiError> {
    let user = &principal.session()?.active.user;
    let mut connection = state.store.conn().await?;
    let quiet = oncall::quiet_hours(&mut connection, user.id).await?;
    Ok(Json(View::new(quiet, user, state.clock.now())))
}

/// `PUT …/quiet-hours`
pub(in super::super) async fn set(
    principal: Principal,
    state: Data<State>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Json<View>, ApiError> {
    let user = &principal.session()?.active.user;
    let Body { hours, breaks_through } = body;
    check_quiet_hours(&hours).map_err(|mistakes| {
        Problem::invalid(mistakes.into_iter().map(|one| FieldError::new(one.path, one.message)).collect())
    })?;
    let quiet = QuietHours { hours, breaks_through };
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    connection
        .transaction(async |connection| {
            let before = oncall::quiet_hours(connection, user.id).await?;
            oncall::set_quiet_hours(connection, user.id, &quiet).await?;
            let target = Target::new("quiet_hours", user.id, "");
            let (before, after) = (Some(json!(before)), Some(json!(quiet)));
            let entry = principal.changed("quiet_hours.changed", target, None, before, after);
            Ok::<_, ApiError>(audit::add(connection, &entry, now).await?)
        })
        .await?;
    Ok(Json(View::new(quiet, user, now)))
}
