//! What lists are sorted by.

use bugle_model::UnknownName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// The order of a list; the greatest comes first, and of equals the newest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// The minute of the last event.
    #[default]
    LastSeen,
    /// The first event.
    FirstSeen,
    /// How many events, to five percent.
    Events,
    /// How many users, to five percent.
    Users,
    /// The priority.
    Priority,
}

impl Sort {
    /// Every order.
    pub const ALL: [(&str, Self); 5] = [
        ("last_seen", Self::LastSeen),
        ("first_seen", Self::FirstSeen),
        ("events", Self::Events),
        ("users", Self::Users),
        ("priority", Self::Priority),
    ];

    /// Its name in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LastSeen => "last_seen",
            Self::FirstSeen => "first_seen",
            Self::Events => "events",
            Self::Users => "users",
            Self::Priority => "priority",
        }
    }

    /// The table whose index has the order, its column with the id, and that with the key.
    pub(super) const fn columns(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::LastSeen => ("issues", "id", "active_at"),
            Self::FirstSeen => ("issue_ranks", "issue_id", "first_seen"),
            Self::Events => ("issue_ranks", "issue_id", "events"),
            Self::Users => ("issue_ranks", "issue_id", "users"),
            Self::Priority => ("issue_ranks", "issue_id", "priority"),
        }
    }

    /// Whether the key is a time; else it is a small number.
    pub(super) const fn is_time(self) -> bool {
        matches!(self, Self::LastSeen | Self::FirstSeen)
    }
}

impl FromStr for Sort {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let found = Self::ALL.into_iter().find(|(name, _)| *name == text);
        found.map(|(_, sort)| sort).ok_or_else(|| UnknownName {
            field: "sort",
            value: text.chars().take(64).collect(),
            allowed: "last_seen, first_seen, events, users, priority",
        })
    }
}

/// Where in a list an issue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The list's order; a place means nothing in another one.
    pub sort: Sort,
    /// What it is sorted by: microseconds since 1970, a magnitude, a priority's code.
    pub key: i64,
    /// The id.
    pub id: i64,
}
