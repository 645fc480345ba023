//! `POST /api/v1/projects` with `name`: 201 with the project, its first key and its DSN.

use crate::{ApiError, State, projects};
use actix_web::web::Data;
use actix_web::{HttpResponse, Responder};
use bugle_store::projects::ProjectError;
use bugle_web::auth::Caller;
use bugle_web::{Code, JsonBody, Problem};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    name: String,
}

pub(super) async fn handler(
    caller: Caller,
    state: Data<State>,
    JsonBody(body): JsonBody<Body>,
) -> Result<impl Responder, ApiError> {
    let mut connection = state.store.conn().await?;
    let made =
        projects::create(&mut connection, &state.config.public_url, &body.name, state.clock.now()).await;
    let made = made.map_err(|error| match error {
        ProjectError::BadName => Problem::invalid_field("name", error.to_string()).into(),
        ProjectError::NameTaken(_) => Problem::with_detail(Code::Conflict, error.to_string()).into(),
        ProjectError::Store(error) => ApiError::from(error),
    })?;
    tracing::info!(project = %made.id, token = caller.name, "project created");
    Ok(HttpResponse::Created().json(made))
}
