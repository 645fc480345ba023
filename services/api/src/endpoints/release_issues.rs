//! `GET /api/v1/releases/{id}/issues?kind=new|regressed|resolved&limit=&cursor=`, the latest opened first.

use super::release;
use crate::access::Principal;
use crate::openapi::{CURSOR, LIMIT, Parameter, parameter};
use crate::view::issue::IssueView;
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path};
use bugle_model::IssueId;
use bugle_store::issues;
use bugle_store::releases::{self, IssueKind};
use bugle_web::{Page, Params};

pub(super) const PARAMETERS: &[Parameter] = &[
    parameter::<IssueKind>("kind", "First seen in it (`new`), back with it, or resolved by it."),
    LIMIT,
    CURSOR,
];

pub(super) async fn list(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<Json<Page<IssueView>>, ApiError> {
    let mut params = Params::of(&request);
    let kind = params.optional("kind", "new, regressed or resolved", IssueKind::parse);
    let limit = params.limit();
    let before: Option<IssueId> = params.cursor();
    params.finish()?;
    let mut connection = state.store.conn().await?;
    let release = release::named(&mut connection, &principal, &id).await?;
    let kind = kind.unwrap_or(IssueKind::New);
    let found = releases::issues(&mut connection, &release, kind, before, limit + 1).await?;
    let ids = Page::cut(found, limit, |id| *id);
    let items = issues::get_many(&mut connection, &principal.visible(), &ids.items).await?;
    Ok(Json(Page { items: items.into_iter().map(IssueView::from).collect(), next: ids.next }))
}
