//! `POST /api/v1/projects/{project}/destinations` with `channel`, `target`, `min_priority`, `settings`.

use super::destinations::View;
use super::named;
use crate::{ApiError, State};
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, Responder};
use bugle_model::{Channel, DestinationSettings, Priority};
use bugle_store::destinations::{self, CreateError, NewDestination, secret_from};
use bugle_web::auth::Caller;
use bugle_web::{Code, FieldError, JsonBody, Problem};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    channel: Channel,
    target: String,
    min_priority: Option<Priority>,
    #[serde(default)]
    settings: DestinationSettings,
}

pub(super) async fn handler(
    caller: Caller,
    state: Data<State>,
    project: Path<String>,
    JsonBody(body): JsonBody<Body>,
) -> Result<impl Responder, ApiError> {
    let Body { channel, target, min_priority, settings } = body;
    let mut connection = state.store.conn().await?;
    let project = named::project(&mut connection, &project).await?.id;
    let new = NewDestination { project, channel, target, min_priority, settings };
    let secret = secret_from(rand::random());
    let made =
        destinations::create(&mut connection, &new, &secret, state.clock.now()).await.map_err(refused)?;
    tracing::info!(destination = %made.id, %project, token = caller.name, "destination created");
    Ok(HttpResponse::Created().json(View::new(&made).with_secret(&made)))
}

fn refused(error: CreateError) -> ApiError {
    match error {
        CreateError::Invalid(mistakes) => {
            Problem::invalid(mistakes.into_iter().map(|one| FieldError::new(one.field, one.reason)).collect())
                .into()
        }
        CreateError::NoProject(project) => Problem::not_found(format_args!("project {project}")).into(),
        CreateError::TooMany => Problem::with_detail(Code::Conflict, error.to_string()).into(),
        CreateError::Store(error) => error.into(),
    }
}
