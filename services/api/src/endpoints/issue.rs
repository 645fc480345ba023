//! `GET /api/v1/issues/{id}`; the id may be a short one such as `SHOP-42`.

use super::{issues, named};
use crate::access::Principal;
use crate::view::issue::IssueView;
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_store::issues::releases;

/// An issue shows at most this many releases.
const RELEASES: i64 = 20;

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<Json<IssueView>, ApiError> {
    let mut connection = state.store.conn().await?;
    let issue = named::issue(&mut connection, &principal, &id).await?;
    let releases = releases(&mut connection, issue.id, RELEASES).await?;
    let marked = issues::bookmarked(&mut connection, &principal, &[issue.id]).await?;
    let marked = marked.map(|marked| marked.contains(&issue.id));
    Ok(Json(IssueView::from(issue).with_releases(releases).with_bookmark(marked)))
}
