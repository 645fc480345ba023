//! `POST /api/v1/projects/{project}/destinations/{id}/test`: 202 with the notification that is on its way. One at a time: it
//! may cost money.

use super::named;
use crate::access::Principal;
use crate::openapi::Accepted;
use crate::{ApiError, State};
use actix_web::web::{Data, Path};
use bugle_model::NotificationId;
use bugle_store::audit::{self, Target};
use bugle_store::destinations::Destination;
use bugle_store::projects::Project;
use bugle_store::{Connection, Transactions, destinations, notifications};
use bugle_web::{Code, Problem};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

/// The test that is on its way.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct OnItsWay {
    notification: NotificationId,
}

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
    path: Path<(String, String)>,
) -> Result<Accepted<OnItsWay>, ApiError> {
    let (project, id) = path.into_inner();
    let mut connection = state.store.conn().await?;
    let (project, destination) = of_project(&mut connection, &principal, &project, &id).await?;
    let now = state.clock.now();
    let notification = connection
        .transaction(async |connection| {
            if notifications::test_is_pending(connection, destination.id).await? {
                let detail = "a test is on its way there; wait until it has arrived or failed";
                return Err(Problem::with_detail(Code::Conflict, detail).into());
            }
            let made = notifications::insert_test(connection, destination.id, Uuid::now_v7(), now).await?;
            let notification = made.ok_or_else(|| named::missing("destination", &id))?;
            let target = Target::new("destination", destination.id, &project.name);
            let entry = principal.did("destination.tested", target, project.team);
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(notification)
        })
        .await?;
    Ok(Accepted::of(OnItsWay { notification }))
}

/// The destination in the path, when it is the project's.
pub(super) async fn of_project(
    connection: &mut Connection,
    principal: &Principal,
    project: &str,
    id: &str,
) -> Result<(Project, Destination), ApiError> {
    let project = named::project(connection, principal, project).await?;
    let destination = match id.parse() {
        Ok(id) => destinations::get(connection, id).await?,
        Err(_) => None,
    };
    let destination = destination.filter(|found| found.project == Some(project.id));
    Ok((project, destination.ok_or_else(|| named::missing("destination", id))?))
}
