//! Who somebody is here of whom a provider tells.

use super::Claims;
use crate::accounts::fields;
use crate::accounts::sign_in::{self, Client};
use crate::{ApiError, State};
use bugle_model::{InstallationRole, UserId};
use bugle_store::audit::{self, Target};
use bugle_store::links::{self, Invitation};
use bugle_store::users::{self, NewUser};
use bugle_store::{Connection, Scope, Transactions, oidc, teams};
use chrono::{DateTime, Utc};
use serde_json::json;

/// Why somebody is not let in. The names are in the address of the page that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The provider does not vouch for an address.
    Unverified,
    /// The address is not of an allowed domain, or nobody with it has an account or an invitation.
    Unknown,
    /// The account is disabled.
    Disabled,
}

impl Refused {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Unverified => "unverified",
            Self::Unknown => "unknown",
            Self::Disabled => "disabled",
        }
    }
}

type Found = Result<(UserId, String), Refused>;

/// The account of whoever the provider means: the one that is linked, else the one with the verified address, else a new one
/// for somebody who was invited, or for anybody where that is allowed.
pub(crate) async fn person(
    state: &State,
    connection: &mut Connection,
    issuer: &str,
    claims: &Claims,
    client: &Client,
    now: DateTime<Utc>,
) -> Result<Found, ApiError> {
    let domains = &state.config.oidc_allowed_domains;
    if !domains.is_empty() && !claims.email.as_deref().is_some_and(|email| is_of(email, domains)) {
        return Ok(Err(if claims.email.is_none() { Refused::Unverified } else { Refused::Unknown }));
    }
    connection
        .transaction(async |connection| {
            if let Some(known) = oidc::person(connection, issuer, &claims.subject).await? {
                return Ok(if known.disabled { Err(Refused::Disabled) } else { Ok((known.id, known.name)) });
            }
            let Some(email) = &claims.email else { return Ok(Err(Refused::Unverified)) };
            let found = match users::account(connection, email).await? {
                Some(account) if account.disabled => Err(Refused::Disabled),
                Some(account) => Ok((account.id, account.name)),
                None => newcomer(state, connection, email, claims, client, now).await?,
            };
            if let Ok((id, name)) = &found {
                oidc::link(connection, issuer, &claims.subject, *id, now).await?;
                let target = Target::new("user", *id, name);
                let mut entry = sign_in::by(*id, name, client, "identity.linked", target);
                entry.after = Some(json!({ "issuer": issuer, "subject": claims.subject, "email": email }));
                audit::add(connection, &entry, now).await?;
            }
            Ok(found)
        })
        .await
}

fn is_of(email: &str, domains: &[String]) -> bool {
    let domain = email.rsplit_once('@').map(|(_, domain)| domain).unwrap_or_default();
    domains.iter().any(|allowed| allowed.eq_ignore_ascii_case(domain))
}

async fn newcomer(
    state: &State,
    connection: &mut Connection,
    email: &str,
    claims: &Claims,
    client: &Client,
    now: DateTime<Utc>,
) -> Result<Found, ApiError> {
    let open = links::invitations(connection, &Scope::All, now).await?;
    let invited: Vec<Invitation> =
        open.into_iter().filter(|one| one.email.to_lowercase() == email.to_lowercase()).collect();
    // The first account is made by the set-up link alone.
    if !users::any(connection).await? || (invited.is_empty() && !state.config.oidc_sign_up) {
        return Ok(Err(Refused::Unknown));
    }
    let Ok(email) = fields::email(email) else { return Ok(Err(Refused::Unverified)) };
    let given = claims.name.as_deref().and_then(|name| fields::name(name).ok());
    let name = given.unwrap_or_else(|| email.split('@').next().unwrap_or_default().to_owned());
    let role = invited.iter().map(|one| one.role).max().unwrap_or(InstallationRole::Member);
    let user =
        users::create(connection, &NewUser { email: &email, name: &name, password_hash: None, role }, now)
            .await?;
    let noted = |action, invitation: Option<&Invitation>| {
        let mut entry = sign_in::by(user, &name, client, action, Target::new("user", user, &name));
        entry.team = invitation.and_then(|one| one.team);
        entry.after = Some(json!({
            "email": email, "role": role, "team": entry.team,
            "team_role": invitation.and_then(|one| one.team_role),
            "invited_by": invitation.map(|one| &one.invited_by),
        }));
        entry
    };
    if invited.is_empty() {
        audit::add(connection, &noted("user.signed_up", None), now).await?;
    }
    for invitation in &invited {
        links::end_invitation(connection, invitation.id).await?;
        if let (Some(team), Some(role)) = (invitation.team, invitation.team_role) {
            teams::put_member(connection, team, user, role, now).await?;
        }
        audit::add(connection, &noted("invitation.accepted", Some(invitation)), now).await?;
    }
    Ok(Ok((user, name)))
}
