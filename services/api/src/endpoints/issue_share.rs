//! `POST` and `DELETE /api/v1/issues/{id}/share`: a secret link to one issue. `GET /api/v1/shared/{token}` is what it shows to whoever
//! has it.

use super::named;
use crate::access::Principal;
use crate::accounts::links::page;
use crate::openapi::{Answer, Created, NoContent};
use crate::view::shared::SharedIssue;
use crate::{ApiError, State};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::{Data, Path};
use bugle_store::audit::{self, Target};
use bugle_store::{Scope, Transactions, events, issues, shares};
use bugle_web::auth;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");

/// A link; it is told this once.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Link {
    /// Where it leads.
    url: String,
    /// When it was made.
    created_at: DateTime<Utc>,
}

pub(super) async fn create(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<Created<Link>, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let issue = named::issue(&mut connection, &principal, &id).await?;
    let token = auth::new_secret();
    connection
        .transaction(async |connection| {
            let (of, by) = ((issue.id, issue.project), &principal.actor.name);
            shares::add(connection, of, &auth::hash(&token), by, now).await?;
            let target = Target::new("issue", issue.id, &issue.short_id());
            audit::add(connection, &principal.did("issue.shared", target, issue.team), now).await?;
            Ok::<_, ApiError>(())
        })
        .await?;
    let url = page(&state.config.public_url, &format!("share/{token}"));
    Ok(Created::of(Link { url, created_at: now }).uncached())
}

pub(super) async fn remove(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<NoContent, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let issue = named::issue(&mut connection, &principal, &id).await?;
    connection
        .transaction(async |connection| {
            let (of, by) = ((issue.id, issue.project), &principal.actor.name);
            if shares::remove(connection, of, by, now).await? {
                let target = Target::new("issue", issue.id, &issue.short_id());
                audit::add(connection, &principal.did("issue.unshared", target, issue.team), now).await?;
            }
            Ok::<_, ApiError>(())
        })
        .await?;
    Ok(NoContent::new())
}

pub(super) async fn show(
    state: Data<State>,
    token: Path<String>,
) -> Result<Answer<SharedIssue, 200>, ApiError> {
    let mut connection = state.store.conn().await?;
    let gone = || named::missing("link", "…");
    let id = shares::find(&mut connection, &auth::hash(&token)).await?.ok_or_else(gone)?;
    let issue = issues::get(&mut connection, &Scope::All, id).await?.ok_or_else(gone)?;
    let latest = events::latest(&mut connection, &[id]).await?.remove(&id);
    let shown = Answer::of(SharedIssue::new(issue, latest)).uncached();
    Ok(shown.header(ROBOTS, HeaderValue::from_static("noindex, nofollow")))
}
