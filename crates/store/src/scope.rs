//! Which projects somebody sees. Every function that reads for a person or a token takes a [`Scope`]; what is outside
//! of it is not there.

use bugle_model::TeamId;

/// The projects that a query may touch. The default is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All, also those without a team.
    All,
    /// Those of these teams.
    Teams(Vec<TeamId>),
}

impl Default for Scope {
    fn default() -> Self {
        Self::Teams(Vec::new())
    }
}

impl Scope {
    /// Null for all, else the teams; the SQL is `($1 IS NULL OR p.team_id = ANY ($1))`.
    pub(crate) fn bind(&self) -> Option<Vec<i32>> {
        match self {
            Self::All => None,
            Self::Teams(teams) => Some(teams.iter().map(|team| team.0).collect()),
        }
    }

    /// Whether something of this team is in it.
    #[must_use]
    pub fn holds(&self, team: Option<TeamId>) -> bool {
        match self {
            Self::All => true,
            Self::Teams(teams) => team.is_some_and(|team| teams.contains(&team)),
        }
    }
}
