//! Who sends a request, and what they may do.

use super::Need;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use bugle_model::{ActorKind, InstallationRole, TeamId, TeamRole, TokenScope, UserId};
use bugle_store::Scope;
use bugle_store::audit::{Actor, Entry, Target};
use bugle_store::sessions::Active;
use bugle_store::tokens::ApiToken;
use bugle_store::users::User;
use bugle_web::{Code, Problem};
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::collections::BTreeMap;
use std::future::{Ready, ready};

/// The session that a request was made with.
#[derive(Debug, Clone)]
pub(crate) struct SessionOf {
    pub(crate) active: Active,
    /// What unsafe requests prove with that they come from our own pages.
    pub(crate) csrf: String,
}

/// Who sends a request; checked by the guard before the handler runs.
#[derive(Debug, Clone)]
pub(crate) struct Principal {
    pub(crate) actor: Actor,
    pub(crate) address: String,
    /// What they are in the whole installation.
    pub(crate) installation: InstallationRole,
    session: Option<SessionOf>,
    token: Option<ApiToken>,
    /// The role that a token without a team has everywhere.
    everywhere: Option<TeamRole>,
    teams: BTreeMap<TeamId, TeamRole>,
    /// What the route needs at least.
    role: TeamRole,
}

impl Principal {
    pub(super) fn of_session(session: SessionOf, address: String) -> Self {
        let user = &session.active.user;
        Self {
            actor: Actor { kind: ActorKind::User, id: Some(user.id.0), name: user.name.clone() },
            address,
            installation: user.role,
            token: None,
            everywhere: None,
            teams: user.teams.iter().map(|team| (team.id, team.role)).collect(),
            role: TeamRole::Viewer,
            session: Some(session),
        }
    }

    pub(super) fn of_token(token: ApiToken, address: String) -> Self {
        let role = token.scopes.iter().map(|scope| scope.role()).max().unwrap_or(TeamRole::Viewer);
        let is_admin = token.team.is_none() && token.scopes.contains(&TokenScope::Admin);
        Self {
            actor: Actor { kind: ActorKind::Token, id: Some(token.id), name: token.name.clone() },
            address,
            installation: if is_admin { InstallationRole::Admin } else { InstallationRole::Member },
            session: None,
            everywhere: token.team.is_none().then_some(role),
            teams: token.team.map(|team| (team, role)).into_iter().collect(),
            role: TeamRole::Viewer,
            token: Some(token),
        }
    }

    /// Somebody who has proven by other means than a session or a token who they are: a link of a mail to them, a message from
    /// their own number. May do what members may, where they are that.
    pub(crate) fn of_person(user: &User, address: String, need: Need) -> Result<Self, Problem> {
        let principal = Self {
            actor: Actor { kind: ActorKind::User, id: Some(user.id.0), name: user.name.clone() },
            address,
            installation: user.role,
            session: None,
            token: None,
            everywhere: None,
            teams: user.teams.iter().map(|team| (team.id, team.role)).collect(),
            role: TeamRole::Viewer,
        };
        if user.disabled {
            return Err(forbidden("the account is disabled"));
        }
        principal.meets(need)
    }

    /// The command line on the same machine.
    pub(super) fn local(address: String) -> Self {
        Self {
            actor: Actor { kind: ActorKind::System, id: None, name: "local".to_owned() },
            address,
            installation: InstallationRole::Owner,
            session: None,
            token: None,
            everywhere: Some(TeamRole::Manager),
            teams: BTreeMap::new(),
            role: TeamRole::Viewer,
        }
    }

    /// Checks what can be checked before it is known what is asked for, and remembers the rest.
    pub(super) fn meets(mut self, need: Need) -> Result<Self, Problem> {
        match need {
            Need::Nothing => {}
            Need::Person if self.session.is_some() => {}
            Need::Person => return Err(forbidden("this is for people who are signed in, not for tokens")),
            Need::Admin if self.is_admin() => self.role = TeamRole::Manager,
            Need::Admin => return Err(forbidden("this is for admins of the installation")),
            Need::PersonWithRole(_) if self.session.is_none() && !self.is_admin() => {
                return Err(forbidden("this is for people, and for tokens with the scope admin"));
            }
            Need::Role(role) | Need::PersonWithRole(role) => {
                self.role = role;
                // With the role in no team at all there is nothing that could be asked for. Reading is never refused:
                // whoever is in no team sees empty lists.
                if role > TeamRole::Viewer && self.scope() == Scope::default() {
                    return Err(forbidden(&format!("the role {role} is needed")));
                }
            }
        }
        Ok(self)
    }

    /// Whether they are an admin or an owner of the installation.
    pub(crate) fn is_admin(&self) -> bool {
        self.installation >= InstallationRole::Admin
    }

    /// The person, when it is one.
    pub(crate) fn user(&self) -> Option<&User> {
        self.session.as_ref().map(|session| &session.active.user)
    }

    /// The person's id, when it is one.
    pub(crate) fn user_id(&self) -> Option<UserId> {
        self.user().map(|user| user.id)
    }

    /// The session; on routes that need a person it is always there.
    pub(crate) fn session(&self) -> Result<&SessionOf, Problem> {
        self.session.as_ref().ok_or_else(|| Problem::new(Code::Unauthorized))
    }

    /// The scopes of a token; people and the command line have none.
    pub(crate) fn scopes(&self) -> &[TokenScope] {
        self.token.as_ref().map(|token| token.scopes.as_slice()).unwrap_or_default()
    }

    /// The person behind it: who is signed in, or made the token.
    pub(crate) fn person_behind(&self) -> Option<UserId> {
        self.user_id().or_else(|| self.token.as_ref()?.created_by.as_ref().map(|maker| maker.id))
    }

    /// When what they show ends by itself: what they make with it must not outlive it.
    pub(crate) fn token_ends_at(&self) -> Option<DateTime<Utc>> {
        self.token.as_ref()?.expires_at
    }

    /// Whether they may hand out this scope: nobody gives what they do not have.
    pub(crate) fn may_grant(&self, scope: TokenScope, team: Option<TeamId>) -> bool {
        let has = self.token.as_ref().is_none_or(|own| own.scopes.iter().any(|one| *one >= scope));
        has && match (scope, team) {
            (TokenScope::Admin, None) => self.is_admin(),
            (TokenScope::Admin, Some(_)) => false,
            (_, team) => self.role_in(team).is_some_and(|role| role >= scope.role()),
        }
    }

    /// Whether they may change settings, keys and destinations of what belongs to this team, whatever the route is for.
    pub(crate) fn manages(&self, team: Option<TeamId>) -> bool {
        self.role_in(team).is_some_and(|role| role >= TeamRole::Manager)
    }

    /// Checks that they may change issues of this team, and what it shares, whatever the route is for.
    pub(crate) fn may_triage(&self, team: TeamId) -> Result<(), Problem> {
        match self.role_in(Some(team)) {
            Some(role) if role >= TeamRole::Member => Ok(()),
            _ => Err(forbidden("the role member in this team is needed")),
        }
    }

    /// What they may do in a team; `None` is what has no team.
    fn role_in(&self, team: Option<TeamId>) -> Option<TeamRole> {
        if self.is_admin() {
            return Some(TeamRole::Manager);
        }
        self.everywhere.or_else(|| self.teams.get(&team?).copied())
    }

    fn at_least(&self, role: TeamRole) -> Scope {
        if self.is_admin() || self.everywhere.is_some_and(|everywhere| everywhere >= role) {
            return Scope::All;
        }
        Scope::Teams(self.teams.iter().filter(|(_, own)| **own >= role).map(|(team, _)| *team).collect())
    }

    /// Where they may do what the route does.
    pub(crate) fn scope(&self) -> Scope {
        self.at_least(self.role)
    }

    /// What they can see.
    pub(crate) fn visible(&self) -> Scope {
        self.at_least(TeamRole::Viewer)
    }

    /// Whether what is seen may also be changed; `team` is whose it is.
    pub(crate) fn allowed(&self, team: Option<TeamId>) -> Result<(), Problem> {
        match self.role_in(team) {
            Some(role) if role >= self.role => Ok(()),
            _ => Err(forbidden(&format!("the role {} in this team is needed", self.role))),
        }
    }

    /// The team of something new: the one named, or the only one there is to choose.
    pub(crate) fn team_for_new(&self, named: Option<TeamId>) -> Result<Option<TeamId>, Problem> {
        let Some(team) = named else {
            return match self.scope() {
                Scope::All => Ok(None),
                Scope::Teams(teams) if teams.len() == 1 => Ok(teams.first().copied()),
                Scope::Teams(_) => Err(Problem::invalid_field("team", "say which team it belongs to")),
            };
        };
        if !self.visible().holds(Some(team)) {
            return Err(Problem::invalid_field("team", format!("there is no team {team}")));
        }
        self.allowed(Some(team))?;
        Ok(Some(team))
    }

    /// An entry of the audit log about what they do.
    pub(crate) fn did(&self, action: &'static str, target: Target, team: Option<TeamId>) -> Entry {
        self.changed(action, target, team, None, None)
    }

    /// An entry of the audit log, with what was there before and what is there now.
    pub(crate) fn changed(
        &self,
        action: &'static str,
        target: Target,
        team: Option<TeamId>,
        before: Option<Value>,
        after: Option<Value>,
    ) -> Entry {
        Entry {
            actor: self.actor.clone(),
            address: self.address.clone(),
            action,
            target,
            team,
            before,
            after,
        }
    }
}

pub(super) fn forbidden(why: &str) -> Problem {
    Problem::with_detail(Code::Forbidden, why)
}

impl FromRequest for Principal {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let found = request.extensions().get::<Self>().cloned();
        ready(found.ok_or_else(|| Problem::internal(&"a handler takes a principal where none is needed")))
    }
}
