//! The services.

use clap::ValueEnum;
use std::collections::BTreeSet;

/// A service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Role {
    /// Accepts what clients send.
    Ingest,
    /// Groups it and writes it down.
    Recorder,
    /// Tells people and machines.
    Notifier,
    /// Answers questions.
    Api,
}

impl Role {
    const ALL: [Self; 4] = [Self::Ingest, Self::Recorder, Self::Notifier, Self::Api];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Recorder => "recorder",
            Self::Notifier => "notifier",
            Self::Api => "api",
        }
    }
}

/// The services of one process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Roles(BTreeSet<Role>);

impl Roles {
    /// Those named; all when none is.
    pub(crate) fn new(named: &[Role]) -> Self {
        Self(if named.is_empty() { Role::ALL.into() } else { named.iter().copied().collect() })
    }

    pub(crate) fn has(&self, role: Role) -> bool {
        self.0.contains(&role)
    }

    /// The whole system in one process.
    pub(crate) fn are_all(&self) -> bool {
        self.0.len() == Role::ALL.len()
    }

    /// Nothing here needs the database to start.
    pub(crate) fn are_only_ingest(&self) -> bool {
        self.0.len() == 1 && self.has(Role::Ingest)
    }
}

impl std::fmt::Display for Roles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_named_is_all() {
        assert!(Roles::new(&[]).are_all());
        assert!(!Roles::new(&[Role::Ingest, Role::Ingest]).are_all());
        assert!(Roles::new(&[Role::Ingest, Role::Ingest]).are_only_ingest());
        assert_eq!(Roles::new(&[Role::Api, Role::Ingest]).to_string(), "ingest, api");
    }
}
