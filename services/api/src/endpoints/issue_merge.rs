//! `POST /api/v1/issues/{id}/merge` with `issues`: they become part of this one, and their ids lead to it. `POST …/unmerge` with
//! `fingerprints`: a new issue gets their events from now on. `GET …/fingerprints`.

use super::conflicts::retried;
use super::named;
use crate::access::Principal;
use crate::openapi::Created;
use crate::view::issue::IssueView;
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_model::IssueId;
use bugle_store::audit::{self, Target};
use bugle_store::issues::merge::{self, Fingerprint, MergeError, Naming};
use bugle_store::issues::{self, Issue, moves};
use bugle_store::{Connection, Transactions, events};
use bugle_web::{JsonBody, Page, Problem};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

/// Issues or fingerprints of one request.
const MOST: usize = 100;
/// The latest events that are looked at for the title of a new issue.
const SAMPLE: usize = 100;
/// Parts of events that follow at once; the rest is the recorder's.
const PARTS: usize = 4;

/// What is merged.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Merge {
    /// 1 to 100 ids of other issues of the project.
    issues: Vec<IssueId>,
}

/// What is parted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Unmerge {
    /// 1 to 100 of the issue's fingerprints, but not all of them.
    fingerprints: Vec<String>,
}

pub(super) async fn merge(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
    JsonBody(body): JsonBody<Merge>,
) -> Result<Json<IssueView>, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let issue = named::issue(&mut connection, &principal, &id).await?;
    if !(1..=MOST).contains(&body.issues.len()) || body.issues.contains(&issue.id) {
        return Err(Problem::invalid_field("issues", format!("expected 1 to {MOST} other issues")).into());
    }
    let merged = into(&mut connection, &principal, &issue, &body.issues, now).await?;
    Ok(Json(IssueView::from(merged)))
}

/// Merges issues into one that was looked up for the caller, and records it. The issue afterwards.
pub(super) async fn into(
    connection: &mut Connection,
    principal: &Principal,
    issue: &Issue,
    others: &[IssueId],
    now: DateTime<Utc>,
) -> Result<Issue, ApiError> {
    let scope = principal.scope();
    retried(async || {
        connection
            .transaction(async |connection| {
                let gone =
                    merge::merge(connection, &scope, issue.id, others, &principal.actor.name, now).await;
                let gone = gone.map_err(|error| refused("issues", error))?;
                let target = Target::new("issue", issue.id, &issue.short_id());
                let after = Some(json!({ "issues": gone }));
                let entry = principal.changed("issue.merged", target, issue.team, None, after);
                audit::add(connection, &entry, now).await?;
                Ok(())
            })
            .await
    })
    .await?;
    follow(connection, now).await;
    let merged = issues::get(connection, &principal.visible(), issue.id).await?;
    merged.ok_or_else(|| named::missing("issue", &issue.short_id()).into())
}

/// Moves events of issues that are gone, as far as it is quickly done.
pub(super) async fn follow(connection: &mut Connection, now: DateTime<Utc>) {
    for _ in 0..PARTS {
        match moves::advance(connection, now).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                tracing::debug!(%error, "events follow their issue later");
                return;
            }
        }
    }
}

pub(super) async fn unmerge(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
    JsonBody(body): JsonBody<Unmerge>,
) -> Result<Created<IssueView>, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let issue = named::issue(&mut connection, &principal, &id).await?;
    let hashes = hashes(&body.fingerprints)?;
    let naming = naming(&mut connection, &issue, &body.fingerprints).await?;
    let scope = principal.scope();
    let made = retried(async || {
        connection
            .transaction(async |connection| {
                let actor = &principal.actor.name;
                let made =
                    merge::unmerge(connection, &scope, issue.id, &hashes, naming.as_ref(), actor, now).await;
                let made = made.map_err(|error| refused("fingerprints", error))?;
                let target = Target::new("issue", issue.id, &issue.short_id());
                let after = Some(json!({ "issue": made, "fingerprints": body.fingerprints }));
                let entry = principal.changed("issue.unmerged", target, issue.team, None, after);
                audit::add(connection, &entry, now).await?;
                Ok(made)
            })
            .await
    })
    .await?;
    let made = issues::get(&mut connection, &principal.visible(), made).await?;
    let made = made.ok_or_else(|| named::missing("issue", &issue.short_id()))?;
    Ok(Created::of(IssueView::from(made)))
}

pub(super) async fn fingerprints(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<Json<Page<Fingerprint>>, ApiError> {
    let mut connection = state.store.conn().await?;
    let issue = named::issue(&mut connection, &principal, &id).await?;
    Ok(Json(Page::whole(merge::fingerprints(&mut connection, issue.id).await?)))
}

fn refused(field: &str, error: MergeError) -> ApiError {
    match error {
        MergeError::Store(error) => error.into(),
        other => Problem::invalid_field(field, other.to_string()).into(),
    }
}

fn hashes(given: &[String]) -> Result<Vec<[u8; 16]>, Problem> {
    let read = |text: &String| -> Option<[u8; 16]> {
        let plain = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        plain.then(|| u128::from_str_radix(text, 16).ok().map(u128::to_be_bytes)).flatten()
    };
    let hashes: Option<Vec<_>> = given.iter().map(read).collect();
    hashes.filter(|hashes| (1..=MOST).contains(&hashes.len())).ok_or_else(|| {
        Problem::invalid_field("fingerprints", format!("expected 1 to {MOST} texts of 32 hex digits"))
    })
}

/// As one of the latest events with one of the fingerprints is called.
async fn naming(
    connection: &mut Connection,
    issue: &Issue,
    fingerprints: &[String],
) -> Result<Option<Naming>, ApiError> {
    let latest = events::list(connection, issue.id, None, SAMPLE).await?;
    let found = latest.into_iter().find(|event| {
        event.hashes.first().is_some_and(|hash| fingerprints.iter().any(|own| own.eq_ignore_ascii_case(hash)))
    });
    Ok(found.map(|event| Naming {
        title: event.title.chars().take(256).collect(),
        culprit: event.culprit.map(|culprit| culprit.chars().take(512).collect()),
    }))
}
