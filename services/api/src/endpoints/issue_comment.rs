//! `POST /api/v1/issues/{id}/comments` with `text`.

use super::named;
use crate::access::Principal;
use crate::openapi::Created;
use crate::{ApiError, State};
use actix_web::web::{Data, Path};
use bugle_store::activity::{self, Activity, NewActivity};
use bugle_web::{JsonBody, Problem};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

const MAX_TEXT: usize = 10_000;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    text: String,
}

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Created<Activity>, ApiError> {
    let mut connection = state.store.conn().await?;
    let issue = named::issue(&mut connection, &principal, &id).await?.id;
    let text = text(&body.text)?;
    let comment = [NewActivity { issue, kind: "comment", data: json!({ "text": text }) }];
    let written =
        activity::add(&mut connection, Some(&principal.actor.name), &comment, state.clock.now()).await?;
    let written = written.into_iter().next();
    Ok(Created::of(written.ok_or_else(|| Problem::internal(&"a comment was not written"))?))
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
