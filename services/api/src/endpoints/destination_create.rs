//! `POST /api/v1/projects/{project}/destinations` with `channel`, `target`, `min_priority`, `settings`.

use super::destinations::View;
use super::named;
use crate::access::Principal;
use crate::openapi::Created;
use crate::{ApiError, State};
use actix_web::web::{Data, Path};
use bugle_model::{Channel, DestinationSettings, Priority};
use bugle_store::Transactions;
use bugle_store::audit::{self, Target};
use bugle_store::destinations::{self, CreateError, NewDestination, secret_from};
use bugle_web::{Code, FieldError, JsonBody, Problem, object};
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    channel: Channel,
    target: String,
    min_priority: Option<Priority>,
    #[serde(default, deserialize_with = "object")]
    settings: DestinationSettings,
}

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
    project: Path<String>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Created<View>, ApiError> {
    let Body { channel, target, min_priority, settings } = body;
    let mut connection = state.store.conn().await?;
    let project = named::project(&mut connection, &principal, &project).await?;
    let new = NewDestination { project: project.id, channel, target, min_priority, settings };
    let secret = secret_from(rand::random());
    let now = state.clock.now();
    let made = connection
        .transaction(async |connection| {
            let made = destinations::create(connection, &new, &secret, now).await.map_err(refused)?;
            let target = Target::new("destination", made.id, &project.name);
            let entry =
                principal.changed("destination.created", target, project.team, None, Some(made.audited()));
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(made)
        })
        .await?;
    Ok(Created::of(View::new(project.id, &made).with_secret(&made)).uncached())
}

/// Why a destination was not made or changed, as clients read it.
pub(super) fn refused(error: CreateError) -> ApiError {
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
