//! `/api/v1/invitations/{token}/preview` and `…/accept`: what the invited see and do.

use super::named::refuse;
use crate::accounts::sign_in::{self, Client, SessionView};
use crate::accounts::{fields, passwords};
use crate::openapi::Created;
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path};
use bugle_store::audit::{self, Target};
use bugle_store::links::{self, Invitation};
use bugle_store::users::{self, NewUser};
use bugle_store::{Connection, Transactions, teams};
use bugle_web::{Code, JsonBody, Problem, auth};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

async fn open(connection: &mut Connection, token: &str, now: DateTime<Utc>) -> Result<Invitation, ApiError> {
    let found = links::invitation(connection, &auth::hash(token), now).await?;
    Ok(found.ok_or_else(gone)?)
}

fn gone() -> Problem {
    Problem::with_detail(Code::NotFound, "this invitation is wrong, was used or has ended")
}

/// What the invited are shown.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "InvitationPreview")]
pub(super) struct Preview {
    email: String,
    /// The team that they will be in.
    team: Option<String>,
    /// The inviter's name.
    inviter: String,
}

/// `GET …/invitations/{token}/preview`
pub(super) async fn preview(state: Data<State>, token: Path<String>) -> Result<Json<Preview>, ApiError> {
    let mut connection = state.store.conn().await?;
    let found = open(&mut connection, &token, state.clock.now()).await?;
    Ok(Json(Preview { email: found.email, team: found.team_name, inviter: found.invited_by }))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    name: String,
    password: String,
}

/// `POST …/invitations/{token}/accept`
pub(super) async fn accept(
    state: Data<State>,
    request: HttpRequest,
    token: Path<String>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Created<SessionView>, ApiError> {
    let client = Client::of(&state, &request);
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let invitation = open(&mut connection, &token, now).await?;
    let mut mistakes = Vec::new();
    let name = fields::name(&body.name).map_err(|error| mistakes.push(error)).unwrap_or_default();
    mistakes.extend(passwords::mistakes("password", &body.password, &[&invitation.email, &name]));
    refuse(mistakes)?;
    let password_hash = state.passwords.hash(&body.password).await?;
    let user = connection
        .transaction(async |connection| {
            // Of two that accept at once one gets in.
            if !links::end_invitation(connection, invitation.id).await? {
                return Err(ApiError::from(gone()));
            }
            let new = NewUser {
                email: &invitation.email,
                name: &name,
                password_hash: Some(&password_hash),
                role: invitation.role,
            };
            let user = users::create(connection, &new, now).await?;
            if let (Some(team), Some(role)) = (invitation.team, invitation.team_role) {
                teams::put_member(connection, team, user, role, now).await?;
            }
            let target = Target::new("user", user, &name);
            let mut entry = sign_in::by(user, &name, &client, "invitation.accepted", target);
            entry.team = invitation.team;
            entry.after = Some(json!({
                "email": invitation.email, "role": invitation.role, "team": invitation.team,
                "team_role": invitation.team_role, "invited_by": invitation.invited_by,
            }));
            audit::add(connection, &entry, now).await?;
            Ok(user)
        })
        .await?;
    let session = sign_in::begin(&mut connection, &client, user, &name, now).await?;
    sign_in::answer(&state, &mut connection, &session, user).await
}
