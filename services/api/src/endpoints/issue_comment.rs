//! `POST /api/v1/issues/{id}/comments` with `text`; `GET …/comments/{comment_id}`, `PATCH` and `DELETE` of it for one's
//! own. Who is mentioned and sees the issue is told by mail.

use super::{mentions, named};
use crate::access::Principal;
use crate::openapi::{Created, NoContent};
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_model::UserId;
use bugle_store::activity::Activity;
use bugle_store::audit::{self, Target};
use bugle_store::comments::{self, Text};
use bugle_store::issues::Issue;
use bugle_store::issues::people::who_see;
use bugle_store::{Connection, Transactions};
use bugle_web::{Code, JsonBody, Problem};
use schemars::JsonSchema;
use serde::Deserialize;

const MAX_TEXT: usize = 10_000;

/// A comment.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    /// Up to 10,000 characters. `@` and a name or an address mentions somebody.
    text: String,
}

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Created<Activity>, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let issue = named::issue(&mut connection, &principal, &id).await?;
    let given = text(&body.text)?;
    let people = who_see(&mut connection, issue.team).await?;
    let mentioned = mentions::found(given, &people);
    let text = Text { text: given.to_owned(), mentions: mentions::kept(&mentioned) };
    let written = connection
        .transaction(async |connection| {
            let of = (issue.id, issue.project);
            let written = comments::add(connection, of, &principal.actor, &text, now).await?;
            let about = (&issue, written.id);
            mentions::mail(connection, &state, &principal, about, &mentioned, &[], now).await?;
            let target = Target::new("comment", written.id, &issue.short_id());
            let after = Some(written.data.clone());
            let entry = principal.changed("comment.created", target, issue.team, None, after);
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(written)
        })
        .await?;
    Ok(Created::of(written))
}

/// One of them, whoever wrote it.
pub(super) async fn get(
    principal: Principal,
    state: Data<State>,
    path: Path<(String, String)>,
) -> Result<Json<Activity>, ApiError> {
    let (issue, id) = path.into_inner();
    let mut connection = state.store.conn().await?;
    let issue = named::issue(&mut connection, &principal, &issue).await?;
    let number: i64 = id.parse().map_err(|_| named::missing("comment", &id))?;
    let found = comments::get(&mut connection, issue.id, number).await?;
    let comment = found.ok_or_else(|| named::missing("comment", &id))?;
    Ok(Json(comment))
}

pub(super) async fn change(
    principal: Principal,
    state: Data<State>,
    path: Path<(String, String)>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Json<Activity>, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let (issue, comment) = own(&mut connection, &principal, &path).await?;
    let given = text(&body.text)?;
    let people = who_see(&mut connection, issue.team).await?;
    let mentioned = mentions::found(given, &people);
    let text = Text { text: given.to_owned(), mentions: mentions::kept(&mentioned) };
    let told: Vec<UserId> = comments::mentions(&comment).iter().map(|mention| mention.id).collect();
    let changed = connection
        .transaction(async |connection| {
            let of = (issue.id, issue.project);
            let changed = comments::change(connection, of, comment.id, &text, now).await?;
            let about = (&issue, changed.id);
            mentions::mail(connection, &state, &principal, about, &mentioned, &told, now).await?;
            let entry = principal.changed(
                "comment.updated",
                Target::new("comment", comment.id, &issue.short_id()),
                issue.team,
                Some(comment.data.clone()),
                Some(changed.data.clone()),
            );
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(changed)
        })
        .await?;
    Ok(Json(changed))
}

pub(super) async fn remove(
    principal: Principal,
    state: Data<State>,
    path: Path<(String, String)>,
) -> Result<NoContent, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let (issue, comment) = own(&mut connection, &principal, &path).await?;
    connection
        .transaction(async |connection| {
            comments::remove(connection, (issue.id, issue.project), comment.id, now).await?;
            let target = Target::new("comment", comment.id, &issue.short_id());
            let entry =
                principal.changed("comment.removed", target, issue.team, Some(comment.data.clone()), None);
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(())
        })
        .await?;
    Ok(NoContent::new())
}

/// The comment that a path names, when it is the caller's.
async fn own(
    connection: &mut Connection,
    principal: &Principal,
    (issue, id): &(String, String),
) -> Result<(Issue, Activity), ApiError> {
    let issue = named::issue(connection, principal, issue).await?;
    let number = id.parse().map_err(|_| named::missing("comment", id))?;
    match comments::own(connection, issue.id, &principal.actor, number).await? {
        Some(comment) => Ok((issue, comment)),
        None if comments::get(connection, issue.id, number).await?.is_some() => {
            Err(Problem::with_detail(Code::Forbidden, "this comment is somebody else's").into())
        }
        None => Err(named::missing("comment", id).into()),
    }
}

fn text(given: &str) -> Result<&str, Problem> {
    let text = given.trim();
    if text.is_empty() {
        return Err(Problem::invalid_field("text", "is empty"));
    }
    if text.chars().count() > MAX_TEXT {
        return Err(Problem::invalid_field("text", format!("is over {MAX_TEXT} characters")));
    }
    if text.contains('\0') {
        return Err(Problem::invalid_field("text", "has a NUL character"));
    }
    Ok(text)
}
