//! `/api/v1/invitations`: who is invited. With a mail server the link goes by mail and to nobody else; without, the
//! answer has it.

use super::named;
use crate::access::Principal;
use crate::accounts::{fields, links as making};
use crate::openapi::{Created, NoContent};
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_model::{InstallationRole, TeamId, TeamRole};
use bugle_store::account_mails::{self, NewMail};
use bugle_store::audit::{self, Target};
use bugle_store::links::{self, Invitation, NewInvitation};
use bugle_store::{Transactions, users};
use bugle_web::{Code, JsonBody, Page, Problem, auth};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

/// `GET …/invitations`
pub(super) async fn list(
    principal: Principal,
    state: Data<State>,
) -> Result<Json<Page<Invitation>>, ApiError> {
    let mut connection = state.store.conn().await?;
    let found = links::invitations(&mut connection, &principal.scope(), state.clock.now()).await?;
    Ok(Json(Page::whole(found)))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    email: String,
    role: Option<InstallationRole>,
    team: Option<TeamId>,
    team_role: Option<TeamRole>,
}

/// An invitation that was just made.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "NewInvitation")]
pub(super) struct Made {
    id: i32,
    email: String,
    role: InstallationRole,
    team: Option<TeamId>,
    team_role: Option<TeamRole>,
    /// The inviter's name.
    invited_by: String,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    /// What to hand to the invited; null when it goes by mail.
    link: Option<String>,
}

/// `POST …/invitations`
pub(super) async fn create(
    principal: Principal,
    state: Data<State>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Created<Made>, ApiError> {
    let email = fields::email(&body.email).map_err(|error| Problem::invalid(vec![error]))?;
    let role = installation_role(&principal, body.role)?;
    let mut connection = state.store.conn().await?;
    let team = named::team_for_new(&mut connection, &principal, body.team).await?;
    if team.is_none() && !principal.is_admin() {
        return Err(Problem::invalid_field("team", "say which team they are invited to").into());
    }
    let team = team.map(|team| (team, body.team_role.unwrap_or(TeamRole::Member)));
    let (now, token) = (state.clock.now(), auth::new_secret());
    let (expires_at, link) =
        (now + making::INVITATION, making::link(&state.config.public_url, "invite", &token));
    let by_mail = state.config.smtp_url.is_some();
    let new = NewInvitation { email: &email, role, team, invited_by: &principal.actor.name, expires_at };
    let id = connection
        .transaction(async |connection| {
            if users::account(connection, &email).await?.is_some() {
                let detail = "there is an account with this address; put it into the team";
                return Err(ApiError::from(Problem::with_detail(Code::Conflict, detail)));
            }
            let id = links::invite(connection, &auth::hash(&token), &new, now).await?;
            if by_mail {
                let mail = NewMail {
                    kind: account_mails::Kind::Invitation,
                    recipient: &email,
                    about: &principal.actor.name,
                    link: &link,
                    expires_at,
                };
                account_mails::add(connection, &mail, Uuid::now_v7(), now).await?;
            }
            let after =
                json!({ "role": role, "team": team.map(|one| one.0), "team_role": team.map(|one| one.1) });
            let target = Target::new("invitation", id, &email);
            let team = team.map(|one| one.0);
            let entry = principal.changed("invitation.created", target, team, None, Some(after));
            audit::add(connection, &entry, now).await?;
            Ok(id)
        })
        .await?;
    let made = Created::of(Made {
        id,
        email,
        role,
        team: team.map(|one| one.0),
        team_role: team.map(|one| one.1),
        invited_by: principal.actor.name.clone(),
        created_at: now,
        expires_at,
        link: (!by_mail).then_some(link),
    });
    Ok(made.uncached())
}

/// Nobody becomes an owner by invitation, and only admins make admins.
fn installation_role(
    principal: &Principal,
    asked: Option<InstallationRole>,
) -> Result<InstallationRole, Problem> {
    match asked.unwrap_or(InstallationRole::Member) {
        InstallationRole::Owner => Err(Problem::invalid_field("role", "expected member or admin")),
        InstallationRole::Admin if !principal.is_admin() => {
            Err(Problem::with_detail(Code::Forbidden, "only admins invite admins"))
        }
        role => Ok(role),
    }
}

/// `DELETE …/invitations/{id}`
pub(super) async fn remove(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<NoContent, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let seen = links::invitations(&mut connection, &principal.visible(), now).await?;
    let found: Option<Invitation> = seen.into_iter().find(|one| id.parse() == Ok(one.id));
    let found = found.ok_or_else(|| named::missing("invitation", &id))?;
    principal.allowed(found.team)?;
    let entry =
        principal.did("invitation.removed", Target::new("invitation", found.id, &found.email), found.team);
    connection
        .transaction(async |connection| {
            links::end_invitation(connection, found.id).await?;
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(())
        })
        .await?;
    Ok(NoContent::new())
}
