//! Who may do what: the vocabularies of roles, scopes and actors.

use crate::level::{UnknownName, vocabulary};

vocabulary!(
    /// What somebody may do within a team. Ordered: each may do what those before it may.
    TeamRole, "role", "viewer, member, manager", {
        /// Reads.
        Viewer = 1 => "viewer",
        /// Also triages: changes issues.
        Member = 2 => "member",
        /// Also changes settings, keys, destinations and people.
        Manager = 3 => "manager",
    }
);

vocabulary!(
    /// What somebody may do in the whole installation.
    InstallationRole, "role", "member, admin, owner", {
        /// What the teams allow.
        Member = 1 => "member",
        /// Everything, except for changing owners.
        Admin = 2 => "admin",
        /// Everything.
        Owner = 3 => "owner",
    }
);

vocabulary!(
    /// What a token may do, each as much as a role.
    TokenScope, "scopes", "read, triage, write, admin", {
        /// As a viewer.
        Read = 1 => "read",
        /// As a member of a team.
        Triage = 2 => "triage",
        /// As a manager.
        Write = 3 => "write",
        /// As an admin of the installation.
        Admin = 4 => "admin",
    }
);

vocabulary!(
    /// What kind of somebody did something.
    ActorKind, "actor", "user, token, system", {
        /// A person who was signed in.
        User = 1 => "user",
        /// A token of the API.
        Token = 2 => "token",
        /// The installation itself, or its operator at the command line.
        System = 3 => "system",
    }
);

impl TokenScope {
    /// The role within a team that this scope is as good as.
    #[must_use]
    pub const fn role(self) -> TeamRole {
        match self {
            Self::Read => TeamRole::Viewer,
            Self::Triage => TeamRole::Member,
            Self::Write | Self::Admin => TeamRole::Manager,
        }
    }
}
