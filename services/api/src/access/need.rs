//! What an endpoint needs of who calls it.

use bugle_model::TeamRole;

/// What an endpoint needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing: setting up, signing in, links.
    Nothing,
    /// A person with a session; no token will do.
    Person,
    /// This role in the team that the thing asked for belongs to. Lists show what is in such teams.
    Role(TeamRole),
    /// This role, held by a person with a session; of tokens only those with the scope `admin`. For what hands out access.
    PersonWithRole(TeamRole),
    /// An admin or owner of the installation, or a token with the scope `admin`.
    Admin,
}

impl Need {
    /// Reads.
    pub(crate) const VIEW: Self = Self::Role(TeamRole::Viewer);
    /// Changes issues.
    pub(crate) const TRIAGE: Self = Self::Role(TeamRole::Member);
    /// Changes settings, keys, destinations and people.
    pub(crate) const MANAGE: Self = Self::Role(TeamRole::Manager);
}
