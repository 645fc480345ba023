//! `GET /api/v1/outcomes?project=&from=&until=&cursor=`: counts per hour, the newest hour first; the last 24 hours unless
//! said otherwise. `project=none` gives those whose project is not known.

use super::named;
use crate::access::Principal;
use crate::openapi::{CURSOR, Parameter, parameter, required};
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use bugle_store::outcomes::{self, HourlyOutcome, Position};
use bugle_web::{Code, Page, Params, Problem};
use chrono::{DateTime, TimeDelta, Utc};

/// Rows of a page.
const PAGE: usize = 10_000;

pub(super) const PARAMETERS: &[Parameter] = &[
    required::<String>("project", "A project's id or name; none for what belongs to no known one."),
    parameter::<DateTime<Utc>>("from", "Not before this; the last 24 hours when left out."),
    parameter::<DateTime<Utc>>("until", "Before this."),
    CURSOR,
];

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Json<Page<HourlyOutcome>>, ApiError> {
    let now = state.clock.now();
    let mut params = Params::of(&request);
    let project = params.required("project", "a project's id or name, or none", |text| Some(text.to_owned()));
    let from = params.optional("from", "a time such as 2026-01-31T12:00:00Z", time);
    let until = params.optional("until", "a time such as 2026-01-31T12:00:00Z", time);
    let after: Option<Position> = params.cursor();
    params.finish()?;
    let until = until.unwrap_or(now + TimeDelta::hours(1));
    let from = from.unwrap_or(until - TimeDelta::hours(25));

    let mut connection = state.store.conn().await?;
    let project = match project.as_deref() {
        // What belongs to no project belongs to no team.
        None | Some("none") if principal.is_admin() => None,
        None | Some("none") => {
            return Err(
                Problem::with_detail(Code::Forbidden, "`none` is for admins of the installation").into()
            );
        }
        Some(named) => Some(named::project_parameter(&mut connection, &principal, named).await?.id),
    };
    let found = outcomes::list(&mut connection, project, from, until, after.as_ref(), PAGE + 1).await?;
    Ok(Json(Page::cut(found, PAGE, Position::of)))
}

fn time(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc())
}
