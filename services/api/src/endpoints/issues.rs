//! `GET /api/v1/issues?project=&status=&query=&limit=&cursor=`

use super::named;
use crate::access::Principal;
use crate::view::issue::IssueView;
use crate::{ApiError, State, query};
use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, Responder};
use bugle_model::IssueStatus;
use bugle_store::issues::{self, Filter, Position};
use bugle_web::{Page, Params};

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
) -> Result<impl Responder, ApiError> {
    let mut params = Params::of(&request);
    let project = params.text("project");
    let status = params.optional("status", "unresolved, resolved or ignored", |text| text.parse().ok());
    let query = understood(&mut params);
    let limit = params.limit();
    let after: Option<Position> = params.cursor();
    params.finish()?;
    let Some(statuses) = both(status, query.statuses) else {
        return Ok(Json(Page::whole(Vec::new())));
    };

    let mut connection = state.store.conn().await?;
    let project = match project {
        Some(named) => Some(named::project_parameter(&mut connection, &principal, &named).await?.id),
        None => None,
    };
    let filter = Filter {
        scope: principal.scope(),
        project,
        statuses,
        levels: query.levels,
        texts: query.texts,
        priorities: Vec::new(),
    };
    let found = issues::list(&mut connection, &filter, after, limit + 1).await?;
    Ok(Json(Page::cut(found, limit, Position::of).map(IssueView::from)))
}

fn understood(params: &mut Params) -> query::Query {
    let text = params.text("query").unwrap_or_default();
    query::parse(&text).unwrap_or_else(|errors| {
        for error in errors {
            params.complain_at("query", error.message, error.position);
        }
        query::Query::default()
    })
}

/// What `status` and the query's `is:` leave together; `None` when nothing can be both.
fn both(status: Option<IssueStatus>, asked: Vec<IssueStatus>) -> Option<Vec<IssueStatus>> {
    match status {
        None => Some(asked),
        Some(status) if asked.is_empty() || asked.contains(&status) => Some(vec![status]),
        Some(_) => None,
    }
}
