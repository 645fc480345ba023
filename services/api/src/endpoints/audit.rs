//! `GET /api/v1/audit?actor=&action=&team=&since=&until=&limit=&cursor=`, the newest first. Managers see what belongs to
//! their teams, admins everything.

use crate::access::Principal;
use crate::openapi::{CURSOR, LIMIT, Parameter, parameter};
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use bugle_model::TeamId;
use bugle_store::Scope;
use bugle_store::audit::{self, Filter, Recorded};
use bugle_web::{Page, Params};
use chrono::{DateTime, Utc};

const TIME: &str = "a time such as 2026-01-31T12:00:00Z";

pub(super) const PARAMETERS: &[Parameter] = &[
    parameter::<String>("actor", "`user`, `user:7`, `token:3`, `system`, or a name."),
    parameter::<String>("action", "An action such as project.updated, or a noun such as project."),
    parameter::<TeamId>("team", "A team's id."),
    parameter::<DateTime<Utc>>("since", "Not before this."),
    parameter::<DateTime<Utc>>("until", "Before this."),
    LIMIT,
    CURSOR,
];

pub(super) async fn list(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Json<Page<Recorded>>, ApiError> {
    let mut params = Params::of(&request);
    let mut filter = read(&mut params, &principal);
    filter.before = params.cursor();
    let limit = params.limit();
    params.finish()?;
    let mut connection = state.store.conn().await?;
    let found = audit::list(&mut connection, &filter, limit + 1).await?;
    let page: Page<Recorded> = Page::cut(found, limit, |last| last.id);
    Ok(Json(page))
}

/// Reads the parameters that choose entries, of those that the caller sees.
pub(super) fn read(params: &mut Params, principal: &Principal) -> Filter {
    let mut filter = Filter { scope: seen(principal), ..Filter::default() };
    read_actor(params, &mut filter);
    let expected = "an action such as project.updated, or a noun such as project";
    filter.action = params.optional("action", expected, action);
    filter.team = params.optional("team", "a team's id", |text| text.parse().ok());
    filter.since = params.optional("since", TIME, time);
    filter.until = params.optional("until", TIME, time);
    filter
}

/// What belongs to no team is for admins.
fn seen(principal: &Principal) -> Scope {
    match principal.scope() {
        Scope::All if !principal.is_admin() => Scope::default(),
        scope => scope,
    }
}

/// `user`, `user:7`, `token:3`, `system`, or a name.
fn read_actor(params: &mut Params, filter: &mut Filter) {
    let Some(text) = params.text("actor") else { return };
    let (kind, id) = text.split_once(':').map_or((text.as_str(), None), |(kind, id)| (kind, Some(id)));
    match (kind.parse(), id) {
        (Ok(kind), None) => filter.actor_kind = Some(kind),
        (Ok(kind), Some(id)) => {
            filter.actor_kind = Some(kind);
            filter.actor_id = id.parse().ok();
            if filter.actor_id.is_none() {
                params.complain("actor", "expected a kind and an id such as user:7, or a name");
            }
        }
        (Err(_), _) => filter.actor_name = Some(text),
    }
}

/// A noun alone is all of its actions.
fn action(text: &str) -> Option<String> {
    let plain = text.len() <= 65 && text.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c == '.');
    plain.then(|| if text.contains('.') { text.to_owned() } else { format!("{text}.") })
}

fn time(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc())
}
